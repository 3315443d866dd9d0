"""What a date is to a school, and in which week of the timetable it lies."""

from datetime import date

import pytest

from schoolgate.core.timetable import DayKind, SchoolCalendar, Span, Term, Weeks

AUTUMN = Term(
    "Autumn",
    Span(date(2026, 9, 2), date(2026, 12, 18)),
    Span(date(2026, 10, 26), date(2026, 10, 30)),
)
SPRING = Term("Spring", Span(date(2027, 1, 4), date(2027, 3, 24)))
YEAR = SchoolCalendar(
    terms=(AUTUMN, SPRING),
    inset=frozenset({date(2026, 9, 1), date(2026, 9, 2)}),
    closed=frozenset({date(2026, 12, 25), date(2027, 2, 1)}),
    holidays=frozenset({date(2027, 2, 15)}),
    planned=frozenset({date(2027, 4, 1), date(2027, 2, 16)}),
)


@pytest.mark.parametrize(
    ("day", "want"),
    [
        (date(2026, 9, 1), DayKind.INSET),
        (date(2026, 9, 2), DayKind.INSET),
        (date(2026, 9, 3), DayKind.SCHOOL),
        (date(2026, 9, 5), DayKind.SCHOOL),  # a Saturday in term
        (date(2026, 10, 25), DayKind.SCHOOL),
        (date(2026, 10, 26), DayKind.HOLIDAY),
        (date(2026, 10, 30), DayKind.HOLIDAY),
        (date(2026, 10, 31), DayKind.SCHOOL),
        (date(2026, 12, 18), DayKind.SCHOOL),
        (date(2026, 12, 19), DayKind.HOLIDAY),
        (date(2026, 12, 25), DayKind.CLOSED),
        (date(2027, 2, 1), DayKind.CLOSED),
        (date(2027, 2, 15), DayKind.HOLIDAY),
        (date(2027, 2, 16), DayKind.SCHOOL),
        (date(2027, 4, 1), DayKind.SCHOOL),  # a plan outside every term
        (date(2030, 1, 1), DayKind.HOLIDAY),
    ],
)
def test_what_a_date_is(day: date, want: DayKind) -> None:
    assert YEAR.kind(day) is want


def test_without_terms_every_day_is_in_term() -> None:
    calendar = SchoolCalendar(closed=frozenset({date(2024, 2, 29)}))
    assert calendar.kind(date(2024, 2, 28)) is DayKind.SCHOOL
    assert calendar.kind(date(2024, 2, 29)) is DayKind.CLOSED


def week(day: date, *firsts: date, skip: bool = False) -> str | None:
    calendar = SchoolCalendar(terms=(AUTUMN, SPRING), weeks=Weeks(("A", "B"), firsts, skip))
    return calendar.week(day)


FIRST = date(2026, 9, 7)


@pytest.mark.parametrize(
    ("day", "calendar_weeks", "school_weeks"),
    [
        (date(2026, 8, 31), "B", "B"),
        (date(2026, 9, 6), "B", "B"),
        (date(2026, 9, 7), "A", "A"),
        (date(2026, 9, 13), "A", "A"),
        (date(2026, 9, 14), "B", "B"),
        (date(2026, 10, 19), "A", "A"),
        (date(2026, 10, 26), "B", "B"),  # half term: as the next week that counts
        (date(2026, 11, 2), "A", "B"),
        (date(2026, 12, 14), "A", "B"),
        (date(2026, 12, 21), "B", "A"),
        (date(2027, 1, 4), "B", "A"),
        (date(2027, 1, 11), "A", "B"),
    ],
)
def test_weeks_alternate_over_all_weeks_or_over_school_weeks(
    day: date, calendar_weeks: str, school_weeks: str
) -> None:
    assert week(day, FIRST) == calendar_weeks
    assert week(day, FIRST, skip=True) == school_weeks


def test_the_first_may_be_any_day_of_its_week() -> None:
    for number in range(7, 14):
        assert week(date(2026, 9, 9), date(2026, 9, number)) == "A"


def test_the_order_begins_anew_in_the_week_of_each_first() -> None:
    firsts = (FIRST, date(2027, 1, 4))
    assert week(date(2027, 1, 4), *firsts) == "A"
    assert week(date(2026, 12, 28), *firsts) == "A"
    assert week(date(2027, 1, 11), *firsts) == "B"
    assert week(date(2026, 8, 31), *firsts) == "B"


def test_a_week_of_inset_days_alone_does_not_count() -> None:
    inset = frozenset({date(2026, 9, number) for number in range(14, 19)})
    calendar = SchoolCalendar((AUTUMN,), inset, weeks=Weeks(("A", "B"), (FIRST,), True))
    assert calendar.week(date(2026, 9, 21)) == "B"


def test_a_week_of_holiday_counts_if_one_day_of_it_has_a_plan() -> None:
    planned = frozenset({date(2027, 3, 31)})
    calendar = SchoolCalendar((SPRING,), planned=planned, weeks=Weeks(("A", "B"), (FIRST,), True))
    without = SchoolCalendar((SPRING,), weeks=Weeks(("A", "B"), (FIRST,), True))
    assert without.week(date(2027, 4, 5)) != calendar.week(date(2027, 4, 5))


def test_there_may_be_more_than_two_weeks_or_only_one() -> None:
    three = SchoolCalendar(weeks=Weeks(("1", "2", "3"), (FIRST,)))
    days = [date(2026, 8, 24), date(2026, 9, 7), date(2026, 9, 21), date(2026, 9, 28)]
    assert [three.week(day) for day in days] == ["2", "1", "3", "1"]
    assert SchoolCalendar().week(FIRST) is None
