"""The evidence pack in the portal: for those who govern and lead, answered line by line, naming nobody."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from sqlalchemy import Engine

from schoolgate.core.approvals import Role, Subject
from schoolgate.core.categories import ListEntry
from schoolgate.core.safeguarding import Severity
from schoolgate.core.safeguarding.incidents import About, KeptAlert
from schoolgate.portal.house import House
from schoolgate.storage import Audience, IncidentStore
from tests.portal.asking import Asking
from tests.portal.printed import check, needs_pango, opened, tags, text_of
from tests.portal.requested import stands_in
from tests.school import NOON

type Somebody = Callable[..., Any]
DAYS = "since=2026-11-01&until=2026-12-01"


def test_a_governor_sees_the_answers_and_nobody_in_them(
    here: House, somebody: Somebody, database: tuple[House, Engine]
) -> None:
    alert = KeptAlert(
        0, NOON, NOON, 1, "user:jsmith", "pupils", About.PUPILS, "self-harm", Severity.DANGER, "search",
        "sad.example", {"search": "typed words", "address": "192.0.2.77"},
    )  # fmt: skip
    IncidentStore(database[1]).keep([alert], lambda _: Audience(), NOON)
    here.decisions.add_grant(
        ListEntry("games.example", "/", "", "grant"), Subject.parse("user:jsmith"), NOON,
        NOON + timedelta(days=1), Role.HEADTEACHER, reason="For the <club>.", actor="cli:test", now=NOON,
    )  # fmt: skip
    browser = Asking(somebody(Role.GOVERNOR))
    assert "not met" not in stands_in(browser, "/evidence/")
    shown = stands_in(browser, f"/evidence/?{DAYS}")
    paper = stands_in(browser, f"/evidence/page/?{DAYS}")
    data = browser.get(f"/evidence/file/?{DAYS}")
    assert data["content-type"] == "application/json"
    for text in (shown, paper, data.content.decode()):
        for secret in ("jsmith", "sad.example", "typed words", "192.0.2.77"):
            assert secret not in text
    assert "No locked list is installed" in shown
    assert "For the &lt;club&gt;." in paper
    assert "one person" in paper
    told = json.loads(data.content)
    assert told["facts"]["safeguarding"]["alerts"] is None
    assert len(told["answers"]) == 73
    assert all(one["answer"] for one in told["answers"])


def test_it_comes_on_paper_that_can_be_read_aloud(here: House, somebody: Somebody) -> None:
    needs_pango()
    pdf = opened(Asking(somebody(Role.HEADTEACHER)).get(f"/evidence/pdf/?{DAYS}"))
    check(pdf, "Evidence of filtering and monitoring – Hill School")
    assert "UKSIC appropriate monitoring" in text_of(pdf)
    assert {"/H1", "/H2", "/TH"} <= {kind for kind, _ in tags(pdf)}


def test_what_is_no_span_of_days_is_told(here: House, somebody: Somebody) -> None:
    browser = Asking(somebody(Role.DSL))
    answer = browser.get("/evidence/?since=2026-12-01&until=2026-11-01")
    assert answer.status_code == 503
    assert "no span of days" in answer.content.decode()
    assert browser.get("/evidence/file/?since=0001-01-01").status_code == 503


def test_one_at_a_time_has_it_made(here: House, somebody: Somebody, monkeypatch: Any) -> None:
    from schoolgate.portal.views import evidence

    monkeypatch.setattr(evidence, "_LONGEST_WAIT_SECONDS", 0.01)
    with evidence._finding:
        answer = Asking(somebody(Role.DSL)).get(f"/evidence/page/?{DAYS}")
    assert "Others are having it made" in answer.content.decode()
