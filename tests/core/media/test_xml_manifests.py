from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mpegdash.parser import MPEGDASHParser

from schoolgate.core.media import LIVE, UNKNOWN, Length, ended
from schoolgate.core.media.numbers import iso_duration
from schoolgate.core.media.xml_manifests import XmlManifestReader


def read(text: str | bytes, size: int = 11) -> Length:
    reader, data = XmlManifestReader(), text.encode() if isinstance(text, str) else text
    for at in range(0, len(data), size):
        reader.feed(data[at : at + size])
    return reader.finish()


def mpd(inside: str = "", **attributes: str) -> str:
    said = " ".join(f'{name}="{value}"' for name, value in attributes.items())
    return f'<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" {said}>{inside}</MPD>'


TIMELINE = """<Period><AdaptationSet><SegmentTemplate timescale="1000" media="$Time$.m4s"><SegmentTimeline>
<S t="0" d="4000" r="9"/><S d="2000"/></SegmentTimeline></SegmentTemplate><Representation id="1"/>
</AdaptationSet><AdaptationSet><SegmentTemplate timescale="1"><SegmentTimeline><S d="41"/></SegmentTimeline>
</SegmentTemplate></AdaptationSet></Period>"""
CHUNKS = """<StreamIndex><c d="20"/><c d="30" r="2"/></StreamIndex><StreamIndex><c d="70"/></StreamIndex>"""
LISTED = """<Period><AdaptationSet><Representation><SegmentList timescale="10" duration="60">
<SegmentURL media="1"/><SegmentURL media="2"/></SegmentList></Representation></AdaptationSet></Period>"""


@pytest.mark.parametrize(
    ("text", "want"),
    [
        (mpd(type="static", mediaPresentationDuration="PT1H2M3.5S"), ended(3723.5)),
        (mpd(mediaPresentationDuration="PT6S"), ended(6)),
        (mpd(type="dynamic", minimumUpdatePeriod="PT2S"), LIVE),
        (mpd(type="dynamic", mediaPresentationDuration="PT6S"), LIVE),
        (mpd('<Period duration="PT4S"/><Period duration="PT5S"/>', type="static"), ended(9)),
        (mpd(TIMELINE), ended(42)),
        (mpd(TIMELINE + LISTED), ended(54)),
        (mpd(TIMELINE, mediaPresentationDuration="PT40S"), ended(40)),
        (mpd("<Period/>"), UNKNOWN),
        (mpd(mediaPresentationDuration="tomorrow"), UNKNOWN),
        (mpd(mediaPresentationDuration="PT6S")[:-3], UNKNOWN),
        ('<SmoothStreamingMedia Duration="1230000000"/>', ended(123)),
        ('<SmoothStreamingMedia Duration="600" TimeScale="10"/>', ended(60)),
        ('<SmoothStreamingMedia Duration="0" IsLive="TRUE"/>', LIVE),
        (f'<SmoothStreamingMedia TimeScale="10">{CHUNKS}</SmoothStreamingMedia>', ended(8)),
        ('<SmoothStreamingMedia Duration="1230000000"/>'.encode("utf-16"), ended(123)),
        ("<rss/>", UNKNOWN),
        ("no xml", UNKNOWN),
        ("", UNKNOWN),
    ],
)  # fmt: skip
def test_length_of_a_manifest(text: str | bytes, want: Length) -> None:
    assert read(text) == want


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("PT6S", 6.0),
        ("P0Y0M0DT0H0M16S", 16.0),
        ("P1DT1S", 86_401.0),
        ("PT1.5S", 1.5),
        ("P", None),
        ("PT", None),
        ("6", None),
        ("-PT6S", None),
        ("PT" + "9" * 400 + "S", None),
    ],
)
def test_durations(text: str, want: float | None) -> None:
    assert iso_duration(text) == want


def test_entities_are_refused_before_they_grow() -> None:
    laughs = "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10}">' for i in range(1, 10))
    bomb = f'<!DOCTYPE MPD [<!ENTITY l0 "lol">{laughs}]>' + mpd("&l9;", type="static")
    assert read(bomb) == UNKNOWN


@given(st.binary(max_size=300))
def test_no_bytes_raise(data: bytes) -> None:
    assert read(data, 50).course in ("unknown", "live", "ended")
    read(b"<MPD>" + data)


timelines = st.lists(st.tuples(st.integers(1, 10_000), st.integers(0, 20)), min_size=1, max_size=8)


@given(
    periods=st.lists(st.tuples(timelines, st.integers(1, 90_000)), min_size=1, max_size=4),
    dynamic=st.booleans(),
    declared=st.none() | st.integers(1, 100_000),
    size=st.integers(1, 300),
)
def test_a_manifest_however_cut_is_read_as_another_parser_reads_it(
    periods: list[tuple[list[tuple[int, int]], int]], dynamic: bool, declared: int | None, size: int
) -> None:
    inside = "".join(
        f'<Period><AdaptationSet mimeType="video/mp4"><SegmentTemplate timescale="{scale}"><SegmentTimeline>'
        + "".join(f'<S d="{d}" r="{r}"/>' for d, r in runs)
        + "</SegmentTimeline></SegmentTemplate></AdaptationSet></Period>"
        for runs, scale in periods
    )
    said = {"mediaPresentationDuration": f"PT{declared}S"} if declared else {}
    text = mpd(
        inside, type="dynamic" if dynamic else "static", profiles="p", minBufferTime="PT1S", **said
    )
    length = read(text, size)
    naive: Any = MPEGDASHParser.parse(text)
    if naive.type == "dynamic":
        assert length == LIVE
        return
    total = 0.0
    for period in naive.periods:
        template = period.adaptation_sets[0].segment_templates[0]
        total += sum(s.d * (s.r + 1) for s in template.segment_timelines[0].Ss) / template.timescale
    assert length.seconds == pytest.approx(declared or total)
