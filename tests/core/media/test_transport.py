import pytest
from hypothesis import given
from hypothesis import strategies as st

from schoolgate.core.media import UNKNOWN, at_least
from schoolgate.core.media.transport import TransportReader
from tests.core.media.made import packet

SECOND = 90_000


def read(data: bytes, total: int | None = None, size: int = 300) -> TransportReader:
    reader = TransportReader(total)
    for at in range(0, len(data), size):
        reader.feed(data[at : at + size], at)
    return reader


def test_it_is_as_long_as_its_clock_says() -> None:
    data = b"".join(packet(i * SECOND) + packet(None) * 3 for i in range(11))
    assert read(data).length == at_least(10)


def test_the_clock_turns_over() -> None:
    data = packet((1 << 33) - SECOND) + packet(None) + packet(9 * SECOND)
    assert read(data).length == at_least(10)


def test_a_clock_that_goes_back_adds_nothing() -> None:
    assert read(packet(50 * SECOND) + packet(60 * SECOND) + packet(0), size=188).length == at_least(
        10
    )


def test_a_file_of_known_size_goes_on_as_it_began() -> None:
    data = b"".join(packet(i * SECOND) + packet(None) * 99 for i in range(100))
    assert read(data, total=10 * len(data), size=16_000).length.seconds == pytest.approx(
        1000, rel=0.03
    )


def test_what_has_no_clock_has_no_length() -> None:
    assert read(packet(None) * 50).length == UNKNOWN


@given(st.binary(max_size=800), st.integers(1, 400))
def test_no_bytes_raise(data: bytes, size: int) -> None:
    read(packet(0) + data, 5000, size)
