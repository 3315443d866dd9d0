"""How long something plays: without an end, so many seconds, or not known."""

import math
from dataclasses import dataclass
from enum import StrEnum


class Course(StrEnum):
    """Whether what plays comes to an end."""

    LIVE = "live"
    ENDED = "ended"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Length:
    """How long something plays.

    Attributes:
        course: whether it ends.
        seconds: of what ends the whole; of what is not known as much as is there at least; 0 of what is live.
    """

    course: Course
    seconds: float = 0.0

    def is_longer_than(self, seconds: float) -> bool:
        """Ask whether it is known to be longer; what is live has no length."""
        return self.seconds > seconds


LIVE = Length(Course.LIVE)
UNKNOWN = Length(Course.UNKNOWN)


def ended(seconds: float) -> Length:
    """Give the length of something that ends; of what is no length nothing is known."""
    return Length(Course.ENDED, seconds) if _is_length(seconds) else UNKNOWN


def at_least(seconds: float) -> Length:
    """Give the length of something of which so much is there, and perhaps more."""
    return Length(Course.UNKNOWN, seconds) if _is_length(seconds) else UNKNOWN


def _is_length(seconds: float) -> bool:
    return math.isfinite(seconds) and seconds >= 0


def total_of(content_range: str) -> tuple[int, int | None]:
    """Read ``Content-Range`` (RFC 9110, 14.4).

    Returns:
        Where the part begins, and how long the whole is, both in bytes; 0 and None where it does not say.
    """
    unit, _, rest = content_range.strip().partition(" ")
    place, _, total = rest.partition("/")
    start = place.partition("-")[0].strip()
    if unit.lower() != "bytes" or not _is_number(start):
        return 0, None
    return int(start), int(total) if _is_number(total.strip()) else None


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 20
