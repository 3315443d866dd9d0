"""iCalendar files for the tests, from the lines of their events."""

from datetime import date
from pathlib import Path

from schoolgate.calendars import read_calendar
from schoolgate.core.timetable import CalendarSource, Imported, Meaning

TODAY = date(2026, 11, 21)


def event(*lines: str) -> str:
    """Give an event of these lines."""
    return "\n".join(["BEGIN:VEVENT", *lines, "END:VEVENT", ""])


def calendar(*events: str) -> str:
    """Give a file with these events; its first begins on line 4."""
    return "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\n" + "".join(events) + "END:VCALENDAR\n"


def read(
    directory: Path,
    text: str | bytes,
    *,
    words: dict[Meaning, tuple[str, ...]] | None = None,
    everything: Meaning | None = None,
    name: str = "c.ics",
    zone: str = "Europe/London",
) -> Imported:
    """Read a file of this content, in November 2026."""
    file = directory / name
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_calendar(CalendarSource(str(file), zone, words or {}, everything), TODAY)
