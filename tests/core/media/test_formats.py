import pytest
from hypothesis import given
from hypothesis import strategies as st

from schoolgate.core.media import BEGINNING, Format, Head, hinted, recognise
from schoolgate.core.urls import parse_web_url
from tests.core.media.made import FTYP, box, flac, mp3_frame, ogg_page, packet, wav, webm

PNG = b"\x89PNG\r\n\x1a\n" + bytes(99)
HTML = b"<!DOCTYPE html><title>video</title>"
MPD = b'<?xml version="1.0"?>\n<!-- made -->\n<MPD type="static">'
NOISE = bytes(range(7, 250)) * 9


def head(
    path: str = "/x", content_type: str = "", *, is_part: bool = False, player: bool = False
) -> Head:
    return Head(parse_web_url("https://a.example" + path), content_type, is_part, player)


MEDIA = [
    (b"#EXTM3U\n#EXT-X-VERSION:3\n", Format.HLS),
    (b"\xef\xbb\xbf#EXTM3U\n", Format.HLS),
    (b"# made by hand\n#EXT-X-VERSION:3\n", Format.HLS),
    (MPD, Format.DASH),
    (b'<x:MPD xmlns:x="urn"/>', Format.DASH),
    ('<SmoothStreamingMedia Duration="1">'.encode("utf-16"), Format.SMOOTH),
    (FTYP, Format.MP4),
    (box("styp", b"msdh") + bytes(99), Format.MP4),
    (webm(1, []), Format.WEBM),
    (ogg_page(0, first=True), Format.OGG),
    (flac(5), Format.HEADED),
    (wav(5), Format.HEADED),
    (b"ID3\x04" + bytes(99), Format.MPEG_AUDIO),
    (mp3_frame() * 9, Format.MPEG_AUDIO),
    (packet(0) * 9, Format.TRANSPORT),
]
OTHERS = [
    PNG, HTML, b"%PDF-1.7", b"PK\x03\x04", b"wOF2", b"\x00asm\x01", b'{"a": 1}', b"", b"G", b"GIF89a",
    b"\xff\xd8\xff\xe0",
    box("ftyp", b"avif", bytes(9)), box("ftyp", b"heic", bytes(9)), b"RIFF\x00\x00\x00\x00WEBPVP8 ",
    b"<rss><MPDX></MPDX></rss>", b"# A read-me\n#EXTRA things\n", b"\xff\xfe\x00\x00", NOISE,
]  # fmt: skip


@pytest.mark.parametrize(("beginning", "want"), MEDIA)
@pytest.mark.parametrize("content_type", ["", "text/html", "image/png", "application/octet-stream"])
def test_first_bytes_settle_it_whatever_the_type(
    beginning: bytes, want: Format, content_type: str
) -> None:
    assert recognise(head("/x.png", content_type), beginning[:BEGINNING]) is want


@pytest.mark.parametrize("beginning", OTHERS)
def test_other_files_are_no_media(beginning: bytes) -> None:
    assert recognise(head(), beginning) is None


@pytest.mark.parametrize(
    "beginning", [PNG, HTML, b'{"error": 404}', box("ftyp", b"avif", bytes(9))]
)
def test_neither_type_nor_name_make_media_of_something_else(beginning: bytes) -> None:
    assert recognise(head("/film.mp4", "video/mp4", player=True), beginning) is None


@pytest.mark.parametrize(
    ("given", "want"),
    [
        (head("/film.mp4", "video/mp4", is_part=True), Format.OPAQUE),
        (head("/film", "video/mp4", is_part=True, player=True), Format.OPAQUE),
        (head("/seg-12.bin", "video/mp4"), Format.OPAQUE),
        (head("/film", "video/mp4"), None),
        (head("/film.mp4"), None),
        (head("/code.ts", "text/plain"), None),
    ],
)
def test_where_the_bytes_say_nothing_two_signs_must_agree(given: Head, want: Format | None) -> None:
    assert recognise(given, NOISE) is want


@pytest.mark.parametrize(
    ("given", "want"),
    [
        (head("/a.m3u8"), Format.HLS),
        (head("/a", "application/vnd.apple.mpegurl; charset=utf-8"), Format.HLS),
        (head("/a.MPD?x=1"), Format.DASH),
        (head("/film.ism/Manifest"), Format.SMOOTH),
        (head("/a.webm"), Format.OPAQUE),
        (head("/a", "audio/mpeg"), Format.OPAQUE),
        (head("/a", "text/html", player=True), Format.OPAQUE),
        (head("/a.html", "text/html"), None),
        (head("/code.ts", "text/plain"), None),
    ],
)
def test_what_the_head_speaks_of(given: Head, want: Format | None) -> None:
    assert hinted(given) is want


def test_a_playlist_by_its_type_without_its_first_line() -> None:
    text = b"\n\n#EXTINF:3,\na.ts\n"
    assert recognise(head("/a", "application/vnd.apple.mpegurl"), text) is Format.HLS
    assert recognise(head("/a", "application/vnd.apple.mpegurl"), b"no list") is None


@given(st.binary(max_size=600), st.sampled_from(["", "video/mp4", "audio/mpeg", "audio/mpegurl"]))
def test_no_bytes_raise(beginning: bytes, content_type: str) -> None:
    recognise(head("/a.mp4", content_type), beginning)
    recognise(head("/a.mp4", content_type), b"\xff\xfe" + beginning)
