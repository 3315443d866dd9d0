"""What the events of an iCalendar file say of a school's days and periods."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from schoolgate.calendars.occurrences import Event, Moment, parse_event
from schoolgate.calendars.structure import EventLines, events_of
from schoolgate.calendars.words import Words
from schoolgate.core.errors import ConfigurationError, Fault
from schoolgate.core.timetable import (
    CalendarSource,
    DayEntry,
    Imported,
    Meaning,
    NotationError,
    Place,
    RangeEntry,
    Span,
)
from schoolgate.documents import read_text

MAX_EVENTS = 2_000
"""Events that may concern the timetable; others are passed over, as many as fit into the file."""
MAX_REPEATING = 500
MAX_OCCURRENCES = 20_000
_MAX_FAULTS = 50
_MAX_UNSURE = 200

# An INSET day may be entered with its hours; a meeting of an hour does not close the school.
_DAY_LASTS = timedelta(hours=4)

# 13:30, 1.30pm, 1pm, noon; no part of a date such as 18.12.2026.
_TIME = re.compile(
    r"(?<![\d.:/-])(?:(\d{1,2})[.:](\d\d)(?:\s*([ap])\.?m\b)?|(\d{1,2})\s*([ap])\.?m\b|(noon|midday)\b)"
    r"(?![.:/-]?\d)",
    re.ASCII | re.IGNORECASE,
)


def read_events(source: CalendarSource, today: date) -> Imported:
    """Read an iCalendar file.

    Raises:
        ConfigurationError: with its faults.
    """
    first = today.year - (today.month < 9) - 1
    window = Span(date(first, 9, 1), date(first + 3, 8, 31))
    return _Calendar(source, window).read()


@dataclass
class _Calendar:
    """One file, as far as it was read."""

    source: CalendarSource
    window: Span
    faults: list[Fault] = field(default_factory=list)
    days: list[DayEntry] = field(default_factory=list)
    ranges: list[RangeEntry] = field(default_factory=list)
    unsure: list[Fault] = field(default_factory=list)
    edges: list[tuple[Meaning, date, Event]] = field(default_factory=list)
    occurrences: int = 0

    def __post_init__(self) -> None:
        self.words = Words(self.source.words)
        self.zone = ZoneInfo(self.source.zone)

    def read(self) -> Imported:
        events = self._events()
        replaced: dict[str, set[Moment]] = {}
        for event in events:
            if event.replaces is not None:
                replaced.setdefault(event.uid, set()).add(event.replaces)
        for event in events:
            if len(self.faults) >= _MAX_FAULTS:
                break
            meaning = self._meaning(event)
            if meaning is not None and not event.cancelled:
                own = replaced.get(event.uid, set()) if event.replaces is None else set()
                self._take(meaning, event, own)
        self._pair_terms()
        if not (self.faults or self.days or self.ranges):
            message = f"holds nothing for the timetable between {self.window.first} and {self.window.last}"
            hint = "see 'calendar_words' for the words that are understood"
            self.faults.append(Fault(self.source.path, 0, message, hint))
        if self.faults:
            raise ConfigurationError(self.faults)
        days = [
            day
            for day in self.days
            if day.span.first <= self.window.last and day.span.last >= self.window.first
        ]
        ranges = [
            entry for entry in self.ranges if entry.day is not None and entry.day in self.window
        ]
        return Imported(tuple(days), tuple(ranges), tuple(self.unsure))

    def _events(self) -> list[Event]:
        """Read the events that may concern the timetable, and what changes their occurrences."""
        path = self.source.path
        blocks = list(self._concerned(events_of(path, read_text(Path(path)))))
        if len(blocks) > MAX_EVENTS:
            message = f"holds more than {MAX_EVENTS} events that may concern the timetable"
            raise ConfigurationError([Fault(path, 0, message, "export fewer of them")])
        events: list[Event] = []
        for block in blocks:
            try:
                events.append(parse_event(path, block, self.zone))
            except ConfigurationError as error:
                self.faults.extend(error.faults)
                if len(self.faults) >= _MAX_FAULTS:
                    raise ConfigurationError(self.faults) from error
        if sum(event.rule is not None for event in events) > MAX_REPEATING:
            message = f"holds more than {MAX_REPEATING} events that repeat"
            raise ConfigurationError([Fault(path, 0, message, "export fewer of them")])
        return events

    def _concerned(self, blocks: Iterator[EventLines]) -> Iterator[EventLines]:
        concerned: set[str] = set()
        changes: list[EventLines] = []
        taken = 0
        for block in blocks:
            if self._may_matter(block):
                taken += 1
                yield block
                if taken > MAX_EVENTS:
                    return
                concerned.add(_uid(block))
            elif block.first("RECURRENCE-ID"):
                changes.append(block)
        yield from (block for block in changes if _uid(block) in concerned)

    def _may_matter(self, block: EventLines) -> bool:
        if self.source.everything is not None:
            return True
        return any(
            self.words.may_matter(line.text)
            for line in block.lines
            if line.name in ("SUMMARY", "CATEGORIES")
        )

    def _meaning(self, event: Event) -> Meaning | None:
        if self.source.everything is not None:
            return self.source.everything
        meaning = self.words.meaning(event.summary, event.categories)
        if meaning is None and (near := self.words.sounds_like(event.summary)) is not None:
            self._leave_out(event, f"is not taken for '{near}': its title says more")
        return meaning

    def _take(self, meaning: Meaning, event: Event, replaced: set[Moment]) -> None:
        try:
            for start, end in event.occurrences(self._reach(event), replaced):
                self.occurrences += 1
                if self.occurrences > MAX_OCCURRENCES:
                    message = f"its events take place more than {MAX_OCCURRENCES} times"
                    fault = Fault(self.source.path, 0, message, "export fewer of them")
                    raise ConfigurationError([fault])
                self._enter(meaning, event, start, end)
        except NotationError as error:
            message = f"the event '{event.summary[:60]}' {error}"
            self.faults.append(Fault(self.source.path, event.line, message, error.hint))

    def _reach(self, event: Event) -> Span:
        """Give the dates that count: a term's first day may lie before the window."""
        return self.window if event.rule else Span(date.min, date.max)

    def _enter(self, meaning: Meaning, event: Event, start: Moment, end: Moment) -> None:
        place = Place(self.source.path, event.line)
        if meaning is Meaning.PERIOD:
            self.ranges.append(self._range(event, start, end, place))
            return
        span = self._span(start, end)
        if meaning is Meaning.EARLY_CLOSING:
            minute = self._closing(event, start)
            self.days.append(DayEntry(meaning, span, event.summary, place, minute))
            return
        if isinstance(start, datetime) and end - start < _DAY_LASTS:
            self._leave_out(event, f"is not taken for '{meaning}': it lasts less than a day")
        elif meaning is Meaning.TERM_START:
            self.edges.append((meaning, span.first, event))
        elif meaning is Meaning.TERM_END:
            self.edges.append((meaning, span.last, event))
        else:
            self.days.append(DayEntry(meaning, span, event.summary, place))

    def _span(self, start: Moment, end: Moment) -> Span:
        """Give the dates at the school that an occurrence touches; its end is exclusive."""
        if isinstance(start, datetime) and isinstance(end, datetime):
            first = start.astimezone(self.zone).date()
            last = (end.astimezone(self.zone) - timedelta(microseconds=1)).date()
            return Span(first, max(first, last))
        return Span(start, end - timedelta(days=1))

    def _range(self, event: Event, start: Moment, end: Moment, place: Place) -> RangeEntry:
        if not (isinstance(start, datetime) and isinstance(end, datetime)):
            raise NotationError("is a period and has no times", "give it a beginning and an end")
        begin, until = start.astimezone(self.zone), end.astimezone(self.zone)
        first = begin.hour * 60 + begin.minute
        last = (until.date() - begin.date()).days * 1440 + until.hour * 60 + until.minute
        if not first < last <= first + 1440:
            raise NotationError("is a period and lasts no time, or more than a day")
        return RangeEntry(event.summary, first, last, place, day=begin.date())

    def _closing(self, event: Event, start: Moment) -> int:
        """Give when the school closes: the time in the title, or else the event's beginning."""
        found = {_minute(*match.groups()) for match in _TIME.finditer(event.summary)}
        if len(found) > 1:
            raise NotationError("names several times", "leave in its title the time of closing")
        for minute in found:
            if minute is None:
                raise NotationError("names no time of a day", "write it as 13:30")
            return minute
        if not isinstance(start, datetime):
            raise NotationError("does not say when the school closes", "write 13:30 into its title")
        local = start.astimezone(self.zone)
        return local.hour * 60 + local.minute

    def _pair_terms(self) -> None:
        """Make terms of the events that say where one starts or ends."""
        self.edges.sort(key=lambda edge: (edge[1], edge[0] is Meaning.TERM_END))
        open_: tuple[date, Event] | None = None
        for meaning, day, event in self.edges:
            if meaning is Meaning.TERM_START:
                if open_ is not None:
                    self._unpaired(open_[1], "a term starts that does not end")
                open_ = day, event
            elif open_ is None:
                self._unpaired(event, "a term ends that did not start")
            else:
                place = Place(self.source.path, open_[1].line)
                span = Span(open_[0], day)
                self.days.append(DayEntry(Meaning.TERM, span, open_[1].summary, place))
                open_ = None
        if open_ is not None:
            self._unpaired(open_[1], "a term starts that does not end")

    def _unpaired(self, event: Event, message: str) -> None:
        hint = "enter both days, or give 'terms' in the timetable and take these words out"
        self.faults.append(Fault(self.source.path, event.line, message, hint))

    def _leave_out(self, event: Event, message: str) -> None:
        if len(self.unsure) < _MAX_UNSURE:
            text = f"the event '{event.summary[:60]}' {message}"
            self.unsure.append(Fault(self.source.path, event.line, text))


def _uid(block: EventLines) -> str:
    line = block.first("UID")
    return line.text.partition(":")[2].strip() if line else ""


def _minute(
    hour: str | None,
    minute: str | None,
    half: str | None,
    bare_hour: str | None,
    bare_half: str | None,
    noon: str | None,
) -> int | None:
    """Give the minutes after midnight of a time in a title; no school closes before seven."""
    if noon:
        return 12 * 60
    hours, minutes = int(hour or bare_hour or 0), int(minute or 0)
    said = half or bare_half
    if said:
        if not 1 <= hours <= 12:
            return None
        hours = hours % 12 + (12 if said.lower() == "p" else 0)
    elif hours < 7:
        hours += 12
    return hours * 60 + minutes if hours < 24 and minutes < 60 else None
