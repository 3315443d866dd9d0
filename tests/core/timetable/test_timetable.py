"""Which period it is at an instant, and when that changes."""

import threading
from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from schoolgate.core.timetable import (
    DayKind,
    Range,
    SchoolCalendar,
    Span,
    Term,
    Timetable,
    parse_minute,
    parse_range,
)
from schoolgate.core.timetable.timetable import HORIZON_DAYS

LONDON = ZoneInfo("Europe/London")
SCHOOL = frozenset({DayKind.SCHOOL})


def ranges(**times: str) -> tuple[Range, ...]:
    """Give ranges of periods from their times, those over midnight too."""
    found = []
    for period, text in times.items():
        for part in text.split():
            start, end = parse_range(part)
            found.append(Range(period, start, end if end > start else end + 1440))
    return tuple(found)


def daily(
    calendar: SchoolCalendar | None = None, zone: str = "Europe/London", **times: str
) -> Timetable:
    """Give a timetable with the same times every day."""
    return Timetable(
        periods={period: period.title() for period in times},
        held=dict.fromkeys(times, SCHOOL),
        weekly={(day, None): ranges(**times) for day in range(7)},
        calendar=calendar or SchoolCalendar(),
        zone=ZoneInfo(zone),
    )


def london(text: str, *, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=LONDON, fold=fold)


@pytest.mark.parametrize(
    ("now", "want"),
    [
        ("2026-11-23T08:59:59.999999", None),
        ("2026-11-23T09:00", "lessons"),
        ("2026-11-23T10:29:59.999999", "lessons"),
        ("2026-11-23T10:30", "pause"),
        ("2026-11-23T10:45", "lessons"),
        ("2026-11-23T15:15", None),
        ("2026-11-23T21:59", None),
        ("2026-11-23T22:00", "night"),
        ("2026-11-24T00:00", "night"),
        ("2026-11-24T05:59", "night"),
        ("2026-11-24T06:00", None),
        ("2024-02-29T09:00", "lessons"),
        ("2026-07-01T09:00", "lessons"),
        ("2026-07-01T08:00", None),
    ],
)
def test_the_period_at_a_time(now: str, want: str | None) -> None:
    timetable = daily(lessons="09:00-10:30 10:45-15:15", pause="10:30-10:45", night="22:00-06:00")
    assert timetable.period_at(london(now)) == want


def test_an_instant_is_the_same_in_every_zone() -> None:
    timetable = daily(lessons="09:00-10:00")
    tokyo = ZoneInfo("Asia/Tokyo")
    for now in (
        datetime(2026, 7, 1, 8, 30, tzinfo=UTC),
        datetime(2026, 7, 1, 17, 30, tzinfo=tokyo),
        datetime(2026, 7, 1, 4, 30, tzinfo=timezone(timedelta(hours=-4))),
    ):
        assert timetable.period_at(now) == "lessons"
        assert timetable.next_change(now) == datetime(2026, 7, 1, 9, tzinfo=UTC)


def test_a_time_without_a_zone_is_refused() -> None:
    now = datetime(2026, 7, 1, 9)  # noqa: DTZ001 - that is the point
    with pytest.raises(ValueError, match="zone"):
        daily(lessons="09:00-10:00").period_at(now)
    with pytest.raises(ValueError, match="zone"):
        daily(lessons="09:00-10:00").next_change(now)


@pytest.mark.parametrize(
    ("times", "day", "want"),
    [
        # in spring 01:00 GMT is 02:00 BST: what begins in between begins then
        ("01:30-03:00", "2026-03-29", ["01:00-02:00"]),
        ("00:30-01:30", "2026-03-29", ["00:30-01:00"]),
        ("01:15-01:45", "2026-03-29", []),
        ("00:00-24:00", "2026-03-29", ["00:00-23:00"]),
        ("02:00-03:00", "2026-03-29", ["01:00-02:00"]),
        # in autumn 02:00 BST is 01:00 GMT again: both passes count
        ("01:15-01:45", "2026-10-25", ["00:15-00:45", "01:15-01:45"]),
        ("00:30-01:30", "2026-10-25", ["23:30-00:30", "01:00-01:30"]),
        ("01:30-03:00", "2026-10-25", ["00:30-01:00", "01:30-03:00"]),
        ("01:00-02:00", "2026-10-25", ["00:00-02:00"]),
        ("00:00-24:00", "2026-10-25", ["23:00-00:00"]),
    ],
)
def test_both_clock_changes(times: str, day: str, want: list[str]) -> None:
    """The stretches of one day's range, in UTC."""
    only = date.fromisoformat(day)
    closed = frozenset({only - timedelta(days=1), only + timedelta(days=1)})
    timetable = daily(SchoolCalendar(closed=closed), lessons=times)
    now = london(day).astimezone(UTC) - timedelta(hours=2)
    found = []
    while (change := timetable.next_change(now)) is not None and change < now + timedelta(days=2):
        if timetable.period_at(now) == "lessons":
            found.append(f"{now:%H:%M}-{change:%H:%M}")
        now = change
        if now > london(day).astimezone(UTC) + timedelta(hours=26):
            break
    assert found == want


