"""What calendar files say, before a school's timetable takes it up."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from schoolgate.core.errors import Fault
from schoolgate.core.timetable.calendar import Span
from schoolgate.core.timetable.timetable import Place


class Meaning(StrEnum):
    """What an event of a calendar can say."""

    EARLY_CLOSING = "early_closing"
    INSET = "inset"
    CLOSED = "closed"
    HOLIDAY = "holiday"
    TERM_START = "term_start"
    TERM_END = "term_end"
    TERM = "term"
    PERIOD = "period"


@dataclass(frozen=True, slots=True)
class CalendarSource:
    """A calendar file and how it is to be read.

    Attributes:
        path: of the file; its name ends in ``.ics`` or ``.csv``.
        zone: the school's time zone, for times that name none.
        words: the phrases that stand for a meaning, where the school gives its own.
        everything: what each event means, whatever it is called.
    """

    path: str
    zone: str = "Europe/London"
    words: Mapping[Meaning, tuple[str, ...]] = field(default_factory=dict)
    everything: Meaning | None = None


@dataclass(frozen=True, slots=True)
class DayEntry:
    """Dates that a calendar names.

    Attributes:
        meaning: one of those of days: INSET, closed, holiday, early closing or term.
        span: the dates.
        name: as the calendar has it.
        place: where it stands.
        minute: of an early closing, minutes after midnight.
    """

    meaning: Meaning
    span: Span
    name: str
    place: Place
    minute: int = 0


@dataclass(frozen=True, slots=True)
class RangeEntry:
    """A time of a period that a calendar names, weekly or on one date.

    Attributes:
        period: its id or title, as the file has it.
        days: weekdays, Monday is 0; empty where it has one date.
        day: the one date; None for a weekly one.
        week: the name of a week, or empty for all.
        start, end: minutes after midnight; the end may lie in the next day, above 1440.
        place: where it stands.
    """

    period: str
    start: int
    end: int
    place: Place
    days: frozenset[int] = frozenset()
    day: date | None = None
    week: str = ""


@dataclass(frozen=True, slots=True)
class Imported:
    """What one file says.

    Attributes:
        days: in file order.
        ranges: in file order.
        unsure: events that sound like something of the timetable and were left out, and why.
    """

    days: tuple[DayEntry, ...] = ()
    ranges: tuple[RangeEntry, ...] = ()
    unsure: tuple[Fault, ...] = ()
