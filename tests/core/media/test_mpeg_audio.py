import pytest
from hypothesis import given
from hypothesis import strategies as st

from schoolgate.core.media import UNKNOWN
from schoolgate.core.media.mpeg_audio import MpegAudioReader, frame_at
from tests.core.media.made import mp3_frame, xing

A_FRAME = 1152 / 44_100
ID3 = b"ID3\x04\x00\x00" + bytes([0, 0, 2, 0]) + bytes(256)
ADTS = (b"\xff\xf1\x50\x80" + bytes([0x19, 0x1F, 0xFC])).ljust(200, b"\x00")


def read(data: bytes, total: int | None, size: int = 100) -> MpegAudioReader:
    reader = MpegAudioReader(total)
    for at in range(0, len(data), size):
        reader.feed(data[at : at + size], at)
    return reader


@pytest.mark.parametrize(
    ("data", "total", "want"),
    [
        (xing(1000) + mp3_frame() * 9, None, 1000 * A_FRAME),
        (ID3 + xing(1000) + mp3_frame() * 9, None, 1000 * A_FRAME),
        (mp3_frame(bytes(32) + b"VBRI" + bytes(10) + (500).to_bytes(4)), None, 500 * A_FRAME),
        (mp3_frame() * 500, 417 * 5000, 5000 * A_FRAME),
        (mp3_frame() * 50, 417 * 50, 50 * A_FRAME),
        (ID3 + mp3_frame() * 50, 417 * 50 + 266, 50 * A_FRAME),
        (mp3_frame() * 500, None, 500 * A_FRAME),
        (ADTS * 500, 200 * 1000, 1000 * 1024 / 44_100),
    ],
)
def test_length_of_audio(data: bytes, total: int | None, want: float) -> None:
    assert read(data, total).length.seconds == pytest.approx(want, rel=0.001)


def test_audio_without_an_end_is_as_long_as_what_came() -> None:
    reader = MpegAudioReader(None)
    for i in range(1000):
        reader.feed(mp3_frame() * 10, i * 4170)
    assert reader.length.course == "unknown"
    assert reader.length.seconds == pytest.approx(10_000 * A_FRAME)


def test_what_is_no_audio_has_no_length() -> None:
    assert read(b"some words " * 500, 5500).length == UNKNOWN


@pytest.mark.parametrize(
    ("header", "size", "seconds"),
    [
        ("fffb9000", 417, 1152 / 44_100),
        ("fffb9200", 418, 1152 / 44_100),
        ("fff39000", 261, 576 / 22_050),
        ("ffe39000", 522, 576 / 11_025),
        ("fffd9000", 522, 1152 / 44_100),
        ("ffff9000", 312, 384 / 44_100),
    ],
)
def test_headers_of_each_version_and_layer(header: str, size: int, seconds: float) -> None:
    frame = frame_at(bytes.fromhex(header) + bytes(9), 0)
    assert frame is not None
    assert (frame.size, frame.seconds) == (size, seconds)


@pytest.mark.parametrize(
    "header", ["fffbf000", "fffb0000", "fffb9c00", "fff99000", "00000000", "ff"]
)
def test_what_is_no_header(header: str) -> None:
    assert frame_at(bytes.fromhex(header) + bytes(9), 0) is None


@given(st.binary(max_size=600), st.none() | st.integers(0, 9999), st.integers(1, 99))
def test_no_bytes_raise(data: bytes, total: int | None, size: int) -> None:
    read(data, total, size)
    read(mp3_frame() + data, total, size)
