"""A warning is accepted by whoever clicked, for the day in school."""

from datetime import UTC, datetime

import pytest

from schoolgate.core.approvals import Acceptance, acceptance, school_day
from schoolgate.core.clients import Client
from tests.core.approvals.school import NOON, PUPIL


@pytest.mark.parametrize(
    ("client", "want"),
    [
        (PUPIL, "user:abc"),
        (Client("10.0.0.7", "pupils", device="tablet-3"), "device:tablet-3"),
        (Client("10.0.0.7", "pupils"), "client:10.0.0.7"),
    ],
)
def test_a_warning_is_accepted_by_the_person_or_else_the_device_or_else_the_address(
    client: Client, want: str
) -> None:
    assert acceptance(client, "cloud", NOON) == Acceptance(want, "cloud", "2026-11-23")


@pytest.mark.parametrize(
    ("moment", "want"),
    [
        (datetime(2026, 6, 30, 22, 59, tzinfo=UTC), "2026-06-30"),
        (datetime(2026, 6, 30, 23, 0, tzinfo=UTC), "2026-07-01"),
        (datetime(2026, 11, 23, 23, 59, tzinfo=UTC), "2026-11-23"),
    ],
)
def test_a_day_in_school_is_one_of_the_calendar_there(moment: datetime, want: str) -> None:
    assert school_day(moment) == want