def test_a_night_goes_on_into_a_closed_day_and_begins_on_none() -> None:
    closed = SchoolCalendar(closed=frozenset({date(2026, 11, 24)}))
    timetable = daily(closed, night="22:00-06:00")
    assert timetable.period_at(london("2026-11-24T05:59")) == "night"
    assert timetable.period_at(london("2026-11-24T22:00")) is None
    assert timetable.period_at(london("2026-11-25T05:59")) is None


@pytest.mark.parametrize(
    ("closing", "want"),
    [
        ("13:30", ["lessons 09:00-13:30", "night 21:00-06:00"]),
        ("15:00", ["lessons 09:00-15:00", "night 21:00-06:00"]),
        ("16:00", ["lessons 09:00-15:00", "late 15:00-16:00", "night 21:00-06:00"]),
        ("09:00", ["night 21:00-06:00"]),
        ("24:00", ["lessons 09:00-15:00", "late 15:00-17:00", "night 21:00-06:00"]),
    ],
)
def test_early_closing_cuts_all_but_what_is_held_on_closed_days_too(
    closing: str, want: list[str]
) -> None:
    day = date(2026, 12, 18)
    timetable = Timetable(
        periods={"lessons": "", "late": "", "night": ""},
        held={
            "lessons": SCHOOL,
            "late": frozenset({DayKind.SCHOOL, DayKind.INSET}),
            "night": frozenset({DayKind.SCHOOL, DayKind.CLOSED}),
        },
        weekly={(4, None): ranges(lessons="09:00-15:00", late="15:00-17:00", night="21:00-06:00")},
        early_closing={day: parse_minute(closing, end=True)},
    )
    assert [f"{range_.period} {range_}" for range_ in timetable.ranges(day)] == want
    assert len(timetable.ranges(day - timedelta(days=7))) == 3


def test_a_plan_is_the_whole_of_its_day() -> None:
    day = date(2026, 12, 18)
    timetable = Timetable(
        periods={"lessons": "", "fair": ""},
        held={"lessons": SCHOOL, "fair": SCHOOL},
        weekly={(4, None): ranges(lessons="09:00-15:00")},
        dated={day: ranges(lessons="16:00-17:00")},
        plans={day: ranges(fair="10:00-11:00")},
    )
    assert [range_.period for range_ in timetable.ranges(day)] == ["fair"]


def test_dated_times_are_added_and_held_as_others_are() -> None:
    monday, closed = date(2026, 11, 23), date(2026, 11, 24)
    timetable = Timetable(
        periods={"lessons": ""},
        held={"lessons": SCHOOL},
        weekly={(0, None): ranges(lessons="09:00-10:00")},
        dated={monday: ranges(lessons="11:00-12:00"), closed: ranges(lessons="11:00-12:00")},
        calendar=SchoolCalendar(closed=frozenset({closed})),
    )
    assert [str(range_) for range_ in timetable.ranges(monday)] == ["09:00-10:00", "11:00-12:00"]
    assert timetable.ranges(closed) == ()


def test_groups_and_periods_are_spelt_out() -> None:
    timetable = Timetable({"a": "A", "b": "B"}, {}, {}, groups={"all": ("a", "b")})
    assert timetable.spelt_out("all") == ("a", "b")
    assert timetable.spelt_out("a") == ("a",)
    with pytest.raises(KeyError):
        timetable.spelt_out("c")


