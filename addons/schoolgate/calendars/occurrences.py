"""An event of an iCalendar file and when it takes place."""

import difflib
import re
import zoneinfo
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import icalendar

from schoolgate.calendars.recurrence import Recurrence, parse_recurrence
from schoolgate.calendars.structure import EventLines
from schoolgate.core.errors import ConfigurationError, Fault
from schoolgate.core.timetable import NotationError, Span

MAX_DATES = 2_000
"""Dates added to or taken from a rule."""

# Further away a date is a mistake, and arithmetic with zones has no room.
_YEARS = range(1970, 2101)

# What each property may be; a line can claim to be of any type.
_TYPES = {
    "DTSTART": icalendar.vDDDTypes,
    "DTEND": icalendar.vDDDTypes,
    "RECURRENCE-ID": icalendar.vDDDTypes,
    "DURATION": icalendar.vDuration | icalendar.vDDDTypes,
    "RRULE": icalendar.vRecur,
    "RDATE": icalendar.vDDDLists,
    "EXDATE": icalendar.vDDDLists,
    "CATEGORIES": icalendar.vCategory,
}
# ";TZID=/their.example/20260101/Europe/London", which RFC 5545 lets each maker define.
_MAKERS_ZONE = re.compile(r'([^:"]*;TZID=)"?(/[^":;,]+)"?', re.IGNORECASE)

type Moment = date | datetime


@dataclass(frozen=True, slots=True)
class Event:
    """An event, its times in zones that exist; an event of whole days has dates.

    Attributes:
        line: where it begins.
        uid: what its changed occurrences have in common with it.
        summary, categories: what it is called.
        start: of the first occurrence.
        length: of each; whole days for dates.
        rule, until: how it repeats, and the last moment at which it may begin.
        added: further occurrences, each with its length.
        dropped: beginnings at which it does not take place.
        replaces: for a changed occurrence, when it would have begun.
        cancelled: it does not take place.
    """

    line: int
    uid: str
    summary: str
    categories: tuple[str, ...]
    start: Moment
    length: timedelta
    rule: Recurrence | None = None
    until: Moment | None = None
    added: tuple[tuple[Moment, timedelta], ...] = ()
    dropped: frozenset[Moment] = frozenset()
    replaces: Moment | None = None
    cancelled: bool = False

    def occurrences(
        self, window: Span, replaced: Collection[Moment]
    ) -> Iterator[tuple[Moment, Moment]]:
        """Give the beginnings and ends that touch the window; ends are exclusive.

        Args:
            window: the dates.
            replaced: beginnings in whose place others stand; of times in UTC.

        Raises:
            NotationError: when they cannot be told within bounds.
        """
        gone = {_key(moment) for moment in self.dropped} | set(replaced)
        given: set[Moment] = set()
        for start, length in (*self._by_rule(window), *self.added):
            key = _key(start)
            if key in given or key in gone or _day(start) in gone:
                continue
            given.add(key)
            end = start + length
            if _day(end) >= window.first and _day(start) <= window.last:
                yield start, end

    def _by_rule(self, window: Span) -> Iterator[tuple[Moment, timedelta]]:
        if self.rule is None:
            yield self.start, self.length
            return
        wide = Span(window.first - self.length - timedelta(days=2), window.last)
        for day in self.rule.dates(_day(self.start), wide):
            start = _at(day, self.start)
            if self.until is not None and _after(start, self.until):
                return
            yield start, self.length


def parse_event(file: str, block: EventLines, zone: ZoneInfo) -> Event:
    """Read the lines of an event; times that name no zone are those of ``zone``.

    Raises:
        ConfigurationError: with its faults.
    """
    return _Reader(file, block, zone).event()


