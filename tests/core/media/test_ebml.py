import pytest
from hypothesis import given
from hypothesis import strategies as st

from schoolgate.core.media import UNKNOWN, Length, at_least, ended
from schoolgate.core.media.ebml import EbmlReader
from tests.core.media.made import webm


def read(data: bytes, size: int = 17) -> EbmlReader:
    reader = EbmlReader()
    for at in range(0, len(data), size):
        reader.feed(data[at : at + size], at)
    return reader


@pytest.mark.parametrize(
    ("data", "want"),
    [
        (webm(90_000, [0, 5000]), ended(90)),
        (webm(90_000, [0], known=False), ended(90)),
        (webm(None, [1_000_000, 1_005_000, 1_030_000]), at_least(30)),
        (webm(None, [1_000_000], known=False), UNKNOWN),
        (webm(0, [0]), UNKNOWN),
        (b"\x00" * 50, UNKNOWN),
        (b"", UNKNOWN),
    ],
)
def test_length_of_a_film(data: bytes, want: Length) -> None:
    assert read(data).length == want


def test_what_is_known_is_not_read_on() -> None:
    assert read(webm(90_000, [0, 5000])).is_done


@given(st.binary(max_size=400), st.integers(1, 50))
def test_no_bytes_raise(data: bytes, size: int) -> None:
    read(data, size)
    read(webm(None, []) + data, size)


@given(st.integers(1, 500))
def test_a_film_however_cut_is_read_alike(size: int) -> None:
    assert read(webm(None, [0, 1000, 2000]), size).length == at_least(2)
