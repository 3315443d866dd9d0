"""Whose requests a look at the journal shows, of which day, and how many."""

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from schoolgate.core.errors import UnavailableError
from schoolgate.monitoring.journal_names import Pseudonyms
from schoolgate.monitoring.journal_retention import Retention
from schoolgate.monitoring.journal_store import JournalStore
from schoolgate.services.viewing import Limits, Watched, viewing_of

DAY = date(2026, 11, 23)
PLENTY = Limits(1 << 20, 1000, 100)
ME = Watched("tom", "10.9.0.7", "tablet-1")


def kept(journal: Path, *records: dict[str, Any]) -> None:
    for record in records:
        full = {"ts": "2026-11-23T10:00:00.000Z", "event": "request.decided", "verdict": "monitor",
                "clause": "C-3", "host": "a.example", **record}  # fmt: skip
        with (journal / f"{full['ts'][:10]}.jsonl").open("a") as file:
            text = json.dumps(full, ensure_ascii=False, separators=(",", ":"))
            file.write(f"{text}\n")


def kept_in(journal: Path) -> JournalStore:
    return JournalStore(journal, lambda: Pseudonyms(b"k" * 64))


def sites(journal: Path, watched: Watched = ME, day: date = DAY) -> list[str]:
    return [visit.site for visit in viewing_of(kept_in(journal), watched, day, PLENTY).visits]


@pytest.mark.parametrize(
    ("record", "shown"),
    [
        ({"user": "tom", "client": "10.9.0.99"}, True),
        ({"user": "tom", "client": "10.9.0.7", "device": "tablet-1"}, True),
        ({"user": None, "client": "10.9.0.7"}, True),
        ({"user": None, "client": "10.9.0.8", "device": "tablet-1"}, True),
        # Somebody else who was known by name, on the same device.
        ({"user": "ann", "client": "10.9.0.7", "device": "tablet-1"}, False),
        # Another device that had the address before.
        ({"user": None, "client": "10.9.0.7", "device": "tablet-2"}, False),
        ({"user": "tomas", "client": "10.9.0.1"}, False),
        ({"client": "10.9.0.70"}, False),
        ({"client": "10.9.0.7", "event": "alert.raised"}, False),
        ({"client": "10.9.0.7", "verdict": ["x"]}, True),
        ({"client": "10.9.0.7", "ts": "no time at all"}, False),
    ],
)
def test_whose_requests_are_shown(tmp_path: Path, record: dict[str, Any], shown: bool) -> None:
    kept(tmp_path, record)
    (tmp_path / "no time at.jsonl").unlink(missing_ok=True)
    assert sites(tmp_path) == (["a.example"] if shown else [])


def test_a_name_is_found_as_the_journal_writes_it(tmp_path: Path) -> None:
    for name in ("żaneta", 'o"brien', "back\\slash"):
        kept(tmp_path, {"user": name, "host": f"of.{len(name)}"})
        assert sites(tmp_path, Watched(name)) == [f"of.{len(name)}"]


def test_nobody_has_no_viewing(tmp_path: Path) -> None:
    kept(tmp_path, {"user": None, "client": ""}, {"user": "", "client": None})
    assert sites(tmp_path, Watched()) == []


def test_a_day_is_one_of_the_school(tmp_path: Path) -> None:
    # In June the day begins an hour earlier than in UTC.
    for ts in ("2026-06-09T22:59:59.999Z", "2026-06-09T23:00:00.000Z", "2026-06-10T22:59:59.999Z",
               "2026-06-10T23:00:00.000Z"):  # fmt: skip
        kept(tmp_path, {"ts": ts, "client": "10.9.0.7", "host": ts})
    assert sites(tmp_path, ME, date(2026, 6, 10)) == [
        "2026-06-10T22:59:59.999Z",
        "2026-06-09T23:00:00.000Z",
    ]


def test_the_newest_are_shown_and_all_are_counted(tmp_path: Path) -> None:
    for number in range(5):
        verdict = "block" if number % 2 else "monitor"
        record = {"client": "10.9.0.7", "host": "h", "url": f"https://h/{number}"}
        kept(tmp_path, record | {"verdict": verdict, "category": "games"})
    seen = viewing_of(kept_in(tmp_path), ME, DAY, Limits(1 << 20, 1000, 2))
    assert [visit.site for visit in seen.visits] == ["https://h/4", "https://h/3"]
    assert (dict(seen.counts), seen.cut) == ({"monitor": 3, "block": 2}, False)
    visit = seen.visits[1]
    assert (visit.at, visit.verdict, visit.clause, visit.category) == (
        datetime(2026, 11, 23, 10, tzinfo=UTC), "block", "C-3", "games",
    )  # fmt: skip
    assert viewing_of(kept_in(tmp_path), ME, DAY, Limits(1 << 20, 3, 2)).cut


def test_a_journal_that_cannot_be_read_is_said_to_be_so(tmp_path: Path) -> None:
    (tmp_path / f"{DAY}.jsonl").mkdir()
    with pytest.raises(UnavailableError, match="journal cannot be read"):
        sites(tmp_path)


def test_a_closed_day_shows_the_same_as_its_lines(tmp_path: Path) -> None:
    """What was done under somebody else's name on the same device is not theirs there, either."""
    kept(
        tmp_path,
        {"user": "tom", "host": "one.example", "ts": "2026-11-23T09:00:00.000Z"},
        {"user": None, "client": "10.9.0.7", "host": "two.example"},
        {"user": "ann", "client": "10.9.0.7", "device": "tablet-1", "host": "hers.example"},
        {"user": None, "client": "10.9.0.7", "device": "tablet-2", "host": "other.example"},
    )
    before = viewing_of(kept_in(tmp_path), ME, DAY, PLENTY)
    assert [visit.site for visit in before.visits] == ["two.example", "one.example"]
    kept_in(tmp_path).keep(datetime(2026, 11, 24, 3, tzinfo=UTC), Retention(400))
    assert [path.suffix for path in tmp_path.glob("2026*[!s]")] == [".parquet"]
    assert viewing_of(kept_in(tmp_path), ME, DAY, PLENTY) == before
    # What ended late is beside the table for a while.
    kept(tmp_path, {"user": "tom", "host": "late.example", "ts": "2026-11-23T23:00:00.000Z"})
    assert sites(tmp_path) == ["late.example", "two.example", "one.example"]
    assert viewing_of(kept_in(tmp_path), ME, DAY, Limits(1 << 20, 1, 1)).cut
