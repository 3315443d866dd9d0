"""The timetable agrees with the naive one on every minute: of a school year and of clock changes."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from schoolgate.core.timetable import Timetable
from schoolgate.settings.timetable_file import load_timetable
from tests.naive_timetable import NaiveTimetable, instants
from tests.timetables import FULL, PLAIN

MINUTE = timedelta(minutes=1)

# Nights around both clock changes, whatever else the school does.
NIGHTS = """\
timetable:
  periods:
    late: {title: Late, overnight: true, times: {sat: ["23:30-00:30"], sun: ["22:00-02:00"]}}
    first: {title: First, times: {sun: ["00:30-01:00"]}}
    gap: {title: Gap, times: {sun: ["01:15-01:30", "01:30-01:45"]}}
    over: {title: Over, times: {sun: ["01:45-02:30"]}}
    day: {title: Day, times: {sun: ["02:30-22:00"]}}
"""
CHANGES = [date(2026, 3, 29), date(2026, 10, 25), date(2027, 3, 28), date(2027, 10, 31)]


def both(directory: Path, text: str) -> tuple[Timetable, NaiveTimetable]:
    file = directory / "timetable.yaml"
    file.write_text(text)
    return load_timetable(file), NaiveTimetable(text)


def changes(timetable: Timetable, first: datetime, last: datetime) -> list[datetime]:
    found = []
    change = timetable.next_change(first)
    while change is not None and change < last:
        found.append(change)
        change = timetable.next_change(change)
    return found


def compare(timetable: Timetable, naive: NaiveTimetable, first: datetime, last: datetime) -> int:
    """Compare every minute, and every change; give the number of changes."""
    before = naive.period_at(first)
    want_changes = []
    for now in instants(first, last, MINUTE):
        want = naive.period_at(now)
        assert timetable.period_at(now) == want, now
        if want != before and now != first:
            want_changes.append(now)
        before = want
    assert changes(timetable, first, last) == want_changes
    return len(want_changes)


@pytest.mark.parametrize(("text", "most"), [(PLAIN, 2_000), (FULL, 3_000)], ids=["plain", "full"])
def test_every_minute_of_a_school_year(tmp_path: Path, text: str, most: int) -> None:
    timetable, naive = both(tmp_path, text)
    first, last = datetime(2026, 9, 1, tzinfo=UTC), datetime(2027, 9, 1, tzinfo=UTC)
    assert 1_000 < compare(timetable, naive, first, last) < most


@pytest.mark.parametrize("text", [PLAIN, FULL, NIGHTS], ids=["plain", "full", "nights"])
@pytest.mark.parametrize("day", CHANGES, ids=str)
def test_every_minute_of_a_day_with_a_clock_change(tmp_path: Path, text: str, day: date) -> None:
    timetable, naive = both(tmp_path, text)
    middle = datetime(day.year, day.month, day.day, tzinfo=UTC)
    compare(timetable, naive, middle - timedelta(days=1), middle + timedelta(days=2))
