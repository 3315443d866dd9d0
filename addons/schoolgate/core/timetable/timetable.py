"""Which period it is now, and when that changes."""

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from schoolgate.core.timetable.calendar import DayKind, SchoolCalendar
from schoolgate.core.timetable.notation import DAY_MINUTES, clock

HORIZON_DAYS = 2 * 366
"""How far `Timetable.next_change` looks."""

_DAY = 86_400
_EPOCH = date(1970, 1, 1).toordinal()
_KEPT_DAYS = 8


@dataclass(frozen=True, slots=True)
class Place:
    """Where something was written down; lines count from 1, 0 is the whole file."""

    file: str
    line: int


@dataclass(frozen=True, slots=True)
class Range:
    """A time at which a period is held.

    Attributes:
        period: its id.
        start: minutes after the midnight at which the day begins.
        end: the first minute that no longer belongs to it; above 1440 where it passes midnight.
        place: where it was written down.
    """

    period: str
    start: int
    end: int
    place: Place = Place("", 0)

    def __str__(self) -> str:
        """Give the range as people write it: ``09:00-10:30``."""
        return f"{clock(self.start)}-{clock(self.end)}"


# Seconds since the epoch at which a period begins, ascending, and those periods.
type _Segments = tuple[list[int], list[str | None]]


