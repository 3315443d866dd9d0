"""What some bytes of an answer are is known by lists, by addresses and by the file; else by its type."""

import pytest
from mitmproxy import http

from schoolgate.core.media.segments import Segment
from schoolgate.core.media.streams import Streams
from schoolgate.core.media.viewing import Piece
from schoolgate.core.urls import parse_url
from schoolgate.proxy.pieces import Pieces

STREAMS = Streams()
STREAMS.note(
    parse_url("https://tv.example/list.m3u8"),
    [Segment("0.ts", 0.0, 6.0), Segment("1.ts", 6.0, 6.0)],
    [],
)
YOUTUBE = "https://x.googlevideo.com/videoplayback?id=abc&itag=18"


def pieces(url: str, **headers: str) -> Pieces:
    response = http.Response.make(
        200, b"", headers={k.replace("_", "-"): v for k, v in headers.items()}
    )
    response.headers.pop("content-length")
    for name, value in headers.items():
        response.headers[name.replace("_", "-")] = value
    return Pieces(parse_url(url), response, None, STREAMS, lambda name: f"<{name}>")


LIST = "<https://tv.example/list.m3u8>"


@pytest.mark.parametrize(
    ("url", "headers", "at", "want"),
    [
        ("https://tv.example/1.ts", {"content_length": "1000"}, 500,
         Piece(LIST, LIST, 9.0, 0.6, 100)),
        (f"{YOUTUBE}&dur=100.0&clen=1000", {}, 500, Piece("<abc>", "18", 50.0, 10.0, 100)),
        (f"{YOUTUBE}&dur=100.0&clen=1000&range=200-299", {}, 0, Piece("<abc>", "18", 20.0, 10.0, 100)),
        (YOUTUBE, {"content_type": "video/mp4"}, 500, Piece("<abc>", "video", None, 0.00032, 100)),
        ("https://a.example/f", {"content_type": "video/mp4"}, 312_500,
         Piece("<https://a.example/f>", "", 1.0, 0.00032, 100)),
        ("https://a.example/f", {"content_type": "audio/mpeg", "content_range": "bytes 16000-16099/99999"}, 0,
         Piece("<https://a.example/f>", "", 1.0, 0.00625, 100)),
    ],
)  # fmt: skip
def test_which_seconds_some_bytes_are(
    url: str, headers: dict[str, str], at: int, want: Piece
) -> None:
    found = pieces(url, **headers)
    assert found.is_media
    piece = found.piece(at, 100)
    assert (piece.stream, piece.rendition, piece.size) == (want.stream, want.rendition, want.size)
    assert piece.start == pytest.approx(want.start)
    assert piece.seconds == pytest.approx(want.seconds)


@pytest.mark.parametrize("media_type", ["text/html", "audio/x-mpegurl", "application/json", ""])
def test_what_is_no_audio_nor_video(media_type: str) -> None:
    assert not pieces("https://a.example/f", content_type=media_type).is_media
