import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schoolgate.core.media import UNKNOWN, Length, ended
from schoolgate.core.media.headed import HeadReader
from tests.core.media.made import flac, wav

AVI = (
    b"RIFF"
    + bytes(4)
    + b"AVI LIST"
    + bytes(4)
    + b"hdrlavih"
    + bytes(4)
    + struct.pack("<IIIII", 40_000, 0, 0, 0, 250)
)
FLV = b"FLV\x01\x05" + bytes(30) + b"\x00\x08duration\x00" + struct.pack(">d", 12.5)


@pytest.mark.parametrize(
    ("head", "total", "want"),
    [
        (flac(441_000), None, ended(10)),
        (flac(0), None, UNKNOWN),
        (wav(10), None, ended(10)),
        (wav(0, size=0xFFFF_FFFF), 80_056, ended(10)),
        (wav(0, size=0), None, UNKNOWN),
        (AVI, None, ended(10)),
        (FLV, None, ended(12.5)),
        (b"FLV\x01\x05" + bytes(90), None, UNKNOWN),
        (b"some words", None, UNKNOWN),
    ],
)
@pytest.mark.parametrize("size", [1, 1000])
def test_length_of_a_file(head: bytes, total: int | None, want: Length, size: int) -> None:
    reader = HeadReader(total)
    for at in range(0, len(head), size):
        reader.feed(head[at : at + size], at)
    assert reader.length == want


def test_no_more_is_kept_than_the_beginning() -> None:
    reader = HeadReader(None)
    for i in range(100):
        reader.feed(bytes(1000), i * 1000)
    assert reader.is_done
    assert len(reader._head) == 8192


@given(
    st.binary(max_size=200),
    st.sampled_from([b"fLaC", b"RIFF????WAVE", b"RIFF????AVI ", b"FLV\x01"]),
)
def test_no_bytes_raise(data: bytes, begins: bytes) -> None:
    HeadReader(1000).feed(begins + data, 0)