@dataclass(frozen=True, eq=False)
class Timetable:
    """A school's periods; immutable, and safe to ask from several threads.

    Times are compared by the clock on the wall of the school's zone. So of the hour that comes twice
    in autumn both passes belong to a range, and a range that begins in the hour left out in spring
    begins at its end.

    Attributes:
        periods: id → title.
        held: id → the kinds of days on which a period is held.
        weekly: (weekday, name of the week or None for every week) → ranges.
        dated: ranges of single dates, held as the weekly ones are.
        plans: the whole of a date's ranges, instead of all the others that begin on it.
        early_closing: date → minutes after midnight; cuts what is not held on closed days too.
        groups: a short name → the periods that it stands for.
        calendar: which date is which kind of day.
        zone: the school's time zone.
    """

    periods: Mapping[str, str]
    held: Mapping[str, frozenset[DayKind]]
    weekly: Mapping[tuple[int, str | None], tuple[Range, ...]]
    dated: Mapping[date, tuple[Range, ...]] = field(default_factory=dict)
    plans: Mapping[date, tuple[Range, ...]] = field(default_factory=dict)
    early_closing: Mapping[date, int] = field(default_factory=dict)
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    calendar: SchoolCalendar = field(default_factory=SchoolCalendar)
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("Europe/London"))
    # What was worked out: the stretch asked for last, the last few days, the ordinary days.
    _latest: tuple[float, float, str | None] = field(
        default=(0.0, 0.0, None), init=False, repr=False
    )
    _days: dict[int, _Segments] = field(default_factory=dict, init=False, repr=False)
    _ordinary: dict[tuple[DayKind, str | None, int], tuple[Range, ...]] = field(
        default_factory=dict, init=False, repr=False
    )

    def period_at(self, now: datetime) -> str | None:
        """Give the id of the period at an instant, or None.

        Raises:
            ValueError: when the time names no zone.
        """
        if now.tzinfo is None:
            raise ValueError("a time without a zone is no instant")
        instant = now.timestamp()
        begin, end, period = self._latest
        if begin <= instant < end:
            return period
        return self._look_up(instant)

    def next_change(self, now: datetime) -> datetime | None:
        """Give the first instant after ``now`` (UTC) at which `period_at` gives something else.

        None when there is none within `HORIZON_DAYS`.

        Raises:
            ValueError: when the time names no zone.
        """
        period = self.period_at(now)
        instant = now.timestamp()
        today = int(instant // _DAY)
        for number in range(today, min(today + HORIZON_DAYS, self._last_day) + 1):
            for begin, then in zip(*self._segments(number), strict=True):
                if begin > instant and then != period:
                    return datetime.fromtimestamp(begin, UTC)
        return None

    def day_kind(self, day: date) -> DayKind:
        """Give what a date is to the school."""
        return self.calendar.kind(day)

    def is_term_day(self, day: date) -> bool:
        """Whether a date lies in a term and is no half term, INSET day or closure.

        Of a weekend in term it is true: that no lessons are held is for the times to say.
        """
        return self.calendar.kind(day) is DayKind.SCHOOL

    def spelt_out(self, name: str) -> tuple[str, ...]:
        """Give the periods that a name stands for: those of a group, or the one of this id.

        Raises:
            KeyError: when it names neither.
        """
        if name in self.groups:
            return self.groups[name]
        if name not in self.periods:
            raise KeyError(name)
        return (name,)

    def ranges(self, day: date) -> tuple[Range, ...]:
        """Give the ranges that begin on a date, in their order."""
        planned = self.plans.get(day)
        chosen = self._usual(day) if planned is None else planned
        closing = self.early_closing.get(day)
        if closing is not None:
            chosen = tuple(self._cut(chosen, closing))
        return tuple(sorted(chosen, key=lambda range_: range_.start))

    def overlaps(self, day: date) -> Iterator[tuple[Range, Range]]:
        """Give the pairs of ranges that meet on a date, those of the night before among them."""
        pieces = sorted(self._pieces(day), key=lambda piece: piece[:2])
        for number, (_, end, range_) in enumerate(pieces):
            for other_start, _, other in pieces[number + 1 :]:
                if other_start >= end:
                    break
                yield range_, other

    @cached_property
    def _last_day(self) -> int:
        """The day, counted from the epoch, after which no period begins or ends; it may be far."""
        calendar = self.calendar
        if not calendar.terms or any(DayKind.HOLIDAY in kinds for kinds in self.held.values()):
            return date.max.toordinal() - _EPOCH
        days = (term.span.last for term in calendar.terms)
        last = max(*days, date.min, *calendar.inset, *calendar.closed, *calendar.planned)
        # A night may end on the next date, which in UTC may be yet another.
        return last.toordinal() - _EPOCH + 2

    def _usual(self, day: date) -> tuple[Range, ...]:
        kind, week, weekday = self.calendar.kind(day), self.calendar.week(day), day.weekday()
        key = (kind, week, weekday)
        chosen = self._ordinary.get(key)
        if chosen is None:
            every = self.weekly.get((weekday, None), ())
            this = self.weekly.get((weekday, week), ()) if week is not None else ()
            chosen = self._ordinary[key] = self._held_on(kind, (*every, *this))
        if day in self.dated:
            return (*chosen, *self._held_on(kind, self.dated[day]))
        return chosen

    def _held_on(self, kind: DayKind, ranges: tuple[Range, ...]) -> tuple[Range, ...]:
        return tuple(range_ for range_ in ranges if kind in self.held[range_.period])

    def _cut(self, ranges: tuple[Range, ...], closing: int) -> Iterator[Range]:
        for range_ in ranges:
            if DayKind.CLOSED in self.held[range_.period] or range_.end <= closing:
                yield range_
            elif range_.start < closing:
                yield Range(range_.period, range_.start, closing, range_.place)

    def _pieces(self, day: date) -> Iterator[tuple[int, int, Range]]:
        """Give what holds on a date, in minutes of that date: first the rest of the night before."""
        for range_ in self.ranges(day - timedelta(days=1)):
            if range_.end > DAY_MINUTES:
                yield 0, range_.end - DAY_MINUTES, range_
        for range_ in self.ranges(day):
            yield range_.start, min(range_.end, DAY_MINUTES), range_

    def _look_up(self, instant: float) -> str | None:
        number = int(instant // _DAY)
        segments = self._days.get(number)
        if segments is None:
            segments = self._segments(number)
            if len(self._days) >= _KEPT_DAYS:
                self._days.clear()
            self._days[number] = segments
        begins, periods = segments
        place = bisect_right(begins, instant) - 1
        end = begins[place + 1] if place + 1 < len(begins) else (number + 1) * _DAY
        # One reference is replaced, so that no other thread sees a part of it.
        object.__setattr__(self, "_latest", (begins[place], end, periods[place]))
        return periods[place]

    def _segments(self, number: int) -> _Segments:
        """Work out a day of UTC, counted from the epoch: its stretches of one period or none."""
        begins: list[int] = [number * _DAY]
        periods: list[str | None] = [None]

        def put(begin: int, period: str | None) -> None:
            if begins[-1] == begin:
                periods[-1] = period
            elif periods[-1] != period:
                begins.append(begin)
                periods.append(period)

        for begin, end, offset in self._offsets(number * _DAY, (number + 1) * _DAY):
            wall = begin + offset
            while wall < end + offset:
                midnight = wall - wall % _DAY
                until = min(end + offset, midnight + _DAY)
                put(wall - offset, None)
                for first, last, range_ in self._pieces(date.fromordinal(_EPOCH + wall // _DAY)):
                    start, stop = max(midnight + 60 * first, wall), min(midnight + 60 * last, until)
                    if start < stop:
                        put(start - offset, range_.period)
                        if stop < until:
                            put(stop - offset, None)
                wall = until
        return begins, periods

    def _offsets(self, begin: int, end: int) -> Iterator[tuple[int, int, int]]:
        """Give the stretches of a day of UTC in which the zone's offset (seconds) stays."""
        before, after = self._offset(begin), self._offset(end - 1)
        if before == after:
            yield begin, end, before
            return
        low, high = begin, end - 1
        while high - low > 1:
            middle = (low + high) // 2
            if self._offset(middle) == before:
                low = middle
            else:
                high = middle
        yield begin, high, before
        yield high, end, after

    def _offset(self, instant: int) -> int:
        offset = datetime.fromtimestamp(instant, self.zone).utcoffset()
        return int(offset.total_seconds()) if offset is not None else 0
