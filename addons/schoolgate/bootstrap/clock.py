"""The time of this machine, as everything takes it that has no clock of its own."""

from datetime import UTC, datetime

from schoolgate.core.approvals import school_day


def now() -> datetime:
    """Give the time, aware."""
    return datetime.now(UTC)


def today() -> str:
    """Give the day that it is in school."""
    return school_day(now())
