"""How times, ranges and weekdays are written."""

import difflib
import re
from datetime import time

DAY_MINUTES = 24 * 60

_TIME = re.compile(r"(\d\d):(\d\d)", re.ASCII)
# What people write for a time where they do not write it as above; for the hint alone.
_LOOSE_TIME = re.compile(
    r"(\d{1,2})(?:[.:h ]?(\d\d))?(?::00)?\s*([ap])?\.?m?\.?", re.ASCII | re.IGNORECASE
)
_DASH = re.compile(r"\s*[-–]\s*")

_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_DAYS = {
    **{name: number for number, name in enumerate(_WEEKDAYS)},
    **{name[:3]: number for number, name in enumerate(_WEEKDAYS)},
    "tues": 1,
    "weds": 2,
    "thur": 3,
    "thurs": 3,
}
_SHORTHAND = {"daily": "mon-sun", "weekdays": "mon-fri", "weekend": "sat-sun"}


class NotationError(ValueError):
    """Something is not written as it must be; ``hint`` says how, where that can be told."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


def parse_minute(text: str, *, end: bool = False) -> int:
    """Give the minutes after midnight of a time such as ``09:00``; ``24:00`` is an end only.

    Raises:
        NotationError: when it is no time.
    """
    found = _TIME.fullmatch(text)
    if found:
        hour, minute = int(found[1]), int(found[2])
        if hour < 24 and minute < 60:
            return hour * 60 + minute
        if (hour, minute) == (24, 0):
            if end:
                return DAY_MINUTES
            raise NotationError("'24:00' can only be an end", "the day begins at '00:00'")
    raise NotationError(f"'{text}' is no time", _time_hint(text))


def parse_range(text: str) -> tuple[int, int]:
    """Give start and end of a range such as ``09:00-10:30``, minutes after midnight, as written.

    Raises:
        NotationError: when it is no range.
    """
    parts = _DASH.split(text.strip())
    if len(parts) != 2:
        raise NotationError(f"'{text}' is no range of times", "write it as '09:00-10:30'")
    return parse_minute(parts[0]), parse_minute(parts[1], end=True)


def plain_range(start: int, end: int, *, overnight: bool) -> tuple[int, int]:
    """Give a range with its end after its start: above 1440 where it goes on past midnight.

    Raises:
        NotationError: when it is empty, or ends before it starts and may not pass midnight.
    """
    written = f"{clock(start)}-{clock(end)}"
    if start == end:
        raise NotationError(f"'{written}' is empty", "a whole day is '00:00-24:00'")
    if end > start:
        return start, end
    if not overnight:
        hint = f"write '{clock(end)}-{clock(start)}', or 'overnight: true' if it passes midnight"
        raise NotationError(f"'{written}' ends before it starts", hint)
    return start, end + DAY_MINUTES


def parse_days(text: str) -> tuple[frozenset[int], str]:
    """Give the weekdays (Monday is 0) and the week of ``mon``, ``mon-thu``, ``mon,wed-fri A``.

    The week is the word behind the days, or empty. Days may run over the weekend: ``sun-thu``.

    Raises:
        NotationError: when a word is no weekday.
    """
    tight = re.sub(r"\s*([-–,])\s*", r"\1", text.strip().replace("–", "-"))
    days_text, _, week = tight.partition(" ")
    days: set[int] = set()
    for part in days_text.split(","):
        first, dash, last = _SHORTHAND.get(part.lower(), part).partition("-")
        start = _weekday(first)
        count = (_weekday(last) - start) % 7 + 1 if dash else 1
        days.update((start + number) % 7 for number in range(count))
    if week.strip().lower() in _DAYS:
        raise NotationError(f"'{text}' names two days", f"write '{days_text},{week.strip()}'")
    return frozenset(days), week.strip()


def clock(minute: int) -> str:
    """Write minutes after midnight as a time; what lies in the next day as the time of that day."""
    if minute == DAY_MINUTES:
        return "24:00"
    return f"{minute // 60 % 24:02}:{minute % 60:02}"


def _weekday(word: str) -> int:
    number = _DAYS.get(word.lower())
    if number is not None:
        return number
    close = difflib.get_close_matches(word.lower(), _DAYS, n=1)
    hint = f"did you mean '{close[0]}'?" if close else "write mon, tue, wed, thu, fri, sat or sun"
    raise NotationError(f"unknown weekday '{word}'", hint)


def _time_hint(text: str) -> str:
    found = _LOOSE_TIME.fullmatch(text.strip())
    if not found:
        return "write it as '09:00'"
    hour, minute = int(found[1]), int(found[2] or 0)
    if found[3]:
        hour = hour % 12 + (12 if found[3].lower() == "p" else 0)
    if hour > 23 or minute > 59:
        return "write it as '09:00'"
    if 1 <= hour < 6 and not found[3]:
        return f"write '{time(hour, minute):%H:%M}' or '{time(hour + 12, minute):%H:%M}'"
    return f"write '{time(hour, minute):%H:%M}'"
