"""One school day in the tests of storage."""

from datetime import UTC, datetime


def at(hour: int, minute: int = 0) -> datetime:
    """Give a time on Monday 23 November 2026."""
    return datetime(2026, 11, 23, hour, minute, tzinfo=UTC)