@pytest.mark.parametrize(
    ("now", "want"),
    [
        ("2026-11-23T08:00", "2026-11-23T09:00"),
        ("2026-11-23T09:00", "2026-11-23T10:00"),
        ("2026-11-23T10:00", "2026-11-23T10:30"),
        ("2026-12-18T10:30", "2026-12-18T12:00"),
        ("2026-12-18T12:00", "2027-01-04T09:00"),
        ("2027-03-24T12:00", None),
        ("2029-01-01T00:00", None),
        ("2024-01-01T00:00", None),  # further away than is looked
        ("2024-12-01T00:00", "2026-09-02T08:00"),
    ],
)
def test_the_next_change(now: str, want: str | None) -> None:
    terms = (
        Term("Autumn", Span(date(2026, 9, 2), date(2026, 12, 18))),
        Term("Spring", Span(date(2027, 1, 4), date(2027, 3, 24))),
    )
    timetable = daily(SchoolCalendar(terms), lessons="09:00-10:00 10:30-12:00")
    expected = None if want is None else datetime.fromisoformat(want).replace(tzinfo=UTC)
    assert timetable.next_change(datetime.fromisoformat(now).replace(tzinfo=UTC)) == expected


def test_a_plan_after_the_last_term_is_a_change() -> None:
    term = Term("Spring", Span(date(2027, 1, 4), date(2027, 3, 24)))
    day = date(2027, 8, 28)
    timetable = Timetable(
        periods={"fair": ""},
        held={"fair": SCHOOL},
        weekly={},
        plans={day: ranges(fair="10:00-11:00")},
        calendar=SchoolCalendar((term,), planned=frozenset({day})),
    )
    assert timetable.next_change(london("2027-08-01T00:00")) == london("2027-08-28T10:00")


def test_what_never_ends_never_changes() -> None:
    timetable = daily(lessons="00:00-24:00")
    assert timetable.period_at(london("2026-11-23T00:00")) == "lessons"
    assert timetable.next_change(london("2026-11-23T00:00")) is None


def test_ranges_that_follow_each_other_are_no_change() -> None:
    timetable = daily(lessons="09:00-10:00 10:00-11:00")
    assert timetable.next_change(london("2026-11-23T09:30")) == london("2026-11-23T11:00")


def test_overlaps_are_found_over_midnight_too() -> None:
    timetable = daily(night="22:00-06:00", swim="05:30-06:30", lessons="09:00-10:00")
    pairs = [(a.period, b.period) for a, b in timetable.overlaps(date(2026, 11, 23))]
    assert pairs == [("night", "swim")]


def test_memory_stays_whatever_is_asked() -> None:
    timetable = daily(lessons="09:00-10:00")
    now = london("2026-01-01T09:30")
    for number in range(HORIZON_DAYS):
        assert timetable.period_at(now + timedelta(days=number)) == "lessons"
    assert len(timetable._days) <= 8
    assert len(timetable._ordinary) <= 7


def test_several_threads_may_ask_at_once() -> None:
    timetable = daily(lessons="09:00-10:00 11:00-12:00")
    wrong: list[datetime] = []

    def ask(first: int) -> None:
        for number in range(first, 20_000, 3):
            now = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=47 * number % 100_000)
            wall = now.astimezone(LONDON).hour
            if timetable.period_at(now) != ("lessons" if wall in (9, 11) else None):
                wrong.append(now)

    threads = [threading.Thread(target=ask, args=(first,)) for first in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        ("Australia/Lord_Howe", date(2026, 4, 5)),  # half an hour
        ("Asia/Beirut", date(2026, 3, 29)),  # at midnight
        ("Europe/Lisbon", date(1977, 3, 27)),  # at midnight of UTC
        ("Pacific/Apia", date(2011, 12, 30)),  # a date that does not exist
        ("Africa/Monrovia", date(1972, 1, 7)),  # by 44 minutes and 30 seconds
    ],
)
def test_the_clock_of_any_zone(zone: str, day: date) -> None:
    timetable = daily(zone=zone, lessons="00:00-01:30 09:00-10:00 23:15-23:45")
    covered = [(0, 90), (540, 600), (1395, 1425)]
    now = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(days=2)
    for number in range(4 * 24 * 120):
        instant = now + timedelta(seconds=30 * number)
        wall = instant.astimezone(ZoneInfo(zone))
        minute = wall.hour * 60 + wall.minute
        want = "lessons" if any(low <= minute < high for low, high in covered) else None
        assert timetable.period_at(instant) == want, instant
