"""Figures and records for commands: a record is recorded before it is read, and refused without a concern."""

import json
from datetime import date, timedelta
from pathlib import Path

import pytest

from schoolgate.bootstrap import figures
from schoolgate.bootstrap.accounts import Account
from schoolgate.bootstrap.figures import Concern, record_of, report_of
from schoolgate.core.approvals import Subject
from schoolgate.core.errors import RefusedError, UnavailableError
from schoolgate.settings import Settings, load_settings
from schoolgate.storage import AuditTrail, is_there, open_database
from tests.school import write_school

DAY = date(2026, 11, 16)
TOM = Subject.parse("user:tom0")
WORRY = Concern("dsl@school.example", "A friend is worried.", "incident 17")
ACCOUNTS = [
    Account("DSL@school.example", "A", ("dsl",), is_active=True, has_password=True),
    Account("it@school.example", "B", ("technician",), is_active=True, has_password=True),
    Account("gone@school.example", "C", ("dsl",), is_active=False, has_password=True),
]


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A school of whose journal there are two days, with six people each."""
    found = load_settings(write_school(tmp_path / "school").config, {})
    found.journal_dir.mkdir(parents=True)
    for day in (DAY, DAY + timedelta(days=1)):
        records = [
            {"ts": f"{day}T09:00:00.000+00:00", "id": f"1-a-{n}", "user": f"tom{n}", "verdict": "monitor",
             "event": "request.decided", "clause": "C-3", "host": "a.example"}
            for n in range(6)
        ]  # fmt: skip
        text = "".join(json.dumps(one, separators=(",", ":")) + "\n" for one in records)
        (found.journal_dir / f"{day}.jsonl").write_text(text)
    monkeypatch.setattr(figures, "Accounts", lambda *_: ACCOUNTS)
    return found


def looks(settings: Settings) -> list[dict[str, object]]:
    database = open_database(settings.database_url)
    told = [beside["detail"] for _, beside in AuditTrail(database).told(action="history.viewed")]
    database.dispose()
    return told


def test_a_report_names_nobody_and_makes_no_database(settings: Settings) -> None:
    found = report_of(settings, DAY, DAY + timedelta(days=1))
    assert (found.total.events, found.total.people, found.over_blocks) == (12, 6, ())
    assert "tom" not in json.dumps(found.plain())
    assert not is_there(settings.database_url)


def test_a_record_is_of_one_person_the_newest_first_and_recorded(settings: Settings) -> None:
    visits = record_of(settings, TOM, DAY, DAY + timedelta(days=1), WORRY, "system:test")
    assert [visit.at.date() for visit in visits] == [DAY + timedelta(days=1), DAY]
    assert looks(settings) == [
        {"concern": WORRY.words, "reference": WORRY.reference, "asked_by": "DSL@school.example",
         "day": "2026-11-16 to 2026-11-17"}
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("concern", "days", "said"),
    [
        (Concern(WORRY.asked_by, " ", "17"), 1, "the concern"),
        (Concern(WORRY.asked_by, "x", ""), 1, "the reference"),
        (Concern("it@school.example", "x", "17"), 1, "may not ask for a person's record"),
        (Concern("gone@school.example", "x", "17"), 1, "there is no account"),
        (Concern("nobody@school.example", "x", "17"), 1, "there is no account"),
        (WORRY, 32, "31 days at most"),
        (WORRY, 0, "31 days at most"),
    ],
)
def test_otherwise_it_is_refused_and_nothing_read(
    settings: Settings, concern: Concern, days: int, said: str
) -> None:
    with pytest.raises(RefusedError, match=said):
        record_of(settings, TOM, DAY, DAY + timedelta(days=days - 1), concern, "system:test")
    assert looks(settings) == []


def test_that_it_was_asked_for_is_recorded_even_where_nothing_can_be_read(
    settings: Settings,
) -> None:
    broken = settings.journal_dir / f"{DAY}.parquet"
    broken.write_bytes(b"PAR1 not")
    with pytest.raises(UnavailableError):
        record_of(settings, TOM, DAY, DAY, WORRY, "system:test")
    assert len(looks(settings)) == 1
