"""Calendar files of others: what an iCalendar file or a table of periods says, within stated bounds."""

from datetime import date
from pathlib import PurePath

from schoolgate.calendars.events import MAX_EVENTS, MAX_OCCURRENCES, MAX_REPEATING, read_events
from schoolgate.calendars.periods import read_periods
from schoolgate.calendars.words import DEFAULT_WORDS
from schoolgate.core.errors import ConfigurationError, Fault
from schoolgate.core.timetable import CalendarSource, Imported

__all__ = [
    "DEFAULT_WORDS",
    "MAX_EVENTS",
    "MAX_OCCURRENCES",
    "MAX_REPEATING",
    "read_calendar",
]


def read_calendar(source: CalendarSource, today: date) -> Imported:
    """Read a calendar file: ``.ics``, or a ``.csv`` of periods.

    Args:
        source: the file, and how it is to be read.
        today: events are read of the school year (from September) in which it lies, of the one
            before and of the one after.

    Raises:
        ConfigurationError: with every fault, each with its file and line.
    """
    match PurePath(source.path).suffix.lower():
        case ".ics":
            return read_events(source, today)
        case ".csv":
            return read_periods(source)
        case _:
            hint = "give a file whose name ends in .ics or .csv"
            raise ConfigurationError([Fault(source.path, 0, "is no calendar", hint)])
