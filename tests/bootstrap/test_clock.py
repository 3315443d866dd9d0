"""The time of this machine."""

from datetime import UTC, timedelta
from zoneinfo import ZoneInfo

from schoolgate.bootstrap.clock import now, today


def test_the_time_is_aware_and_that_of_the_world() -> None:
    assert now().tzinfo is UTC


def test_today_is_the_day_in_school() -> None:
    around = [now() - timedelta(seconds=1), now()]
    days = {str(at.astimezone(ZoneInfo("Europe/London")).date()) for at in around}
    assert today() in days
