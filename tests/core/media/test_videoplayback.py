import pytest

from schoolgate.core.media import LIVE, UNKNOWN, Playback, ended, playback_of
from schoolgate.core.urls import parse_web_url

HOST = "https://r1---sn-aigl6n.googlevideo.com"


@pytest.mark.parametrize(
    ("url", "want"),
    [
        ("/videoplayback?id=o-A&itag=248&dur=634.201&clen=9000&mime=video%2Fwebm",
         Playback("o-A", "248", ended(634.201), 9000)),
        ("/videoplayback/id/o-A/itag/140/dur/12.5/clen/77/file/seg.m4a",
         Playback("o-A", "140", ended(12.5), 77)),
        ("/videoplayback?id=o-A.1&itag=140&live=1&dur=5.000", Playback("o-A.1", "140", LIVE, None)),
        ("/videoplayback?source=yt_live_broadcast", Playback("", "", LIVE, None)),
        ("/videoplayback?dur=0.000&clen=x", Playback("", "", UNKNOWN, None)),
        ("/videoplayback", Playback("", "", UNKNOWN, None)),
        ("/videoplayback?" + "a=1&" * 500, Playback("", "", UNKNOWN, None)),
        ("/watch?v=1&dur=5", None),
        ("/videoplaybacks?dur=5", None),
    ],
)  # fmt: skip
def test_what_the_address_of_a_piece_says(url: str, want: Playback | None) -> None:
    assert playback_of(parse_web_url(HOST + url)) == want