class _Reader:
    def __init__(self, file: str, block: EventLines, zone: ZoneInfo) -> None:
        self._file = file
        self._block = block
        self._zone = zone
        try:
            # Any: the library's own type of a value is the sum of all that there are.
            self._parsed: Any = icalendar.Event.from_ical(self._text())
        # TypeError: of properties that claim to be of another type than theirs.
        except (ValueError, TypeError) as error:
            raise self._refusal(None, f"cannot be read: {_short(error)}") from error
        if self._parsed.errors:
            raise ConfigurationError(
                self._fault(name, f"{name or 'a line'} cannot be read: {_short(problem)}")
                for name, problem in self._parsed.errors
            )
        for name, type_ in _TYPES.items():
            if not all(isinstance(value, type_) for value in _listed(self._parsed.get(name))):
                raise self._refusal(name, f"{name} is of another type")

    def _text(self) -> str:
        """Give the lines for the library, zones of other makers by their plain names."""
        lines = ["BEGIN:VEVENT"]
        for line in self._block.lines:
            found = _MAKERS_ZONE.match(line.text)
            if found is None:
                lines.append(line.text)
                continue
            zone = self._named_zone(line.name, found[2])
            lines.append(f"{found[1]}{zone.key}{line.text[found.end() :]}")
        return "\r\n".join([*lines, "END:VEVENT", ""])

    def event(self) -> Event:
        for name in ("DTSTART", "DTEND", "DURATION", "RRULE", "RECURRENCE-ID", "SUMMARY", "UID"):
            if isinstance(self._parsed.get(name), list):
                raise self._refusal(name, f"gives {name} twice")
        if "EXRULE" in self._parsed:
            message = "takes dates from its rule by another rule"
            raise self._refusal("EXRULE", message, "name the dates")
        start = self._moment("DTSTART")
        if start is None:
            raise self._refusal(None, "has no beginning (DTSTART)")
        length = self._length(start)
        rule, until = self._rule(start)
        replaces = self._moment("RECURRENCE-ID")
        if replaces is not None and "RANGE" in self._parsed["RECURRENCE-ID"].params:
            message = "changes all occurrences from one on"
            raise self._refusal("RECURRENCE-ID", message, "make two events of it")
        return Event(
            line=self._block.number,
            uid=str(self._parsed.get("UID", "")) or f"line {self._block.number}",
            summary=str(self._parsed.get("SUMMARY", "")).strip(),
            categories=tuple(self._categories()),
            start=start,
            length=length,
            rule=rule,
            until=until,
            added=tuple(self._added(length)),
            dropped=frozenset(moment for moment, _ in self._dates("EXDATE")),
            replaces=None if replaces is None else _key(replaces),
            cancelled=str(self._parsed.get("STATUS", "")).upper() == "CANCELLED",
        )

    def _categories(self) -> Iterator[str]:
        for value in _listed(self._parsed.get("CATEGORIES")):
            yield from (str(category) for category in value.cats)

    def _moment(self, name: str) -> Moment | None:
        value = self._parsed.get(name)
        if value is None:
            return None
        return self._placed(name, value.dt, value.params)

    def _length(self, start: Moment) -> timedelta:
        """Give how long it takes by the clock on the wall."""
        whole_days = not isinstance(start, datetime)
        end = self._moment("DTEND")
        if end is not None:
            if isinstance(end, datetime) and isinstance(start, datetime):
                length = end.astimezone(start.tzinfo) - start
            elif isinstance(end, datetime) or isinstance(start, datetime):
                raise self._refusal(
                    "DTEND", "begins with a date and ends with a time, or otherwise"
                )
            else:
                length = end - start
        elif "DURATION" in self._parsed:
            length = self._parsed["DURATION"].dt
            if not isinstance(length, timedelta):
                raise self._refusal("DURATION", "DURATION is no length of time")
            if whole_days and length % timedelta(days=1):
                raise self._refusal("DURATION", "has dates and lasts less than whole days")
        else:
            length = timedelta()
        if length < timedelta():
            raise self._refusal("DTEND", "ends before it begins")
        if length > timedelta(days=400):
            raise self._refusal("DTEND", "lasts longer than a year")
        # Some programs give one and the same date for a day.
        return max(length, timedelta(days=1)) if whole_days else length

    def _rule(self, start: Moment) -> tuple[Recurrence | None, Moment | None]:
        rule = self._parsed.get("RRULE")
        if rule is None:
            return None, None
        try:
            recurrence = parse_recurrence(rule)
        except NotationError as error:
            raise self._refusal("RRULE", f"{error}", error.hint) from error
        untils = rule.get("UNTIL", ())
        if not untils:
            return recurrence, None
        until = self._placed("RRULE", untils[0], {})
        if isinstance(until, datetime) and not isinstance(start, datetime):
            until = until.date()
        return recurrence, until

    def _added(self, length: timedelta) -> Iterator[tuple[Moment, timedelta]]:
        for moment, own in self._dates("RDATE"):
            yield moment, length if own is None else own

    def _dates(self, name: str) -> Iterator[tuple[Moment, timedelta | None]]:
        """Give the dates of a list, with the lengths of those that have one."""
        lists = _listed(self._parsed.get(name))
        if sum(len(value.dts) for value in lists) > MAX_DATES:
            raise self._refusal(name, f"{name} names more than {MAX_DATES} dates")
        for value in lists:
            for item in value.dts:
                if not isinstance(item.dt, tuple):
                    yield self._placed(name, item.dt, value.params), None
                    continue
                begin, end = item.dt
                start = self._placed(name, begin, value.params)
                if not isinstance(end, timedelta):
                    end = self._placed(name, end, value.params) - start
                yield start, end

    def _placed(self, name: str, moment: Any, params: Any) -> Moment:
        """Give a date, or a time in its zone.

        Raises:
            ConfigurationError: when it is neither, its zone is unknown or it is far away.
        """
        if not isinstance(moment, date):
            raise self._refusal(name, f"{name} is no date")
        if moment.year not in _YEARS:
            raise self._refusal(name, f"{name} lies in the year {moment.year}")
        if not isinstance(moment, datetime) or moment.tzinfo is not None:
            return moment
        named = params.get("TZID")
        return moment.replace(tzinfo=self._zone if named is None else self._named_zone(name, named))

    def _named_zone(self, name: str, tzid: str) -> ZoneInfo:
        known = zoneinfo.available_timezones()
        parts = [part for part in str(tzid).split("/") if part]
        for length in (3, 2):
            candidate = "/".join(parts[-length:])
            if candidate in known:
                return ZoneInfo(candidate)
        close = difflib.get_close_matches(str(tzid)[:60], known, n=1)
        hint = f"did you mean '{close[0]}'?" if close else "write one such as Europe/London"
        raise self._refusal(name, f"unknown time zone '{str(tzid)[:60]}'", hint)

    def _fault(self, name: str | None, message: str, hint: str = "") -> Fault:
        summary = self._block.first("SUMMARY")
        if summary is not None:
            title = summary.text.partition(":")[2][:60]
            message = f"the event '{title}': {message}"
        return Fault(self._file, self._block.line_of(name), message, hint)

    def _refusal(self, name: str | None, message: str, hint: str = "") -> ConfigurationError:
        return ConfigurationError([self._fault(name, message, hint)])


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _day(moment: Moment) -> date:
    return moment.date() if isinstance(moment, datetime) else moment


def _key(moment: Moment) -> Moment:
    """Give one form for a beginning, whatever zone it is written in."""
    return moment.astimezone(UTC) if isinstance(moment, datetime) else moment


def _at(day: date, like: Moment) -> Moment:
    if not isinstance(like, datetime):
        return day
    return datetime.combine(day, time(like.hour, like.minute, like.second), like.tzinfo)


def _after(start: Moment, until: Moment) -> bool:
    if isinstance(start, datetime) and isinstance(until, datetime):
        return start > until
    # An end that is only a date holds to the end of that day.
    return _day(start) > _day(until)


def _short(problem: object) -> str:
    return str(problem).partition("\n")[0][:120]
