"""What closed days saw is known to every worker, and nobody can read it out of the file."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from schoolgate.bootstrap.journal import keep_journal
from schoolgate.bootstrap.seen_sites import watch_seen_sites
from schoolgate.core.content import SeenSites
from schoolgate.settings import Settings, load_settings
from tests.gateway import eventually
from tests.school import write_school

NOW = datetime.now(UTC)
TODAY = str(NOW.date())


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(write_school(tmp_path / "school").config, {})


def write(settings: Settings, age: int, host: str) -> None:
    """Write a day of the journal on which somebody reached a host that no list knows."""
    day = (NOW - timedelta(days=age)).date()
    settings.journal_dir.mkdir(parents=True, exist_ok=True)
    record = {
        "ts": f"{day}T10:00:00.000+00:00", "event": "request.decided", "host": host, "verdict": "allow",
        "user": "tom",
    }  # fmt: skip
    (settings.journal_dir / f"{day}.jsonl").write_text(json.dumps(record) + "\n")


def test_sites_of_the_last_month_are_not_new(settings: Settings) -> None:
    write(settings, 40, "long-ago.example")
    write(settings, 2, "www.known.example")
    keep_journal(settings)
    image = settings.seen_sites_file.read_bytes()
    assert b"known" not in image
    sites, faults = SeenSites(), list[str]()
    watch = watch_seen_sites(settings, sites, lambda: faults.append("one"))
    watch.start()
    try:
        assert eventually(lambda: not sites.is_new("known.example", TODAY))
    finally:
        watch.stop()
    assert sites.is_new("long-ago.example", TODAY)
    assert not faults


def test_a_file_that_is_damaged_is_not_believed(settings: Settings) -> None:
    settings.seen_sites_file.parent.mkdir(parents=True, exist_ok=True)
    settings.seen_sites_file.write_bytes(b"something else")
    sites, faults = SeenSites(), list[str]()
    watch = watch_seen_sites(settings, sites, lambda: faults.append("one"))
    watch.look()
    watch.look()
    assert faults == ["one"]
    assert sites.is_new("known.example", TODAY)


def test_what_is_the_same_is_not_written_again(settings: Settings) -> None:
    write(settings, 2, "www.known.example")
    keep_journal(settings)
    before = settings.seen_sites_file.stat().st_ino
    keep_journal(settings)
    assert settings.seen_sites_file.stat().st_ino == before
    write(settings, 1, "www.other.example")
    keep_journal(settings)
    assert settings.seen_sites_file.stat().st_ino != before
