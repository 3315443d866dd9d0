"""Times in the tables: aware, in UTC, and sorted as text as they are in time."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.dialects.sqlite import dialect

from schoolgate.storage.schema import NaiveTimeError, UtcTime

COLUMN = UtcTime()
SQLITE = dialect()
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ZONES = st.timedeltas(timedelta(hours=-14), timedelta(hours=14)).map(timezone)
TIMES = st.builds(
    lambda since, zone: (EPOCH + since).astimezone(zone),
    st.timedeltas(timedelta(days=-300_000), timedelta(days=2_000_000)),
    ZONES,
)


def stored(time: datetime) -> str:
    text = COLUMN.process_bind_param(time, SQLITE)
    assert text is not None
    return text


def test_a_time_is_stored_as_utc_text_of_one_width() -> None:
    summer = timezone(timedelta(hours=1))
    assert stored(datetime(2026, 6, 1, 9, 30, tzinfo=summer)) == "2026-06-01T08:30:00.000000+00:00"


@given(TIMES, TIMES)
def test_text_order_is_time_order_and_nothing_is_lost(one: datetime, other: datetime) -> None:
    assert (stored(one) < stored(other)) == (one < other)
    back = COLUMN.process_result_value(stored(one), SQLITE)
    assert back == one
    assert back.utcoffset() == timedelta(0)


def test_no_time_stays_none() -> None:
    assert COLUMN.process_bind_param(None, SQLITE) is None
    assert COLUMN.process_result_value(None, SQLITE) is None


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(NaiveTimeError, match="no time zone"):
        stored(datetime(2026, 6, 1))  # noqa: DTZ001 - the point of the test
