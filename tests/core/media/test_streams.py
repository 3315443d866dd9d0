"""The pieces that lists name are parts of one stream, whichever of its renditions they are of."""

import pytest

from schoolgate.core.media import streams
from schoolgate.core.media.hls import HlsReader
from schoolgate.core.media.segments import Segment
from schoolgate.core.media.streams import Place, Streams
from schoolgate.core.urls import parse_url

SITE = "https://tv.example/film"
TWO = [Segment("0.ts", 0.0, 6.0), Segment("1.ts", 6.0, 4.0)]


def url(path: str) -> str:
    return f"{SITE}/{path}"


def note(known: Streams, path: str, segments: list[Segment], playlists: list[str]) -> None:
    known.note(parse_url(url(path)), segments, playlists)


def find(known: Streams, path: str) -> Place | None:
    return known.find(parse_url(url(path)))


@pytest.mark.parametrize("master_first", [True, False])
def test_renditions_that_a_list_names_are_one_stream(master_first: bool) -> None:
    known = Streams()
    if master_first:
        note(known, "all.m3u8", [], ["low/list.m3u8", "sound/list.m3u8"])
    note(known, "low/list.m3u8", TWO, [])
    note(known, "sound/list.m3u8", TWO, [])
    if not master_first:
        note(known, "all.m3u8", [], ["low/list.m3u8", "sound/list.m3u8"])
    want = Place(url("all.m3u8"), url("low/list.m3u8"), 6.0, 4.0)
    assert find(known, "low/1.ts") == want
    assert find(known, "sound/1.ts") == want._replace(rendition=url("sound/list.m3u8"))
    assert find(known, "low/2.ts") is None


def test_a_list_by_itself_is_its_own_stream() -> None:
    known = Streams()
    note(known, "list.m3u8?a=1", [Segment("https://cdn.example/x?y=z", 0.0, 6.0)], [])
    place = known.find(parse_url("https://cdn.example/x?y=z"))
    assert place == Place(url("list.m3u8?a=1"), url("list.m3u8?a=1"), 0.0, 6.0)


def test_parts_of_one_file_are_one_piece() -> None:
    known = Streams()
    note(known, "l.m3u8", [Segment("f.mp4", 0.0, 6.0), Segment("f.mp4", 6.0, 6.0)], [])
    assert find(known, "f.mp4") == Place(url("l.m3u8"), url("l.m3u8"), 0.0, 12.0)


def test_lists_have_a_bound_and_the_oldest_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "MOST_LISTS", 2)
    monkeypatch.setattr(streams, "MOST_PIECES", 1)
    known = Streams()
    for name in "abc":
        note(known, f"{name}/l.m3u8", TWO, [])
    found = [find(known, f"{name}/0.ts") is not None for name in "abc"]
    assert found == [False, True, True]
    assert find(known, "c/1.ts") is None


def test_what_is_no_address_is_passed_over() -> None:
    known = Streams()
    note(known, "l.m3u8", [Segment("http://[", 0.0, 6.0), *TWO], ["http://["])
    assert find(known, "0.ts") is not None


def test_a_list_of_lists_is_read() -> None:
    reader = HlsReader()
    reader.feed(
        b'#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,URI="a.m3u8"\n#EXT-X-STREAM-INF:BANDWIDTH=1\nlow.m3u8\n'
        b'#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=1,URI="i.m3u8"\n'
    )
    reader.finish()
    assert reader.playlists == ["a.m3u8", "low.m3u8", "i.m3u8"]
