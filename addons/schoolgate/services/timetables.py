"""A timetable with the calendar files that it imports."""

from collections.abc import Callable
from datetime import date

from schoolgate.core.timetable import CalendarSource, Imported


def calendars_on(today: date) -> Callable[[CalendarSource], Imported]:
    """Give what reads the calendar files of a timetable, around a date."""

    def read(source: CalendarSource) -> Imported:
        # Loaded where there is one: most schools write their timetable themselves.
        from schoolgate.calendars import read_calendar  # noqa: PLC0415

        return read_calendar(source, today)

    return read
