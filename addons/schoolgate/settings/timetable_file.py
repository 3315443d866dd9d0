"""Reads a school's timetable: checks its text, adds what calendar files say, and names what does not fit."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

from schoolgate.core.errors import ConfigurationError, Fault
from schoolgate.core.timetable import (
    CalendarSource,
    DayKind,
    Imported,
    NotationError,
    Place,
    Range,
    SchoolCalendar,
    Span,
    Timetable,
    parse_days,
    parse_range,
    plain_range,
)
from schoolgate.documents import Document, Loc, read_document, suggestion, validate
from schoolgate.settings.timetable_dates import Dates
from schoolgate.settings.timetable_findings import Findings
from schoolgate.settings.timetable_text import TimetableFile, TimetableText

type ReadCalendar = Callable[[CalendarSource], Imported]
type Note = Callable[[Fault], None]

_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_MAX_OVERLAPS = 20
# Stands for all dates where a timetable names none.
_ANY_DAY = date(2024, 1, 1)


def load_timetable(
    file: Path, read: ReadCalendar | None = None, note: Note | None = None
) -> Timetable:
    """Read a timetable from a file of its own, which holds nothing but the key ``timetable``.

    The arguments are those of `read_timetable`.

    Raises:
        ConfigurationError: with every fault, each with its file and line.
    """
    document = read_document(file)
    text = validate(document, TimetableFile).timetable
    return read_timetable(document, ("timetable",), text, read, note)


def read_timetable(
    document: Document,
    loc: Loc,
    text: TimetableText,
    read: ReadCalendar | None = None,
    note: Note | None = None,
) -> Timetable:
    """Make a timetable of its text.

    Args:
        document: the file in which it stands; calendar files are named relative to it.
        loc: where it stands in the file.
        text: its form, which is in order.
        read: reads a calendar file; without it `import` is a fault.
        note: is told of events that sound like something of the timetable and were left out.

    Raises:
        ConfigurationError: with every fault, each with its file and line.
    """
    zones = available_timezones()
    if text.zone not in zones:
        message = f"unknown time zone '{text.zone}'"
        hint = suggestion(text.zone, zones)
        raise ConfigurationError([document.fault((*loc, "zone"), message, hint)])
    imported: list[Imported] = []
    faults: list[Fault] = []
    named: set[str] = set()
    for i, source in enumerate(text.import_):
        place = (*loc, "import", i)
        if read is None:
            faults.append(document.fault(place, "calendar files cannot be read here"))
            continue
        if source.file in named:
            faults.append(document.fault(place, f"imports '{source.file}' twice"))
            continue
        named.add(source.file)
        path = str(Path(document.file).parent / source.file)
        try:
            imported.append(read(CalendarSource(path, text.zone, text.calendar_words, source.all)))
        except ConfigurationError as error:
            faults.extend(error.faults)
    if faults:
        raise ConfigurationError(faults)
    if note is not None:
        for calendar in imported:
            for unsure in calendar.unsure:
                note(unsure)
    return _Compiler(document, loc, text, imported).timetable()


class _Compiler:
    def __init__(
        self, document: Document, loc: Loc, text: TimetableText, imported: Sequence[Imported]
    ) -> None:
        self._text = text
        self._imported = imported
        self._findings = Findings(document, loc)

    def timetable(self) -> Timetable:
        """Put the parts together; what needs them all is looked at last."""
        text = self._text
        self._names()
        dates = Dates(text, self._imported, self._findings)
        calendar = dates.calendar()
        weekly, dated = self._weekly()
        self._findings.stop_at_faults()
        held = {id_: frozenset(period.held) for id_, period in text.periods.items()}
        plans = self._plans()
        timetable = Timetable(
            periods={id_: period.title for id_, period in text.periods.items()},
            held=held,
            weekly={key: tuple(ranges) for key, ranges in weekly.items()},
            dated={day: tuple(ranges) for day, ranges in dated.items()},
            plans=dict(self._days(plans, weekly, held, calendar)),
            early_closing=dates.early_closing(calendar),
            groups=dict(text.period_groups),
            calendar=calendar,
            zone=ZoneInfo(text.zone),
        )
        self._findings.stop_at_faults()
        self._walk(timetable)
        self._findings.stop_at_faults()
        return timetable

    # -- names ------------------------------------------------------------------------------------

    def _names(self) -> None:
        periods, groups = self._text.periods, self._text.period_groups
        if not periods:
            self._findings.add(("periods",), "there are no periods")
        for section, names in (("periods", periods), ("period_groups", groups)):
            for name in names:
                if not _NAME.fullmatch(name):
                    self._findings.add((section, name), f"'{name}' is not of the form some-words")
        titles: dict[str, str] = {}
        for id_, period in periods.items():
            first = titles.setdefault(period.title.casefold(), id_)
            if first != id_:
                message = f"the title '{period.title}' is that of '{first}' already"
                self._findings.add(("periods", id_, "title"), message)
            if not period.held:
                self._findings.add(("periods", id_, "held"), f"'{id_}' is held on no day")
        for name, members in groups.items():
            if name in periods:
                self._findings.add(("period_groups", name), f"'{name}' is a period already")
            if not members:
                self._findings.add(("period_groups", name), f"the group '{name}' is empty")
            for i, member in enumerate(members):
                self._known_period(("period_groups", name, i), member)
                if member in members[:i]:
                    self._findings.add(("period_groups", name, i), f"names '{member}' twice")

    def _known_period(self, loc: Loc, name: str) -> bool:
        if name in self._text.periods:
            return True
        self._findings.add(loc, f"unknown period '{name}'", suggestion(name, self._text.periods))
        return False

    # -- times ------------------------------------------------------------------------------------

    def _weekly(
        self,
    ) -> tuple[dict[tuple[int, str | None], list[Range]], dict[date, list[Range]]]:
        weekly: dict[tuple[int, str | None], list[Range]] = {}
        dated: dict[date, list[Range]] = {}
        for id_, period in self._text.periods.items():
            for key, written in period.times.items():
                loc: Loc = ("periods", id_, "times", key)
                when = self._findings.read(loc, partial(parse_days, key))
                if when is None or not self._known_week(self._findings.place(loc), when[1]):
                    continue
                for range_ in self._ranges(loc, id_, written):
                    for day in when[0]:
                        weekly.setdefault((day, when[1] or None), []).append(range_)
        for imported in self._imported:
            for entry in imported.ranges:
                id_or_none = self._period_named(entry.period)
                if id_or_none is None:
                    hint = suggestion(entry.period.lower(), self._text.periods)
                    hint = hint or "give it a title under 'periods'"
                    self._findings.add_at(
                        entry.place, f"unknown period '{entry.period[:60]}'", hint
                    )
                    continue
                if not self._known_week(entry.place, entry.week):
                    continue
                span = self._plain(entry.place, id_or_none, entry.start, entry.end)
                if span is None:
                    continue
                range_ = Range(id_or_none, *span, entry.place)
                if entry.day is not None:
                    dated.setdefault(entry.day, []).append(range_)
                for day in entry.days:
                    weekly.setdefault((day, entry.week or None), []).append(range_)
        return weekly, dated

    def _period_named(self, name: str) -> str | None:
        """Give the period that a calendar file calls by its id or title."""
        for id_, period in self._text.periods.items():
            if name == id_ or name.casefold() == period.title.casefold():
                return id_
        return None

    def _known_week(self, place: Place, week: str) -> bool:
        known = self._text.weeks.names if self._text.weeks else ()
        if not week or week in known:
            return True
        hint = suggestion(week, known) or (
            f"the weeks are {', '.join(known)}" if known else "name the weeks under 'weeks'"
        )
        self._findings.add_at(place, f"unknown week '{week}'", hint)
        return False

    def _ranges(self, loc: Loc, period: str, written: Sequence[str]) -> Iterator[Range]:
        if not written:
            self._findings.add(loc, "names no times")
        for i, text in enumerate(written):
            parsed = self._findings.read((*loc, i), partial(parse_range, text))
            if parsed is None:
                continue
            place = self._findings.place((*loc, i))
            span = self._plain(place, period, *parsed)
            if span is not None:
                yield Range(period, *span, place)

    def _plain(self, place: Place, period: str, start: int, end: int) -> tuple[int, int] | None:
        try:
            # The end of a dated event may be given as lying in the next day already.
            if end > 1440:
                return start, end
            return plain_range(start, end, overnight=self._text.periods[period].overnight)
        except NotationError as error:
            self._findings.add_at(place, str(error), error.hint)
            return None

    def _plans(self) -> dict[str, tuple[Range, ...]]:
        plans: dict[str, tuple[Range, ...]] = {}
        for name, times in self._text.plans.items():
            ranges: list[Range] = []
            for period, written in times.items():
                loc: Loc = ("plans", name, period)
                if self._known_period(loc, period):
                    ranges.extend(self._ranges(loc, period, written))
            plans[name] = tuple(ranges)
        return plans

    def _days(
        self,
        plans: Mapping[str, tuple[Range, ...]],
        weekly: Mapping[tuple[int, str | None], Sequence[Range]],
        held: Mapping[str, frozenset[DayKind]],
        calendar: SchoolCalendar,
    ) -> Iterator[tuple[date, tuple[Range, ...]]]:
        """Give the days with a plan: one of the plans, or the times of a weekday."""
        for day, name in self._text.days.items():
            if name in plans:
                yield day, plans[name]
                continue
            loc: Loc = ("days", str(day))
            try:
                weekdays, week = parse_days(name)
            except NotationError:
                hint = suggestion(name, plans) or "name a plan, or a weekday such as mon"
                self._findings.add(loc, f"unknown plan '{name}'", hint)
                continue
            if len(weekdays) != 1:
                self._findings.add(loc, f"'{name}' is more than one day", "write one weekday")
                continue
            if not self._known_week(self._findings.place(loc), week):
                continue
            [weekday] = weekdays
            ranges = [
                *weekly.get((weekday, None), ()),
                *weekly.get((weekday, week or calendar.week(day) or ""), ()),
            ]
            yield day, tuple(r for r in ranges if DayKind.SCHOOL in held[r.period])

    # -- the whole --------------------------------------------------------------------------------

    def _walk(self, timetable: Timetable) -> None:
        """Go through every date that something is said about: what meets, and what never happens."""
        happened: set[str] = set()
        seen: set[tuple[Range, Range]] = set()
        for day in self._dates_to_walk(timetable):
            happened.update(range_.period for range_ in timetable.ranges(day))
            for pair in timetable.overlaps(day):
                if pair not in seen:
                    seen.add(pair)
                    self._overlap(day, *pair)
                if len(seen) == _MAX_OVERLAPS:
                    return
        for id_ in self._text.periods:
            if id_ not in happened:
                message = f"the period '{id_}' never happens"
                hint = "look at its times, at 'held' and at the terms"
                self._findings.add(("periods", id_), message, hint)

    def _dates_to_walk(self, timetable: Timetable) -> Span:
        calendar = timetable.calendar
        days = [
            *(day for term in calendar.terms for day in (term.span.first, term.span.last)),
            *calendar.inset,
            *calendar.closed,
            *calendar.holidays,
            *timetable.plans,
            *timetable.dated,
            *timetable.early_closing,
        ] or [_ANY_DAY]
        weeks = len(calendar.weeks.names) if calendar.weeks else 1
        margin = timedelta(weeks=2 * weeks)
        return Span(min(days) - margin, max(days) + margin)

    def _overlap(self, day: date, one: Range, other: Range) -> None:
        first, second = sorted((one, other), key=lambda r: (r.place.file, r.place.line))
        message = (
            f"'{second.period}' {second} overlaps '{first.period}' {first} "
            f"({self._findings.where(first.place)}) on {day:%A} {day}"
        )
        self._findings.add_at(second.place, message)
