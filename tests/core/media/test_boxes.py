import pytest
from hypothesis import given
from hypothesis import strategies as st

from schoolgate.core.media import UNKNOWN, Length, at_least, ended
from schoolgate.core.media.boxes import BoxReader
from tests.core.media.made import FTYP, box, fragment, mvhd, sidx, track

MDAT = box("mdat", bytes(3000))
INIT = FTYP + box("moov", mvhd(0), track(1, 100), box("mvex"))


def read(data: bytes, size: int = 13) -> BoxReader:
    reader = BoxReader()
    for at in range(0, len(data), size):
        reader.feed(data[at : at + size], at)
    return reader


@pytest.mark.parametrize(
    ("data", "want"),
    [
        (FTYP + box("moov", mvhd(90_000)) + MDAT, ended(90)),
        (FTYP + MDAT + box("free", bytes(9)) + box("moov", mvhd(90_000)), ended(90)),
        (FTYP + box("moov", mvhd(0), box("mvex", box("mehd", bytes(4), (5000).to_bytes(4)))), ended(5)),
        (INIT + sidx([4, 4, 2]), at_least(10)),
        (INIT + sidx([4], track=1) + sidx([4], track=2) + sidx([4], track=1), at_least(8)),
        (INIT + fragment(1, 70_000) + fragment(1, 70_400) + fragment(1, 71_000), at_least(10)),
        (INIT + fragment(9, 70_000) + fragment(9, 71_000), UNKNOWN),
        (box("styp", b"msdh") + sidx([4, 4]) + fragment(1, 0), at_least(8)),
        (FTYP + box("moov", mvhd(0xFFFF_FFFF)), UNKNOWN),
        (FTYP + box("moov", mvhd(90_000, timescale=0)), UNKNOWN),
        (FTYP + MDAT, UNKNOWN),
        (FTYP + bytes(8), UNKNOWN),
        (b"no film at all, but a text", UNKNOWN),
    ],
)  # fmt: skip
def test_length_of_a_film(data: bytes, want: Length) -> None:
    assert read(data).length == want


def test_the_end_of_a_film_that_another_answer_brings_is_read_at_its_place() -> None:
    film = FTYP + MDAT + box("moov", mvhd(90_000))
    reader = read(film[:200])
    assert reader.length == UNKNOWN
    reader.feed(film[1000:1100], 1000)
    reader.feed(film[3000:], 3000)
    assert reader.length == ended(90)


def test_a_part_from_the_middle_alone_says_nothing() -> None:
    film = FTYP + MDAT + box("moov", mvhd(90_000))
    reader = BoxReader()
    reader.feed(film[3000:], 3000)
    assert reader.length == UNKNOWN


def test_what_is_known_is_not_read_on() -> None:
    assert read(FTYP + box("moov", mvhd(90_000)) + MDAT).is_done


def test_little_is_kept_of_a_box_that_says_it_is_large() -> None:
    reader = BoxReader()
    data = FTYP + box("moov", mvhd(0), (3_000_000_000).to_bytes(4) + b"sidx")
    reader.feed(data, 0)
    for i in range(1000):
        reader.feed(bytes(10_000), len(data) + i * 10_000)
    assert len(reader._window.data) == 0


@given(st.binary(max_size=400), st.integers(1, 50))
def test_no_bytes_raise(data: bytes, size: int) -> None:
    read(data, size)
    read(FTYP + box("moov", data) + box("moof", data), size)
