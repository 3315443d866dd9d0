"""One's own viewing today; another's on a concern that is in the audit trail before anything is shown."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.test import override_settings

from schoolgate.core.approvals import Role
from schoolgate.core.errors import UnavailableError
from schoolgate.core.media.metering import Limits
from schoolgate.core.media.viewing import Piece, Viewing
from schoolgate.core.policy import Budget, PolicyEngine
from schoolgate.identity import Answer, Outcome
from schoolgate.portal.house import House
from tests.portal.asking import Asking, read
from tests.portal.requested import stands_in
from tests.school import NOON

type Somebody = Callable[..., Any]
CONCERN = {"person": "tom", "day": "2026-11-23", "concern": "A colleague is worried.",
           "reference": "incident 17"}  # fmt: skip
MAY_LOOK = (Role.HEADTEACHER, Role.ONLINE_SAFETY_LEAD, Role.DSL)


@pytest.fixture
def journal(here: House) -> Iterator[Callable[..., None]]:
    """Write lines of today's journal."""
    directory = here.settings.journal_dir
    directory.mkdir(parents=True, exist_ok=True)
    file = directory / f"{NOON.date()}.jsonl"

    def write(host: str, **record: Any) -> None:
        full = {"ts": (NOON - timedelta(hours=1)).isoformat(), "event": "request.decided",
                "verdict": "block", "clause": "C-1", "host": host, **record}  # fmt: skip
        with file.open("a") as lines:
            lines.write(json.dumps(full, separators=(",", ":")) + "\n")

    yield write
    file.unlink(missing_ok=True)


def looks(here: House) -> list[dict[str, Any]]:
    told = here.trail.told()
    return [beside for entry, beside in told if entry.action == "history.viewed"]


def test_a_device_sees_what_it_asked_for_without_a_name(
    here: House, journal: Callable[..., None]
) -> None:
    journal("mine.example", client="10.9.0.7", url="https://mine.example/<b>", category="games")
    journal("other.example", client="10.9.0.8")
    journal("ann.example", client="10.9.0.7", user="ann")
    page = stands_in(Asking(), "/viewing/")
    assert "https://mine.example/&lt;b&gt;" in page
    assert "1 blocked" in page
    assert "C-1 (games)" in page
    assert "other.example" not in page
    assert "ann.example" not in page


def test_whoever_is_known_sees_what_they_did_under_their_name(
    here: House, somebody: Somebody, journal: Callable[..., None]
) -> None:
    journal("tom.example", client="10.9.0.99", user="tom")
    journal("ann.example", client="10.9.0.7", user="ann")
    by_account = stands_in(Asking(somebody(email="tom@hill.example")), "/viewing/")
    assert "tom.example" in by_account
    assert "ann.example" not in by_account
    here.sign_ins.create(Answer(Outcome.ACCEPTED, "tom"), "10.9.0.7", "", 3600)
    assert "tom.example" in stands_in(Asking(), "/viewing/")
    assert "tom.example" not in stands_in(Asking(address="10.9.0.6"), "/viewing/")


def test_only_some_look_at_once(
    here: House, journal: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    from schoolgate.portal.views import viewing

    journal("mine.example", client="10.9.0.7")
    monkeypatch.setattr(viewing, "_LONGEST_WAIT_SECONDS", 0.01)
    with viewing._looking, viewing._looking:
        answer = Asking().get("/viewing/")
    assert answer.status_code == 503
    assert "Many people are looking" in answer.content.decode()
    assert "mine.example" not in answer.content.decode()
    assert "mine.example" in stands_in(Asking(), "/viewing/")


@pytest.mark.parametrize("role", [*MAY_LOOK, Role.TECHNICIAN, Role.TEACHER, Role.GOVERNOR])
def test_a_persons_history_is_for_who_may_look(
    here: House, somebody: Somebody, journal: Callable[..., None], role: Role
) -> None:
    journal("tom.example", user="tom", client="10.9.0.99")
    answer = Asking(somebody(role)).post("/history/", **CONCERN)
    assert ("tom.example" in answer.content.decode()) is (role in MAY_LOOK)
    assert answer.status_code == (200 if role in MAY_LOOK else 403)


def test_the_concern_is_recorded_and_then_it_is_shown(
    here: House, somebody: Somebody, journal: Callable[..., None]
) -> None:
    journal("tom.example", user="tom", client="10.9.0.99")
    journal("ann.example", user="ann", client="10.9.0.99")
    browser, before = Asking(somebody(Role.DSL)), len(looks(here))
    assert "tom.example" not in stands_in(browser, "/history/?person=tom&concern=x&day=2026-11-23")
    assert len(looks(here)) == before
    page = browser.post("/history/", **CONCERN).content.decode()
    assert "tom.example" in page
    assert "ann.example" not in page
    look = looks(here)[-1]
    assert look["actor"] == "account:somebody@hill.example"
    assert look["subject"] == "user:tom"
    assert look["detail"] == {
        "concern": "A colleague is worried.",
        "day": "2026-11-23",
        "reference": "incident 17",
    }
    # The next look begins with an empty form.
    assert "A colleague is worried." not in page
    assert "tom.example" not in stands_in(browser, "/history/")


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"concern": ""}, "required"),
        ({"concern": "  "}, "required"),
        ({"concern": "x" * 4001}, "4000 characters"),
        ({"concern": "a\u202eb"}, "control characters"),
        ({"reference": " "}, "required"),
        ({"person": ""}, "required"),
        ({"person": "client:nowhere"}, "not an IP address"),
        ({"day": "someday"}, "valid date"),
        ({"day": "2027-11-23"}, "still to come"),
    ],
)
def test_without_a_concern_nothing_is_shown_or_recorded(
    here: House,
    somebody: Somebody,
    journal: Callable[..., None],
    changed: dict[str, str],
    problem: str,
) -> None:
    journal("tom.example", user="tom", client="10.9.0.99")
    before = len(looks(here))
    answer = Asking(somebody(Role.DSL)).post("/history/", **(CONCERN | changed))
    assert problem in answer.content.decode()
    assert read(answer).title.startswith("Error: ")
    assert "tom.example" not in answer.content.decode()
    assert len(looks(here)) == before


