"""The report of a week and of a term is put into the outbox once, however often the jobs start again."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from schoolgate import bootstrap
from schoolgate.bootstrap.regular_reports import RegularReporting
from schoolgate.services.mailing import Mailing, Round
from schoolgate.services.regular_reports import Kind
from schoolgate.settings import Settings, load_settings
from schoolgate.storage import Outbox, open_database
from schoolgate.storage.regular_reports import RegularReports
from tests.school import write_school

MONDAY = datetime(2026, 11, 23, 7, tzinfo=UTC)
ROLES = {"dsl": ["dsl@hill.example"], "governor": ["gov@hill.example"]}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    school = write_school(tmp_path / "school")
    school.write_config(mail={"roles": ROLES})
    settings = load_settings(school.config, {})
    settings.journal_dir.mkdir(parents=True)
    return settings


def write_day(settings: Settings, day: date) -> None:
    (settings.journal_dir / f"{day}.jsonl").write_text("")


def test_each_is_made_once(settings: Settings) -> None:
    write_day(settings, date(2026, 8, 1))
    database = open_database(settings.database_url)
    try:
        assert RegularReporting(settings, database).report(MONDAY - timedelta(hours=1)) == 2
        # The week before is told of before Monday at seven; from then on the last one, once.
        assert RegularReporting(settings, database).report(MONDAY) == 1
        for hours in (0, 1, 100):
            assert RegularReporting(settings, database).report(MONDAY + timedelta(hours=hours)) == 0
        waiting = [(one.audience, one.subject) for one, _ in Outbox(database).unsent()]
        assert waiting == [
            ("role:dsl", "Safeguarding figures of the week"),
            ("role:governor", "Figures of the term"),
            ("role:dsl", "Safeguarding figures of the week"),
        ]
    finally:
        database.dispose()


def test_nothing_is_told_of_days_before_the_gateway_was_there(settings: Settings) -> None:
    database = open_database(settings.database_url)
    try:
        assert RegularReporting(settings, database).report(MONDAY) == 0
        write_day(settings, date(2026, 11, 22))
        assert RegularReporting(settings, database).report(MONDAY) == 1
        assert RegularReporting(settings, database).report(MONDAY + timedelta(minutes=1)) == 0
    finally:
        database.dispose()


def test_the_mail_is_the_report_and_leads_nowhere(settings: Settings) -> None:
    write_day(settings, date(2026, 11, 1))
    database = open_database(settings.database_url)
    try:
        RegularReporting(settings, database).report(MONDAY)
        got: list[str] = []
        mailing = Mailing(
            Outbox(database), lambda mail: got.append(mail.get_content()),
            lambda _: ("dsl@hill.example",), "filter@hill.example", "Hill School",
            "https://gate.example", None, RegularReports(database).text,
        )  # fmt: skip
        assert mailing.round(MONDAY) == Round(sent=1)
    finally:
        database.dispose()
    [text] = got
    assert "Safeguarding, about pupils" in text
    assert "://" not in text
    assert "@" not in text


@pytest.mark.parametrize("kind", list(Kind))
def test_a_command_prints_it_and_sends_nothing(settings: Settings, kind: Kind) -> None:
    assert "Hill School: " in bootstrap.regular_report(settings, kind, MONDAY)
    database = open_database(settings.database_url)
    try:
        assert Outbox(database).unsent() == []
    finally:
        database.dispose()
