"""The journal of a machine: kept by its settings and its holds, and read day by day."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from schoolgate.bootstrap.journal import journal_lines, keep_journal, open_journal
from schoolgate.core.approvals import Subject
from schoolgate.settings import Settings, load_settings
from schoolgate.storage import JournalHolds, open_database
from tests.school import write_school

TODAY = datetime.now(UTC).date()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    school = write_school(tmp_path / "school")
    kept: dict[str, Any] = {
        "keep_days": 30,
        "keep_fields": {"url": 3},
        "keep_categories": {"games": 2},
    }
    school.write_config(journal=kept)
    return load_settings(school.config, {})


def write(settings: Settings, age: int, user: str, **more: str) -> None:
    day = TODAY - timedelta(days=age)
    settings.journal_dir.mkdir(parents=True, exist_ok=True)
    with (settings.journal_dir / f"{day}.jsonl").open("a") as file:
        record = {
            "ts": f"{day}T10:00:00.000+00:00",
            "event": "x",
            "user": user,
            "url": "data:",
            **more,
        }
        file.write(json.dumps(record) + "\n")


def test_it_is_kept_by_the_settings(settings: Settings) -> None:
    for age in (31, 4, 0):
        write(settings, age, f"of-{age}")
    write(settings, 4, "player", category="games")
    assert len(keep_journal(settings).closed) == 2
    records = [json.loads(line) for line in journal_lines(settings, timedelta(days=40))]
    assert [(record["user"], "url" in record) for record in records] == [
        ("of-4", False),
        ("of-0", True),
    ]
    assert settings.journal_key_file.parent == settings.state_dir != settings.journal_dir


def test_what_is_held_in_the_database_stays(settings: Settings) -> None:
    database = open_database(settings.database_url)
    tom, at = Subject.parse("user:tom"), datetime.now(UTC)
    JournalHolds(database).add(tom, TODAY - timedelta(days=50), None, "police", "test", at)
    database.dispose()
    write(settings, 31, "tom")
    write(settings, 31, "ann")
    keep_journal(settings)
    [record] = open_journal(settings).closed_records(TODAY - timedelta(days=31))
    assert (record["user"], record["url"]) == ("tom", "data:")
