"""The dates of a rule of recurrence (RFC 5545, 3.3.10), worked out within bounds.

A rule that never matches, such as each 30 February, must not be followed to the year 9999: each day
up to the end of the window is looked at once at most. Rules by the hour, week number or day of the
year are refused.
"""

from calendar import isleap, monthrange
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from schoolgate.core.timetable import NotationError, Span

MAX_INTERVAL = 1_000
MAX_COUNTED_YEARS = 5

_WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_ALLOWED = frozenset(
    {"FREQ", "INTERVAL", "COUNT", "UNTIL", "BYDAY", "BYMONTHDAY", "BYMONTH", "BYSETPOS", "WKST"}
)
_WRITE_OUT = "write the dates out in the policy file"


@dataclass(frozen=True, slots=True)
class Recurrence:
    """A rule of dates; the time of day is the first occurrence's.

    Attributes:
        frequency: DAILY, WEEKLY, MONTHLY or YEARLY.
        interval: every how many of these.
        count: how many occurrences at most; 0 is without an end.
        weekdays: (number within the month or year, or 0; Monday is 0).
        month_days, months, positions: negative days and positions count from the end.
        week_start: the weekday with which weeks begin.
    """

    frequency: str
    interval: int = 1
    count: int = 0
    weekdays: tuple[tuple[int, int], ...] = ()
    month_days: tuple[int, ...] = ()
    months: tuple[int, ...] = ()
    positions: tuple[int, ...] = ()
    week_start: int = 0

    def dates(self, start: date, window: Span) -> Iterator[date]:
        """Give the dates from the first occurrence on that lie in the window, ascending.

        Raises:
            NotationError: when it counts occurrences from a date too long ago.
        """
        if self.count and (window.first - start).days > MAX_COUNTED_YEARS * 366:
            message = f"counts occurrences since {start}"
            raise NotationError(message, "give the event an end date instead")
        given = 0
        number = 0 if self.count else self._steps_before(start, window.first)
        while True:
            first, last = self._period(start, number)
            if first > window.last:
                return
            for day in self._chosen(start, first, last):
                given += 1
                if day > window.last or (self.count and given > self.count):
                    return
                if day >= window.first:
                    yield day
            number += 1

    def _steps_before(self, start: date, first: date) -> int:
        """Give a number of intervals that end before the window, or with it."""
        days = {"DAILY": 1, "WEEKLY": 7, "MONTHLY": 31, "YEARLY": 366}[self.frequency]
        return max(0, (first - start).days // (days * self.interval))

    def _period(self, start: date, number: int) -> tuple[date, date]:
        """Give the first and last day of the n-th day, week, month or year that the rule looks at."""
        step = number * self.interval
        match self.frequency:
            case "DAILY":
                day = start + timedelta(days=step)
                return day, day
            case "WEEKLY":
                monday = start - timedelta(days=(start.weekday() - self.week_start) % 7)
                first = monday + timedelta(weeks=step)
                return first, first + timedelta(days=6)
            case "MONTHLY":
                year, month = divmod(start.year * 12 + start.month - 1 + step, 12)
                return date(year, month + 1, 1), date(
                    year, month + 1, monthrange(year, month + 1)[1]
                )
            case _:
                return date(start.year + step, 1, 1), date(start.year + step, 12, 31)

    def _chosen(self, start: date, first: date, last: date) -> Iterator[date]:
        days = [day for day in Span(first, last) if self._fits(day, start)]
        if self.positions:
            places = {p - 1 if p > 0 else len(days) + p for p in self.positions}
            days = [day for place, day in enumerate(days) if place in places]
        return (day for day in days if day >= start)

    def _fits(self, day: date, start: date) -> bool:
        months = self.months
        month_days = self.month_days
        weekdays = self.weekdays
        if not (month_days or weekdays):
            match self.frequency:
                case "WEEKLY":
                    weekdays = ((0, start.weekday()),)
                case "MONTHLY":
                    month_days = (start.day,)
                case "YEARLY":
                    month_days = (start.day,)
                    months = months or (start.month,)
        if months and day.month not in months:
            return False
        if month_days and day.day not in month_days:
            # Those below zero count from the end of the month: -1 is its last day.
            backwards = day.day - monthrange(day.year, day.month)[1] - 1
            if backwards not in month_days:
                return False
        return not weekdays or any(self._is(day, *weekday) for weekday in weekdays)

    def _is(self, day: date, nth: int, weekday: int) -> bool:
        if day.weekday() != weekday:
            return False
        if nth == 0:
            return True
        if self.frequency == "YEARLY" and not self.months:
            place = day.timetuple().tm_yday
            length = 366 if isleap(day.year) else 365
        else:
            place = day.day
            length = monthrange(day.year, day.month)[1]
        return nth in ((place - 1) // 7 + 1, -((length - place) // 7 + 1))


def parse_recurrence(rule: Mapping[str, Sequence[Any]]) -> Recurrence:
    """Give the rule of an event, whose parts are lists of values as the iCalendar library has them.

    Raises:
        NotationError: when it is not a rule of dates, or not one that is understood.
    """
    for name in rule:
        if name.upper() not in _ALLOWED:
            raise NotationError(f"repeats by '{name}', which is not understood", _WRITE_OUT)
    if not rule.get("FREQ"):
        raise NotationError("has a rule of recurrence without FREQ")
    frequency = str(rule["FREQ"][0])
    if frequency not in ("DAILY", "WEEKLY", "MONTHLY", "YEARLY"):
        raise NotationError(f"repeats '{frequency}'", "a day of school repeats daily at most")
    if "COUNT" in rule and "UNTIL" in rule:
        raise NotationError("has both a COUNT and an UNTIL")
    weekdays = tuple(_nth_weekday(str(value)) for value in rule.get("BYDAY", ()))
    if any(nth for nth, _ in weekdays) and frequency not in ("MONTHLY", "YEARLY"):
        raise NotationError(f"numbers the weekdays of a rule that repeats '{frequency}'")
    return Recurrence(
        frequency,
        _numbers(rule, "INTERVAL", 1, MAX_INTERVAL)[0] if "INTERVAL" in rule else 1,
        _numbers(rule, "COUNT", 1, 100_000)[0] if "COUNT" in rule else 0,
        weekdays,
        _numbers(rule, "BYMONTHDAY", -31, 31),
        _numbers(rule, "BYMONTH", 1, 12),
        _numbers(rule, "BYSETPOS", -366, 366),
        _nth_weekday(str(_one(rule, "WKST", "MO")))[1],
    )


def _one(rule: Mapping[str, Sequence[Any]], name: str, otherwise: str) -> Any:
    values = rule.get(name) or (otherwise,)
    return values[0]


def _numbers(
    rule: Mapping[str, Sequence[Any]], name: str, lowest: int, highest: int
) -> tuple[int, ...]:
    numbers: list[int] = []
    for value in rule.get(name, ()):
        try:
            number = int(value)
        except ValueError:
            number = 0
        if number == 0 or not lowest <= number <= highest:
            raise NotationError(f"{name} is '{value}'", f"from {lowest} to {highest}, without 0")
        numbers.append(number)
    if name in rule and not numbers:
        raise NotationError(f"{name} is empty")
    return tuple(numbers)


def _nth_weekday(text: str) -> tuple[int, int]:
    number, name = text[:-2], text[-2:].upper()
    try:
        nth = int(number) if number else 0
    except ValueError:
        nth = 99
    if name not in _WEEKDAYS or abs(nth) > 53 or (number and not nth):
        raise NotationError(f"'{text[:40]}' is no weekday of a rule")
    return nth, _WEEKDAYS.index(name)
