"""Which week and term have ended: on the hour, in the zone of the school, without a gap."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schoolgate.core.timetable.calendar import Span, Term
from schoolgate.services.regular_periods import last_term, last_week

START = datetime(2024, 1, 1, tzinfo=UTC)
TERMS = (
    Term("Autumn", Span(date(2026, 9, 2), date(2026, 12, 18))),
    Term("Spring", Span(date(2027, 1, 4), date(2027, 3, 25))),
)


@pytest.mark.parametrize(
    ("now", "id_", "first"),
    [
        (datetime(2026, 11, 22, 23, tzinfo=UTC), "2026-W46", date(2026, 11, 9)),
        (datetime(2026, 11, 23, 6, 59, tzinfo=UTC), "2026-W46", date(2026, 11, 9)),
        (datetime(2026, 11, 23, 7, 0, tzinfo=UTC), "2026-W47", date(2026, 11, 16)),
        (datetime(2026, 11, 29, 23, 0, tzinfo=UTC), "2026-W47", date(2026, 11, 16)),
        # Summer time: seven o'clock in London is six in UTC.
        (datetime(2026, 7, 6, 6, 0, tzinfo=UTC), "2026-W27", date(2026, 6, 29)),
        (datetime(2027, 1, 4, 7, 0, tzinfo=UTC), "2026-W53", date(2026, 12, 28)),
    ],
)
def test_a_week_ends_on_monday_at_the_hour(now: datetime, id_: str, first: date) -> None:
    found = last_week(now, 7)
    assert (found.id, found.span) == (id_, Span(first, first + timedelta(days=6)))


@pytest.mark.parametrize(
    ("day", "terms", "id_"),
    [
        (date(2026, 12, 18), TERMS, "2026-05-01 Summer"),
        (date(2026, 12, 19), TERMS, "2026-09-02 Autumn"),
        (date(2027, 3, 25), TERMS, "2026-09-02 Autumn"),
        (date(2027, 3, 26), TERMS, "2027-01-04 Spring"),
        (date(2026, 12, 31), (), "2026-05-01 Summer"),
        (date(2027, 1, 1), (), "2026-09-01 Autumn"),
        (date(2027, 9, 1), (), "2027-05-01 Summer"),
    ],
)
def test_a_term_ends_the_day_after_its_last(day: date, terms: tuple[Term, ...], id_: str) -> None:
    assert last_term(datetime(day.year, day.month, day.day, 12, tzinfo=UTC), 7, terms).id == id_


@given(
    st.integers(0, 2_000 * 24).map(lambda hours: START + timedelta(hours=hours)),
    st.integers(0, 23),
)
def test_weeks_follow_each_other_without_a_gap(now: datetime, hour: int) -> None:
    before, after = last_week(now, hour), last_week(now + timedelta(days=7), hour)
    assert before.span.last < now.date() + timedelta(days=1)
    assert (after.span.first - before.span.last).days == 1
    assert before.id != after.id
