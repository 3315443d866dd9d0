"""The pieces of a manifest of MPEG-DASH are known by their addresses, as a player makes them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schoolgate.core.media.formats import Format
from schoolgate.core.media.manifests import Manifest, ManifestReader
from schoolgate.core.media.streams import Place, Streams
from schoolgate.core.urls import parse_url

MPD = "https://tv.example/film/all.mpd"


def manifest(inner: str, attributes: str = 'mediaPresentationDuration="PT40S"') -> Manifest:
    reader = ManifestReader(Format.DASH)
    text = f'<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" {attributes}>{inner}</MPD>'
    reader.feed(text.encode())
    return reader.finish()


def known(inner: str) -> Streams:
    streams, found = Streams(), manifest(inner)
    streams.note(parse_url(MPD), found.segments, found.playlists, found.patterns)
    return streams


def find(streams: Streams, address: str) -> tuple[float, float] | None:
    place = streams.find(parse_url(address, MPD))
    if place is None:
        return None
    assert place == Place(MPD, MPD, place.start, place.seconds)
    return place.start, place.seconds


def one(inner: str, representation: str = '<Representation id="v1" bandwidth="800"/>') -> str:
    return f"<Period><AdaptationSet>{inner}{representation}</AdaptationSet></Period>"


BY_NUMBER = (
    '<SegmentTemplate media="$RepresentationID$/$Number%05d$.m4s" timescale="10" duration="40"/>'
)
BY_TIME = """<SegmentTemplate media="s$Time$-$Bandwidth$.m4s" timescale="10" presentationTimeOffset="100">
<SegmentTimeline><S t="100" d="20" r="1"/><S d="15"/><S t="200" d="50" r="-1"/></SegmentTimeline>
</SegmentTemplate>"""
BY_PLACE = """<SegmentTemplate media="$Number$.m4s" startNumber="7">
<SegmentTimeline><S t="0" d="2" r="1"/><S d="3"/></SegmentTimeline></SegmentTemplate>"""


@pytest.mark.parametrize(
    ("inner", "places"),
    [
        pytest.param(
            one(BY_NUMBER),
            {
                "v1/00001.m4s": (0.0, 4.0),
                "v1/00011.m4s": (40.0, 4.0),
                "v2/00001.m4s": None,
                "v1/00000.m4s": None,
            },
            id="a number, and whose it is",
        ),
        pytest.param(
            one(BY_TIME),
            {
                "s100-800.m4s": (0.0, 2.0),
                "s120-800.m4s": (2.0, 2.0),
                "s140-800.m4s": (4.0, 1.5),
                "s155-800.m4s": None,
                "s200-800.m4s": (10.0, 5.0),
                "s450-800.m4s": (35.0, 5.0),
                "s500-800.m4s": None,
                "s101-800.m4s": None,
            },
            id="a time, with a gap, to the end of the period",
        ),
        pytest.param(
            one(BY_PLACE),
            {"7.m4s": (0.0, 2.0), "8.m4s": (2.0, 2.0), "9.m4s": (4.0, 3.0), "10.m4s": None},
            id="numbers of a time line",
        ),
        pytest.param(
            one(BY_NUMBER, '<Representation id="7"/><Representation id="8"/>'),
            {"7/00002.m4s": (4.0, 4.0), "8/00002.m4s": (4.0, 4.0), "9/00002.m4s": None},
            id="what an adaptation set says holds for each of its renditions",
        ),
        pytest.param(
            one(
                BY_NUMBER,
                '<Representation id="a"><SegmentTemplate media="x$Number$"/></Representation>',
            ),
            {"x3": (8.0, 4.0), "a/00003.m4s": None},
            id="a rendition says another address alone",
        ),
        pytest.param(
            one(
                BY_PLACE,
                '<Representation id="a"><SegmentTemplate media="$Number$" timescale="2">'
                '<SegmentTimeline><S d="10"/></SegmentTimeline></SegmentTemplate></Representation>'
                '<Representation id="b"/>',
            ),
            {"7": (0.0, 5.0), "8": None, "8.m4s": (2.0, 2.0)},
            id="a time line of its own",
        ),
        pytest.param(
            '<BaseURL>https://cdn.example/a/</BaseURL><Period start="PT10S"><BaseURL>b/</BaseURL>'
            "<BaseURL>https://other.example/</BaseURL>"
            f"<AdaptationSet>{BY_NUMBER}<Representation id='v'><BaseURL>c/</BaseURL></Representation>"
            "</AdaptationSet></Period>",
            {"https://cdn.example/a/b/c/v/00001.m4s": (10.0, 4.0), "v/00001.m4s": None},
            id="bases below each other, the first of several",
        ),
        pytest.param(
            f'<Period duration="PT12S"><AdaptationSet>{BY_NUMBER}<Representation id="a"/></AdaptationSet>'
            f'</Period><Period><AdaptationSet>{BY_NUMBER}<Representation id="b"/></AdaptationSet></Period>',
            {"a/00001.m4s": (0.0, 4.0), "b/00001.m4s": (12.0, 4.0)},
            id="a period after another",
        ),
        pytest.param(
            one(
                '<SegmentList timescale="2" duration="10"><SegmentURL media="x.m4s"/>'
                '<SegmentURL media="y.m4s"/></SegmentList>'
            ),
            {"x.m4s": (0.0, 5.0), "y.m4s": (5.0, 5.0)},
            id="a list",
        ),
        pytest.param(
            one("", '<Representation id="a"><BaseURL>film.mp4</BaseURL><SegmentBase/></Representation>'),
            {"film.mp4": (0.0, 40.0), "all.mpd": None},
            id="a file, of which parts are asked for",
        ),
        pytest.param(
            one('<SegmentTemplate media="v1$Number$1.m4s" duration="4"/>'),
            {"v121.m4s": (4.0, 4.0), "v1121.m4s": (44.0, 4.0), "v11.m4s": None, "v101.m4s": None},
            id="digits beside the number",
        ),
        pytest.param(
            one('<SegmentTemplate media="$Number$-$Time$.m4s" duration="4"/>'),
            {"1-0.m4s": None},
            id="two numbers are counted by their bytes",
        ),
    ],
)  # fmt: skip
def test_where_pieces_are(inner: str, places: dict[str, tuple[float, float] | None]) -> None:
    streams = known(inner)
    assert {address: find(streams, address) for address in places} == places


TIMELINES = st.lists(
    st.tuples(st.integers(1, 50), st.integers(0, 3), st.integers(0, 30)), min_size=1, max_size=6
)


@given(TIMELINES, st.booleans(), st.integers(0, 5))
def test_a_time_line_names_what_a_player_would_ask_for_and_nothing_else(
    line: list[tuple[int, int, int]], by_time: bool, first: int
) -> None:
    elements, want, at, number = [], {}, 0, first
    for duration, repeated, gap in line:
        at += gap
        elements.append(f'<S t="{at}" d="{duration}" r="{repeated}"/>')
        for _ in range(repeated + 1):
            want[at if by_time else number] = float(at), float(duration)
            at, number = at + duration, number + 1
    media = "$Time$" if by_time else "$Number$"
    streams = known(
        one(
            f'<SegmentTemplate media="{media}.m4s" startNumber="{first}"><SegmentTimeline>'
            f"{''.join(elements)}</SegmentTimeline></SegmentTemplate>"
        )
    )
    asked = range(max(want) + 60)
    found = {key: place for key in asked if (place := find(streams, f"{key}.m4s"))}
    assert found == want


def test_a_manifest_that_is_thrown_out_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("schoolgate.core.media.streams.MOST_LISTS", 1)
    streams, found = Streams(), manifest(one(BY_NUMBER))
    for name in ("a", "b"):
        url = parse_url(f"https://tv.example/{name}/all.mpd")
        streams.note(url, found.segments, found.playlists, found.patterns)
    assert streams.find(parse_url("https://tv.example/a/v1/00001.m4s")) is None
    assert streams.find(parse_url("https://tv.example/b/v1/00001.m4s")) is not None


def test_what_a_manifest_may_name_has_a_bound() -> None:
    runs = "<S d='1'/>" * 30_000
    line = f"<SegmentTimeline>{runs}</SegmentTimeline>"
    [pattern] = manifest(one(f'<SegmentTemplate media="$Time$">{line}</SegmentTemplate>')).patterns
    assert len(pattern.runs) == 20_000
