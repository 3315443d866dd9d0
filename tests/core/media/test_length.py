import math

import pytest

from schoolgate.core.media import LIVE, UNKNOWN, Course, Length, at_least, ended, total_of


@pytest.mark.parametrize("seconds", [math.nan, math.inf, -1.0])
def test_what_is_no_length_is_not_known(seconds: float) -> None:
    assert ended(seconds) == at_least(seconds) == UNKNOWN


@pytest.mark.parametrize(
    ("length", "want"),
    [
        (ended(600), False),
        (ended(601), True),
        (at_least(601), True),
        (UNKNOWN, False),
        (LIVE, False),
    ],
)
def test_longer_is_what_is_known_to_be(length: Length, want: bool) -> None:
    assert length.is_longer_than(600) is want


def test_what_is_there_at_least_may_go_on() -> None:
    assert at_least(5).course is Course.UNKNOWN


@pytest.mark.parametrize(
    ("header", "want"),
    [
        ("bytes 0-99/1000", (0, 1000)),
        ("bytes 500-999/1000", (500, 1000)),
        ("bytes 500-999/*", (500, None)),
        ("Bytes 5-9/10", (5, 10)),
        ("", (0, None)),
        ("items 0-5/10", (0, None)),
        ("bytes x-9/10", (0, None)),
        ("bytes 0-9/" + "9" * 40, (0, None)),
    ],
)
def test_content_range(header: str, want: tuple[int, int | None]) -> None:
    assert total_of(header) == want
