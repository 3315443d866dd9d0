"""Which week and which term have ended, so that a report of them is due."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from schoolgate.core.timetable.calendar import Span, Term

SCHOOL = ZoneInfo("Europe/London")
_A_DAY, _A_WEEK = timedelta(days=1), timedelta(days=7)
# Of a policy without terms: thirds of the year, holidays included.
_USUAL = (("Autumn", 9, 12), ("Spring", 1, 4), ("Summer", 5, 8))
_DECEMBER = 12


@dataclass(frozen=True, slots=True)
class Period:
    """A span of days of which there is one report.

    Attributes:
        id: ``2026-W47`` (ISO 8601), or ``2026-09-02 Autumn`` with the first day of a term.
        title: for people.
        span: its days.
    """

    id: str
    title: str
    span: Span


def last_week(now: datetime, hour: int) -> Period:
    """Give the last week, Monday to Sunday, that has ended.

    Args:
        now: aware.
        hour: of the Monday after, from which on it counts as ended, in school time.
    """
    today = _counted(now, hour)
    monday = today - timedelta(days=today.weekday()) - _A_WEEK
    year, week, _ = monday.isocalendar()
    span = Span(monday, monday + 6 * _A_DAY)
    return Period(f"{year}-W{week:02}", f"week from {_said(span)}", span)


def last_term(now: datetime, hour: int, terms: Sequence[Term] = ()) -> Period:
    """Give the last term that has ended.

    Args:
        now: aware.
        hour: of the day after its last, from which on it counts as ended, in school time.
        terms: of the school; where none of them has ended, thirds of the year stand in for them.
    """
    today = _counted(now, hour)
    ended = [one for one in terms if one.span.last < today] or [
        one
        for year in (today.year - 1, today.year)
        for one in _thirds(year)
        if one.span.last < today
    ]
    last = max(ended, key=lambda one: one.span.last)
    first = last.span.first
    return Period(
        f"{first:%Y-%m-%d} {last.name}", f"{last.name} term, {_said(last.span)}", last.span
    )


def _counted(now: datetime, hour: int) -> date:
    """Give today; before the hour still yesterday."""
    here = now.astimezone(SCHOOL)
    return here.date() if here.time() >= time(hour) else here.date() - _A_DAY


def _thirds(year: int) -> list[Term]:
    return [
        Term(name, Span(date(year, first, 1), _last_day(year, last)))
        for name, first, last in _USUAL
    ]


def _last_day(year: int, month: int) -> date:
    after = date(year + 1, 1, 1) if month == _DECEMBER else date(year, month + 1, 1)
    return after - _A_DAY


def _said(span: Span) -> str:
    return f"{span.first.day} {span.first:%B} to {span.last.day} {span.last:%B %Y}"
