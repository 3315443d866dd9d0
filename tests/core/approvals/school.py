"""People, times and grants of the tests of approvals."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from schoolgate.core.approvals import Grant, Role, Subject, SubjectKind, Suspension
from schoolgate.core.categories import ListEntry
from schoolgate.core.clients import Client

STARTS = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
ENDS = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
INSTANT = timedelta(microseconds=1)
SUMMER_TIME = timezone(timedelta(hours=1))

EVERYONE = Subject(SubjectKind.EVERYONE)
PUPILS = frozenset({"pupils"})
PUPIL = Client("10.0.0.7", "pupils", user="abc", device="tablet-3")


def grant(
    entry: str = "example.com", subject: Subject = EVERYONE, number: int = 1, **more: Any
) -> Grant:
    listed = ListEntry.parse(entry, "local-allow", "grants")
    made = Grant(number, listed, subject, STARTS, ENDS, Role.TECHNICIAN, "for the lesson")
    return replace(made, **more)


def suspension(subject: Subject = EVERYONE, number: int = 1) -> Suspension:
    return Suspension(number, subject, STARTS, ENDS, "misuse")


TIMES = pytest.mark.parametrize(
    ("now", "want"),
    [
        (STARTS - INSTANT, False),
        (STARTS, True),
        (NOON, True),
        (ENDS - INSTANT, True),
        (ENDS, False),
        (ENDS + timedelta(days=1), False),
        (STARTS.astimezone(SUMMER_TIME), True),  # the same instant on another clock
        (ENDS.astimezone(SUMMER_TIME), False),
        (STARTS.replace(tzinfo=SUMMER_TIME), False),  # nine o'clock there is eight here
    ],
)
