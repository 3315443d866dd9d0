"""When it is which period: a school's days as values, compared by the clock on the wall."""

from schoolgate.core.timetable.calendar import DayKind, SchoolCalendar, Span, Term, Weeks
from schoolgate.core.timetable.imported import (
    CalendarSource,
    DayEntry,
    Imported,
    Meaning,
    RangeEntry,
)
from schoolgate.core.timetable.notation import (
    NotationError,
    clock,
    parse_days,
    parse_minute,
    parse_range,
    plain_range,
)
from schoolgate.core.timetable.timetable import Place, Range, Timetable

__all__ = [
    "CalendarSource",
    "DayEntry",
    "DayKind",
    "Imported",
    "Meaning",
    "NotationError",
    "Place",
    "Range",
    "RangeEntry",
    "SchoolCalendar",
    "Span",
    "Term",
    "Timetable",
    "Weeks",
    "clock",
    "parse_days",
    "parse_minute",
    "parse_range",
    "plain_range",
]
