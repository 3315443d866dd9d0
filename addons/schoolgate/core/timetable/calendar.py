"""Which kind of day a date is, and which week of a timetable with several."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from functools import cached_property


class DayKind(StrEnum):
    """What a date is to the school; a period is held on the kinds that it names."""

    SCHOOL = "school"
    INSET = "inset"
    HOLIDAY = "holiday"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Span:
    """Dates from the first to the last, both counted."""

    first: date
    last: date

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last

    def __iter__(self) -> Iterator[date]:
        for number in range((self.last - self.first).days + 1):
            yield self.first + timedelta(days=number)


@dataclass(frozen=True, slots=True)
class Term:
    """A term, and what lies in it and is holiday."""

    name: str
    span: Span
    half_term: Span | None = None


@dataclass(frozen=True, slots=True)
class Weeks:
    """The weeks of a timetable that alternate, each from Monday to Sunday.

    Attributes:
        names: in their order, e.g. ``("A", "B")``.
        firsts: dates in whose weeks the order begins anew; ascending, at least one. Before the
            earliest the order is counted backwards from it.
        skip_holidays: the order moves on over school weeks only: those in which a day from Monday
            to Friday is a school day. A week that does not count has the name of the next that does.
    """

    names: tuple[str, ...]
    firsts: tuple[date, ...]
    skip_holidays: bool = False


@dataclass(frozen=True, eq=False)
class SchoolCalendar:
    """The dates of a school.

    Attributes:
        terms: that do not overlap; without any, every day is in term.
        inset: INSET days.
        closed: days on which the school is closed; more than INSET.
        holidays: days within terms that are holiday, besides the half terms.
        planned: days with a plan of their own: school days, whatever else they would be.
        weeks: for timetables of several weeks.
    """

    terms: tuple[Term, ...] = ()
    inset: frozenset[date] = frozenset()
    closed: frozenset[date] = frozenset()
    holidays: frozenset[date] = frozenset()
    planned: frozenset[date] = frozenset()
    weeks: Weeks | None = None

    def kind(self, day: date) -> DayKind:
        """Give what a date is; the weekday does not matter."""
        if day in self.planned:
            return DayKind.SCHOOL
        if day in self.closed:
            return DayKind.CLOSED
        if day in self.inset:
            return DayKind.INSET
        return DayKind.SCHOOL if self._in_term(day) else DayKind.HOLIDAY

    def week(self, day: date) -> str | None:
        """Give the name of the week in which a date lies, or nothing where all weeks are alike."""
        if self.weeks is None:
            return None
        monday = _monday(day)
        firsts = [_monday(first) for first in self.weeks.firsts]
        first = firsts[max(0, bisect_right(firsts, monday) - 1)]
        if self.weeks.skip_holidays:
            counted = self._school_weeks
            passed = bisect_left(counted, monday) - bisect_left(counted, first)
        else:
            passed = (monday - first).days // 7
        return self.weeks.names[passed % len(self.weeks.names)]

    def _in_term(self, day: date) -> bool:
        if day in self.holidays:
            return False
        if not self.terms:
            return True
        for term in self.terms:
            if day in term.span:
                return term.half_term is None or day not in term.half_term
        return False

    @cached_property
    def _school_weeks(self) -> tuple[date, ...]:
        """The Mondays of the weeks that count."""
        days = {day for term in self.terms for day in term.span} | self.planned
        return tuple(
            sorted(
                {
                    _monday(day)
                    for day in days
                    if day.weekday() < 5 and self.kind(day) is DayKind.SCHOOL
                }
            )
        )


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())
