"""Any timetable agrees with the naive one at any time."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from schoolgate.core.errors import ConfigurationError
from schoolgate.documents import parse_document, validate
from schoolgate.settings.timetable_file import read_timetable
from schoolgate.settings.timetable_text import TimetableFile
from tests.naive_timetable import WEEKDAYS, NaiveTimetable

ZONES = ["Europe/London", "America/St_Johns", "Australia/Lord_Howe", "Asia/Beirut", "UTC"]
KINDS = ["school", "inset", "holiday", "closed"]
# Around a term with both clock changes of 2027 and a leap day of 2028 in reach.
FIRST, LAST = date(2027, 2, 1), date(2028, 3, 31)

days = st.dates(FIRST, LAST)
# Also the instants just around a change of the clock, where mistakes would be.
CHANGES = [
    datetime(2027, 3, 28, 1, tzinfo=UTC),
    datetime(2027, 10, 31, 1, tzinfo=UTC),
    datetime(2027, 4, 3, 15, tzinfo=UTC),
    datetime(2028, 2, 29, 0, tzinfo=UTC),
]
instants = st.one_of(
    st.datetimes(
        datetime(2027, 1, 1),  # noqa: DTZ001
        datetime(2028, 4, 30),  # noqa: DTZ001
        timezones=st.just(UTC),
    ),
    st.tuples(st.sampled_from(CHANGES), st.integers(-20_000, 20_000)).map(
        lambda pair: pair[0] + timedelta(seconds=pair[1])
    ),
)


def clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


@st.composite
def day_times(draw: st.DrawFn) -> dict[str, list[str]]:
    """Give the times of a day between 05:00 and 22:00, of three periods that do not overlap."""
    marks = sorted(draw(st.sets(st.integers(60, 264), min_size=2, max_size=8)))
    times: dict[str, list[str]] = {}
    for start, end in pairwise(marks):
        period = draw(st.sampled_from(["one", "two", "three", ""]))
        if period:
            times.setdefault(period, []).append(f"{clock(start * 5)}-{clock(end * 5)}")
    return times


@st.composite
def texts(draw: st.DrawFn) -> str:
    names = ["A", "B"] if draw(st.booleans()) else [""]
    periods: dict[str, Any] = {
        name: {"title": name, "held": draw(st.lists(st.sampled_from(KINDS), min_size=1, unique=True)),
               "times": {}}
        for name in ("one", "two", "three")
    }  # fmt: skip
    for week in names:
        for weekday in WEEKDAYS:
            for period, times in draw(day_times()).items():
                periods[period]["times"][f"{weekday} {week}".strip()] = times
    periods["night"] = {
        "title": "night",
        "held": draw(st.sampled_from([["school"], KINDS])),
        "overnight": True,
        "times": {"sun-thu": ["22:30-04:30"], "fri-sat": ["23:00-01:30"]},
    }
    data: dict[str, Any] = {"zone": draw(st.sampled_from(ZONES)), "periods": periods}
    if draw(st.booleans()):
        half = draw(days.filter(lambda day: FIRST < day < LAST - timedelta(days=8)))
        data["terms"] = [
            {"name": "t", "from": FIRST, "to": FIRST + timedelta(days=390),
             "half_term": [half, half + timedelta(days=6)]},
        ]  # fmt: skip
        if half + timedelta(days=6) >= FIRST + timedelta(days=390):
            del data["terms"][0]["half_term"]
    special = draw(st.lists(days, max_size=12, unique=True))
    data["inset"], data["closed"] = special[:4], special[4:8]
    if len(special) > 8:
        data["plans"] = {"plan": draw(day_times())}
        data["days"] = dict.fromkeys(special[8:], "plan")
    if names[1:]:
        first = draw(days)
        skip = "terms" in data and draw(st.booleans())
        data["weeks"] = {"names": names, "first": first, "skip_holidays": skip}
    naive = NaiveTimetable(yaml.safe_dump({"timetable": data}))
    early = draw(st.lists(days, max_size=4, unique=True))
    data["early_closing"] = {
        day: clock(draw(st.integers(300, 1440)))
        for day in early
        if naive.kind(day) in ("school", "inset")
    }
    # A period that never happens is a fault; the one of a single day may be cut off by its early closing.
    naive = NaiveTimetable(yaml.safe_dump({"timetable": data}))
    for period in ("one", "two", "three"):
        if not any(period == p for day in naive_days() for _, _, p in naive.ranges(day)):
            data["plans"] = {n: {p: t for p, t in plan.items() if p != period}
                             for n, plan in data.get("plans", {}).items()}  # fmt: skip
            del periods[period]
    return yaml.safe_dump({"timetable": data})


@st.composite
def crowded(draw: st.DrawFn) -> str:
    """Give a few ranges, by day and by night, in two weeks, which may meet."""
    periods: dict[str, Any] = {}
    for number in range(draw(st.integers(2, 5))):
        start, end = draw(st.tuples(st.integers(0, 23), st.integers(0, 23)).filter(unequal))
        key = draw(st.sampled_from(["mon", "tue", "sun", "mon-wed", "sun-mon"]))
        week = draw(st.sampled_from(["", " A", " B"]))
        periods[f"p{number}"] = {
            "title": f"p{number}",
            "overnight": True,
            "times": {key + week: [f"{clock(60 * start)}-{clock(60 * end)}"]},
        }
    weeks = {"names": ["A", "B"], "first": date(2026, 9, 7)}
    return yaml.safe_dump({"timetable": {"weeks": weeks, "periods": periods}})


def unequal(pair: tuple[int, int]) -> bool:
    return pair[0] != pair[1]


@settings(max_examples=150, deadline=None)
@given(crowded())
def test_ranges_that_meet_are_refused_and_no_others(text: str) -> None:
    naive = NaiveTimetable(text)
    hours: list[datetime] = []
    for number in range(14):
        day = date(2026, 9, 7) + timedelta(days=number)
        for start, end, _ in naive.ranges(day):
            midnight = datetime.combine(day, time(), UTC)
            hours += [midnight + timedelta(hours=hour) for hour in range(start // 60, end // 60)]
    # The fortnight goes round: what its last night reaches into is its first day.
    round_ = [hour if hour < datetime(2026, 9, 21, tzinfo=UTC) else hour - timedelta(days=14)
              for hour in hours]  # fmt: skip
    document = parse_document("t.yaml", text)
    parsed = validate(document, TimetableFile).timetable
    try:
        read_timetable(document, ("timetable",), parsed)
    except ConfigurationError:
        refused = True
    else:
        refused = False
    assert refused == (len(set(round_)) < len(round_))


def naive_days() -> list[date]:
    return [FIRST + timedelta(days=number) for number in range((LAST - FIRST).days)]


@settings(max_examples=40, deadline=None)
@given(texts(), st.lists(instants, min_size=20, max_size=60))
def test_any_timetable_agrees_with_the_naive_one(text: str, times: list[datetime]) -> None:
    document = parse_document("t.yaml", text)
    parsed = validate(document, TimetableFile).timetable
    timetable = read_timetable(document, ("timetable",), parsed)
    naive = NaiveTimetable(text)
    for now in times:
        want = naive.period_at(now)
        assert timetable.period_at(now) == want, now
        change = timetable.next_change(now)
        # The first change of the next day and a half, looked for minute by minute.
        minute = now.replace(second=0, microsecond=0)
        later = (minute + timedelta(minutes=number) for number in range(1, 36 * 60))
        found = next((after for after in later if naive.period_at(after) != want), None)
        if found is not None or (change is not None and change < minute + timedelta(hours=35)):
            assert change == found, now
