"""A timetable with the calendar files that it imports."""

from collections.abc import Callable
from datetime import date
from functools import partial

from schoolgate.calendars import read_calendar
from schoolgate.core.timetable import CalendarSource, Imported


def calendars_on(today: date) -> Callable[[CalendarSource], Imported]:
    """Give what reads the calendar files of a timetable, around a date."""
    return partial(read_calendar, today=today)
