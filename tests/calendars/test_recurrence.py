"""Rules of recurrence give the dates that dateutil gives, and end even if they never match."""

import datetime as datetimes
from collections.abc import Sequence
from datetime import date, datetime, time
from itertools import takewhile
from types import SimpleNamespace
from typing import Any

import pytest
from dateutil import rrule
from hypothesis import given, settings
from hypothesis import strategies as st

from schoolgate.calendars.recurrence import Recurrence, parse_recurrence
from schoolgate.core.timetable import NotationError, Span

WINDOW = Span(date(2025, 9, 1), date(2028, 8, 31))
DAYS = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]
NUMBERED = [f"{number}{day}" for number in (1, 2, 5, -1, -2) for day in DAYS]


@st.composite
def rules(draw: st.DrawFn) -> dict[str, Sequence[Any]]:
    frequency = draw(st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]))
    # Of a list with both kinds dateutil takes those days only that are in both.
    numbered = frequency in ("MONTHLY", "YEARLY") and draw(st.booleans())
    weekdays = st.sampled_from(NUMBERED if numbered else DAYS)
    rule: dict[str, Sequence[Any]] = {"FREQ": [frequency]}
    if draw(st.booleans()):
        rule["INTERVAL"] = [draw(st.integers(1, 5))]
    if draw(st.booleans()):
        rule["BYDAY"] = draw(st.lists(weekdays, min_size=1, max_size=3, unique=True))
    if draw(st.booleans()):
        rule["BYMONTH"] = draw(st.lists(st.integers(1, 12), min_size=1, max_size=4, unique=True))
    if frequency != "WEEKLY" and draw(st.booleans()):
        month_days = st.integers(-31, 31).filter(bool)
        rule["BYMONTHDAY"] = draw(st.lists(month_days, min_size=1, max_size=5, unique=True))
    # Of a week dateutil numbers the days from the first occurrence, not from the week's beginning.
    if frequency != "WEEKLY" and len(rule) > 2 and draw(st.booleans()):
        rule["BYSETPOS"] = draw(
            st.lists(st.sampled_from([1, 2, 3, -1, -2]), min_size=1, max_size=2, unique=True)
        )
    if draw(st.booleans()):
        rule["COUNT"] = [draw(st.integers(1, 60))]
    if draw(st.booleans()):
        rule["WKST"] = [draw(st.sampled_from(DAYS))]
    return rule


@settings(max_examples=300, deadline=None)
@given(rules(), st.dates(date(2021, 1, 1), date(2028, 12, 31)))
def test_the_dates_are_those_of_dateutil(rule: dict[str, Sequence[Any]], start: date) -> None:
    text = ";".join(f"{name}={','.join(map(str, values))}" for name, values in rule.items())
    midnight = datetime.combine(start, time())
    with pytest.MonkeyPatch.context() as patch:
        # dateutil looks for what never comes up to this year.
        clock = SimpleNamespace(**{**vars(datetimes), "MAXYEAR": WINDOW.last.year})
        patch.setattr(rrule, "datetime", clock)
        moments = takewhile(
            lambda moment: moment.date() <= WINDOW.last, rrule.rrulestr(text, dtstart=midnight)
        )
        want = [moment.date() for moment in moments if moment.date() in WINDOW]
    assert list(parse_recurrence(rule).dates(start, WINDOW)) == want


@pytest.mark.parametrize(
    "rule",
    [
        {"FREQ": ["DAILY"], "BYMONTH": [2], "BYMONTHDAY": [30]},
        {"FREQ": ["DAILY"], "INTERVAL": [7], "BYDAY": ["TU"]},
        {"FREQ": ["YEARLY"], "BYMONTH": [2], "BYMONTHDAY": [30]},
        {"FREQ": ["YEARLY"], "INTERVAL": [1000], "BYMONTH": [2], "BYMONTHDAY": [29], "COUNT": [9]},
        {"FREQ": ["MONTHLY"], "BYSETPOS": [300]},
    ],
)
def test_a_rule_that_never_matches_ends(rule: dict[str, Sequence[Any]]) -> None:
    """dateutil goes on to the year 9999, for seconds each."""
    looked = 0
    original = Recurrence._fits

    def counted(self: Recurrence, day: date, start: date) -> bool:
        nonlocal looked
        looked += 1
        return original(self, day, start)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Recurrence, "_fits", counted)
        assert not list(parse_recurrence(rule).dates(date(2021, 9, 6), WINDOW))
    assert looked < 8 * 366


@pytest.mark.parametrize(
    ("rule", "want"),
    [
        ({"FREQ": ["SECONDLY"]}, "repeats 'SECONDLY'"),
        ({"FREQ": ["MINUTELY"]}, "repeats 'MINUTELY'"),
        ({"FREQ": ["HOURLY"]}, "repeats 'HOURLY'"),
        ({}, "has a rule of recurrence without FREQ"),
        ({"FREQ": ["DAILY"], "BYHOUR": [1]}, "repeats by 'BYHOUR', which is not understood"),
        ({"FREQ": ["YEARLY"], "BYWEEKNO": [1]}, "repeats by 'BYWEEKNO', which is not understood"),
        ({"FREQ": ["DAILY"], "INTERVAL": [0]}, "INTERVAL is '0'"),
        ({"FREQ": ["DAILY"], "INTERVAL": [10**30]}, f"INTERVAL is '{10**30}'"),
        ({"FREQ": ["DAILY"], "COUNT": [-1]}, "COUNT is '-1'"),
        ({"FREQ": ["DAILY"], "COUNT": [1], "UNTIL": [date(2026, 1, 1)]},
         "has both a COUNT and an UNTIL"),
        ({"FREQ": ["WEEKLY"], "BYDAY": ["2MO"]}, "numbers the weekdays of a rule that repeats 'WEEKLY'"),
        ({"FREQ": ["MONTHLY"], "BYDAY": ["99MO"]}, "'99MO' is no weekday of a rule"),
        ({"FREQ": ["MONTHLY"], "BYDAY": ["XX"]}, "'XX' is no weekday of a rule"),
        ({"FREQ": ["MONTHLY"], "BYMONTHDAY": [32]}, "BYMONTHDAY is '32'"),
        ({"FREQ": ["YEARLY"], "BYMONTH": ["5L"]}, "BYMONTH is '5L'"),
    ],
)  # fmt: skip
def test_a_rule_that_is_not_one_of_dates_is_refused(
    rule: dict[str, Sequence[Any]], want: str
) -> None:
    with pytest.raises(NotationError) as caught:
        parse_recurrence(rule)
    assert str(caught.value) == want


def test_a_count_from_long_ago_is_refused() -> None:
    rule = parse_recurrence({"FREQ": ["DAILY"], "COUNT": [100_000]})
    with pytest.raises(NotationError, match="counts occurrences since 1970-01-01"):
        list(rule.dates(date(1970, 1, 1), WINDOW))


def test_a_rule_from_long_ago_without_a_count_is_taken_up_where_it_matters() -> None:
    rule = parse_recurrence({"FREQ": ["WEEKLY"]})
    assert next(iter(rule.dates(date(1970, 1, 5), WINDOW))) == date(2025, 9, 1)
