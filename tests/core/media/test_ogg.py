import pytest
from hypothesis import given
from hypothesis import strategies as st

from schoolgate.core.media import UNKNOWN, Length, at_least, ended
from schoolgate.core.media.ogg import OggReader
from tests.core.media.made import VORBIS, ogg_page

HEAD = ogg_page(0, first=True, body=VORBIS)
OPUS = ogg_page(0, first=True, body=b"OpusHead" + bytes(11))
FLAC = ogg_page(0, first=True, body=b"\x7fFLAC" + bytes(22) + (8000 << 4).to_bytes(3))
SPEEX = ogg_page(0, first=True, body=b"Speex   " + bytes(28) + (8000).to_bytes(4, "little"))
SPEEDS = (25).to_bytes(4) + (1).to_bytes(4) + bytes(10) + bytes([0, 0xC0]) + bytes(9)
THEORA = ogg_page(0, first=True, body=b"\x80theora" + bytes(15) + SPEEDS)


def read(data: bytes, total: int | None = None, size: int = 61) -> OggReader:
    reader = OggReader(total)
    for at in range(0, len(data), size):
        reader.feed(data[at : at + size], at)
    return reader


@pytest.mark.parametrize(
    ("data", "want"),
    [
        (HEAD + ogg_page(44_100) + ogg_page(441_000, last=True), ended(10)),
        (HEAD + ogg_page(44_100) + ogg_page(441_000), at_least(10)),
        (HEAD + ogg_page(441_000) + ogg_page((1 << 64) - 1) + bytes(500), at_least(10)),
        (OPUS + ogg_page(480_000, last=True), ended(10)),
        (FLAC + ogg_page(80_000, last=True), ended(10)),
        (SPEEX + ogg_page(80_000, last=True), ended(10)),
        (THEORA + ogg_page(240 << 6 | 10, last=True), ended(10)),
        (ogg_page(441_000, last=True), UNKNOWN),
        (b"no music", UNKNOWN),
    ],
)
def test_length_of_a_file(data: bytes, want: Length) -> None:
    assert read(data + bytes(70)).length == want


def test_the_last_page_is_found_in_another_answer() -> None:
    reader = read(HEAD)
    reader.feed(b"??" + ogg_page(441_000, last=True), 1_000_000)
    assert reader.length == ended(10)


def test_a_long_file_of_known_size_goes_on_as_it_began() -> None:
    pages = b"".join(ogg_page(44_100 * i) for i in range(6000))
    length = read(HEAD + pages, total=10 * len(pages), size=16_000).length
    assert length.seconds == pytest.approx(60_000, rel=0.01)


@given(st.binary(max_size=300), st.integers(1, 99))
def test_no_bytes_raise(data: bytes, size: int) -> None:
    read(data, 10_000, size)
    read(HEAD + b"OggS" + data, None, size)


@given(st.integers(28, 400))
def test_a_file_however_cut_is_read_alike(size: int) -> None:
    assert read(HEAD + ogg_page(44_100) + ogg_page(441_000, last=True), size=size).length == ended(
        10
    )