@pytest.mark.parametrize(
    ("person", "subject"),
    [
        (" Tom@Hill.example ", "user:tom"),
        ("user:tom", "user:tom"),
        ("client:10.9.0.99", "client:10.9.0.99"),
        ("device:tablet-1", "device:tablet-1"),
        ("odd:name", "user:odd:name"),
    ],
)
def test_whom_a_text_names(here: House, somebody: Somebody, person: str, subject: str) -> None:
    Asking(somebody(Role.DSL)).post("/history/", **(CONCERN | {"person": person}))
    assert looks(here)[-1]["subject"] == subject


def test_what_cannot_be_recorded_is_not_shown(
    here: House,
    somebody: Somebody,
    journal: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fails(*_: object) -> None:
        raise UnavailableError("the database is gone")

    journal("tom.example", user="tom", client="10.9.0.99")
    browser = Asking(somebody(Role.DSL))
    monkeypatch.setattr(type(here.approvals), "note", fails)
    answer = browser.post("/history/", **CONCERN)
    assert answer.status_code == 500
    assert "tom.example" not in answer.content.decode()


BUDGETS = (
    Budget("staff-clips", "C-5", Limits(1800, 10**9), frozenset({"staff"})),
    Budget("clips", "C-3", Limits(1200, 6 * 10**8)),
)


@pytest.fixture
def budgets(here: House) -> Iterator[House]:
    """Give the school budgets, and tom a group."""
    rules = here.engine()
    changed = PolicyEngine(replace(rules.policy, budgets=BUDGETS), rules.catalogue)

    def membership(answer: Answer) -> Answer:
        return replace(answer, group="staff") if answer.user == "tom" else answer

    house = replace(here, engine=lambda: changed, membership=membership)
    with override_settings(SCHOOLGATE_HOUSE=house):
        yield house


def test_a_device_sees_where_it_stands(budgets: House) -> None:
    seen = Viewing()
    seen.deliver(Piece("a", "", 0.0, 754.0, 12_300_000))
    budgets.accounts.join("2026-11-23", {"client:10.9.0.7": seen})
    page = stands_in(Asking(), "/viewing/")
    assert "Audio and video today" in page
    for cell in ("20 min", "12 min 34 s", "7 min 26 s", "600 MB", "12.3 MB", "587.7 MB"):
        assert f">{cell}</td>" in page
    assert "It begins anew on 24 November 2026, 00:00 (C-3)." in page


def test_whoever_is_known_sees_their_own_budget(budgets: House, somebody: Somebody) -> None:
    seen = Viewing()
    seen.deliver(Piece("a", "", 0.0, 60.0, 1_000_000))
    budgets.accounts.join("2026-11-23", {"user:tom": seen})
    page = stands_in(Asking(somebody(email="tom@hill.example")), "/viewing/")
    assert ">30 min</td>" in page
    assert ">1 min</td>" in page
    assert "(C-5)" in page


def test_without_a_budget_the_page_says_nothing_of_it(here: House) -> None:
    assert "Audio and video today" not in stands_in(Asking(), "/viewing/")
