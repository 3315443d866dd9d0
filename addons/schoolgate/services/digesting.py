"""When the one mail a day is due to those who want it so."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from schoolgate.storage import Digests

LONDON = ZoneInfo("Europe/London")
_A_DAY = timedelta(days=1)
SUBJECT = "What came for you since the last mail"


def gather(digests: Digests, at: time, now: datetime) -> int:
    """Put the digests into the outbox that became due; give how many.

    Each holds what was written until the last time of the day at which digests are sent, so that
    one that was missed while nothing ran comes as soon as something does.

    Args:
        digests: where mail waits for them.
        at: the time of the day, in school.
        now: when.

    Raises:
        UnavailableError: when the database fails.
    """
    return digests.gather(last_time(at, now), SUBJECT, now)


def last_time(at: time, now: datetime) -> datetime:
    """Give when it last was a time of the day in school, in UTC."""
    today = now.astimezone(LONDON).date()
    times = (datetime.combine(day, at, LONDON).astimezone(UTC) for day in (today, today - _A_DAY))
    return next(moment for moment in times if moment <= now)
