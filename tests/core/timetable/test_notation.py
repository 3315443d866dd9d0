"""How times, ranges and weekdays are written, and what is said of what is not."""

import pytest

from schoolgate.core.timetable import (
    NotationError,
    clock,
    parse_days,
    parse_minute,
    parse_range,
    plain_range,
)


@pytest.mark.parametrize(
    ("text", "want"),
    [("00:00", 0), ("09:00", 540), ("13:05", 785), ("23:59", 1439)],
)
def test_a_time_is_minutes_after_midnight(text: str, want: int) -> None:
    assert parse_minute(text) == want
    assert clock(want) == text


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("9.00", "write '09:00'"),
        ("9:00", "write '09:00'"),
        ("0900", "write '09:00'"),
        ("9am", "write '09:00'"),
        ("1.30 p.m.", "write '13:30'"),
        ("12:15am", "write '00:15'"),
        ("1:30", "write '01:30' or '13:30'"),
        ("25:00", "write it as '09:00'"),
        ("12:60", "write it as '09:00'"),
        ("24:01", "write it as '09:00'"),
        ("24:00", "the day begins at '00:00'"),
        ("09:00 ", "write '09:00'"),
        ("\u0660\u0669:\u0660\u0660", "write it as '09:00'"),
        ("-1:00", "write it as '09:00'"),
        ("", "write it as '09:00'"),
        ("noon", "write it as '09:00'"),
    ],
)
def test_what_is_no_time_is_told_how_to_write_one(text: str, hint: str) -> None:
    with pytest.raises(NotationError) as caught:
        parse_minute(text)
    assert caught.value.hint == hint


def test_midnight_can_end_a_day() -> None:
    assert parse_minute("24:00", end=True) == 1440
    assert clock(1440) == "24:00"
    assert clock(1440 + 375) == "06:15"


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("09:00-10:30", (540, 630)),
        (" 09:00 – 10:30 ", (540, 630)),
        ("00:00-24:00", (0, 1440)),
        ("22:00-06:00", (1320, 360)),
    ],
)
def test_a_range_is_read_as_written(text: str, want: tuple[int, int]) -> None:
    assert parse_range(text) == want


@pytest.mark.parametrize(
    "text", ["", "09:00", "09:00-10:00-11:00", "09:00 to 10:00", "24:00-01:00"]
)
def test_what_is_no_range_is_refused(text: str) -> None:
    with pytest.raises(NotationError):
        parse_range(text)


@pytest.mark.parametrize(
    ("start", "end", "overnight", "want"),
    [
        (540, 630, False, (540, 630)),
        (540, 630, True, (540, 630)),
        (0, 1440, False, (0, 1440)),
        (1320, 360, True, (1320, 1800)),
        (1320, 0, True, (1320, 1440)),
        (1320, 360, False, "'22:00-06:00' ends before it starts"),
        (540, 540, True, "'09:00-09:00' is empty"),
        (0, 0, False, "'00:00-00:00' is empty"),
    ],
)
def test_a_range_ends_after_it_starts(
    start: int, end: int, overnight: bool, want: tuple[int, int] | str
) -> None:
    if isinstance(want, str):
        with pytest.raises(NotationError) as caught:
            plain_range(start, end, overnight=overnight)
        assert str(caught.value) == want
    else:
        assert plain_range(start, end, overnight=overnight) == want


@pytest.mark.parametrize(
    ("text", "days", "week"),
    [
        ("mon", {0}, ""),
        ("Monday", {0}, ""),
        ("thurs", {3}, ""),
        ("mon-thu", {0, 1, 2, 3}, ""),
        ("mon – fri", {0, 1, 2, 3, 4}, ""),
        ("sun-thu", {6, 0, 1, 2, 3}, ""),
        ("mon,wed-fri", {0, 2, 3, 4}, ""),
        ("mon, wed", {0, 2}, ""),
        ("daily", {0, 1, 2, 3, 4, 5, 6}, ""),
        ("weekdays B", {0, 1, 2, 3, 4}, "B"),
        ("weekend", {5, 6}, ""),
        ("mon-fri A", {0, 1, 2, 3, 4}, "A"),
        ("fri  Week2", {4}, "Week2"),
    ],
)
def test_weekdays_and_the_week(text: str, days: set[int], week: str) -> None:
    assert parse_days(text) == (frozenset(days), week)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("mond", "did you mean 'mon'?"),
        ("mon-fry", "did you mean 'friday'?"),
        ("xyz", "write mon, tue, wed, thu, fri, sat or sun"),
        ("", "write mon, tue, wed, thu, fri, sat or sun"),
        ("mon,", "write mon, tue, wed, thu, fri, sat or sun"),
        ("mon wed", "write 'mon,wed'"),
    ],
)
def test_what_is_no_weekday_is_told_so(text: str, hint: str) -> None:
    with pytest.raises(NotationError) as caught:
        parse_days(text)
    assert caught.value.hint == hint
