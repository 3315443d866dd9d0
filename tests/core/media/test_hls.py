import m3u8
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schoolgate.core.media import LIVE, UNKNOWN, HlsReader, Length, ended


def read(text: str, size: int = 7) -> tuple[Length, HlsReader]:
    reader, data = HlsReader(), text.encode()
    for at in range(0, len(data), size):
        reader.feed(data[at : at + size])
    return reader.finish(), reader


PIECES = "#EXTINF:4.5,\na.ts\n#EXTINF:3,title\nb.ts\n"
MEDIA = "#EXTM3U\n#EXT-X-TARGETDURATION:5\n"


@pytest.mark.parametrize(
    ("text", "want"),
    [
        (MEDIA + PIECES + "#EXT-X-ENDLIST\n", ended(7.5)),
        (MEDIA + PIECES + "#EXT-X-ENDLIST", ended(7.5)),
        (MEDIA.replace("\n", "\r\n") + PIECES + "  #EXT-X-ENDLIST  ", ended(7.5)),
        (MEDIA + "#EXT-X-ENDLIST\n" + PIECES, ended(7.5)),
        (MEDIA + PIECES, LIVE),
        (MEDIA + "#EXT-X-PLAYLIST-TYPE:EVENT\n" + PIECES, LIVE),
        (MEDIA + "#EXT-X-PLAYLIST-TYPE:EVENT\n" + PIECES + "#EXT-X-ENDLIST", ended(7.5)),
        (MEDIA + "#EXT-X-PLAYLIST-TYPE:VOD\n" + PIECES, ended(7.5)),
        (MEDIA + "#EXT-X-PLAYLIST-TYPE:VOD\n#EXT-X-MEDIA-SEQUENCE:9\n" + PIECES, LIVE),
        (MEDIA + "#EXT-X-PLAYLIST-TYPE:VOD\n" + PIECES + '#EXT-X-PART:DURATION=1,URI="p"', LIVE),
        (MEDIA + PIECES + '#EXT-X-PRELOAD-HINT:TYPE=PART,URI="p"', LIVE),
        (MEDIA + "#EXT-X-SKIP:SKIPPED-SEGMENTS=3\n" + PIECES, LIVE),
        (MEDIA + "#EXT-X-SKIP:SKIPPED-SEGMENTS=3\n" + PIECES + "#EXT-X-ENDLIST", ended(22.5)),
        (MEDIA + PIECES + "#EXT-X-DISCONTINUITY\n" + PIECES + "#EXT-X-ENDLIST", ended(15)),
        (
            MEDIA + "#EXT-X-I-FRAMES-ONLY\n#EXT-X-BYTERANGE:9@0\n" + PIECES + "#EXT-X-ENDLIST",
            ended(7.5),
        ),
        (MEDIA + PIECES + "words\n#EXT-X-ENDLIST", ended(7.5)),
        (MEDIA, LIVE),
        ("#EXTM3U\n#EXTINF:-1,A station\nhttp://a.example/\n", LIVE),
        ("#EXTM3U\n#EXTINF:-1,A station\nhttp://a.example/\n#EXT-X-ENDLIST\n", LIVE),
        ("#EXTM3U\n", UNKNOWN),
        ("", UNKNOWN),
        ("#EXTM3U\n#EXTINF:inf,\na.ts\n#EXT-X-ENDLIST", ended(0)),
    ],
)
def test_length_of_a_playlist(text: str, want: Length) -> None:
    length, reader = read(text)
    assert (length, reader.is_index) == (want, False)


@pytest.mark.parametrize(
    "text",
    [
        "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nlow.m3u8\n",
        '#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,URI="a.m3u8"\n',
        '#EXTM3U\n#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=1,URI="i.m3u8"\n',
        '#EXTM3U\n#EXT-X-SESSION-DATA:DATA-ID="a"\n',
        "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXT-X-STREAM-INF:BANDWIDTH=1\nlow.m3u8\n",
    ],
)
def test_an_index_plays_nothing_by_itself(text: str) -> None:
    length, reader = read(text)
    assert (length, reader.is_index) == (UNKNOWN, True)


def test_pieces_have_their_place_and_length() -> None:
    _, reader = read(MEDIA + PIECES)
    assert [(s.uri, s.start, s.seconds) for s in reader.segments] == [
        ("a.ts", 0, 4.5),
        ("b.ts", 4.5, 3),
    ]


@given(
    seconds=st.lists(st.floats(0, 1e4).map(lambda x: round(x, 3)), max_size=30),
    end=st.booleans(),
    tags=st.lists(st.sampled_from(["#EXT-X-DISCONTINUITY", "#EXT-X-GAP", "# words", "", "#EXT-X-BITRATE:9"])),
    size=st.integers(1, 400),
    newline=st.sampled_from(["\n", "\r\n"]),
)  # fmt: skip
def test_a_playlist_however_cut_is_read_as_another_parser_reads_it(
    seconds: list[float], end: bool, tags: list[str], size: int, newline: str
) -> None:
    lines = ["#EXTM3U", "#EXT-X-TARGETDURATION:10000"]
    for i, each in enumerate(seconds):
        lines += [f"#EXTINF:{each:.3f},", *tags[i : i + 1], f"{i}.ts"]
    text = newline.join([*lines, *(["#EXT-X-ENDLIST"] if end else [])])
    length, reader = read(text, size)
    naive = m3u8.loads(text)
    total = sum(segment.duration for segment in naive.segments)
    assert len(reader.segments) == len(naive.segments)
    if naive.is_endlist:
        assert length.seconds == pytest.approx(total)
    else:
        assert length == LIVE
