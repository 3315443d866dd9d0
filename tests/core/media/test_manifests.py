"""Manifests that others wrote, and those of people who mean no good."""

import re
from pathlib import Path

import m3u8
import pytest

from schoolgate.core.media import (
    LIVE,
    UNKNOWN,
    Course,
    Format,
    Head,
    Manifest,
    ManifestReader,
    ended,
    recognise,
)
from schoolgate.core.media.manifests import MOST_BYTES
from schoolgate.core.media.numbers import iso_duration
from schoolgate.core.urls import parse_web_url
from tests.data import shared


def read(found: Format, data: bytes, size: int = 4096) -> Manifest:
    reader = ManifestReader(found)
    for at in range(0, len(data), size):
        reader.feed(data[at : at + size])
    return reader.finish()


def corpus(ending: str) -> list[Path]:
    return sorted(shared("cases/03-streaming").rglob(f"*.{ending}"))


# The other parser counts a length at the end to which no piece belongs.
_COUNTED_WITHOUT_PIECE = "004.m3u8"
_CONTENT_TYPES = (
    "application/vnd.apple.mpegurl",
    "application/dash+xml",
    "text/html",
    "video/mp4",
    "",
)


def head(file: Path, content_type: str) -> Head:
    return Head(parse_web_url(f"https://a.example/{file.name}"), content_type)


@pytest.mark.parametrize("content_type", _CONTENT_TYPES)
def test_every_playlist_of_the_corpus_is_recognised_by_any_type(content_type: str) -> None:
    for file in corpus("m3u8"):
        data = file.read_bytes()
        found = recognise(head(file, content_type), data[:4096])
        assert found is (Format.HLS if data.strip() else None), file.name


@pytest.mark.parametrize("content_type", _CONTENT_TYPES)
def test_every_mpd_of_the_corpus_is_recognised_by_any_type(content_type: str) -> None:
    for file in corpus("mpd"):
        assert recognise(head(file, content_type), file.read_bytes()[:4096]) is Format.DASH


def test_every_playlist_of_the_corpus_is_decided_as_it_says() -> None:
    seen = 0
    for file in corpus("m3u8"):
        data = file.read_bytes()
        text = data.decode()
        got = read(Format.HLS, data)
        if "#EXT-X-ENDLIST" in text and not re.search(r"#EXTINF:\s*-", text):
            assert got.length.course is Course.ENDED, file.name
        elif "#EXT-X-STREAM-INF" in text and "#EXTINF" not in text:
            assert got.is_index, file.name
        elif "#EXTINF" in text and "PLAYLIST-TYPE:VOD" not in text:
            assert got.length == LIVE, file.name
        else:
            assert got.length.course in Course, file.name
        seen += 1
    assert seen > 150


def test_lengths_of_the_corpus_are_those_that_another_parser_adds_up() -> None:
    compared = 0
    for file in corpus("m3u8"):
        text = file.read_bytes().decode()
        got = read(Format.HLS, text.encode())
        try:
            naive = m3u8.loads(text)
        except (ValueError, TypeError, LookupError):
            # It falls over a few of them.
            continue
        told = [segment.duration for segment in naive.segments]
        if file.name != _COUNTED_WITHOUT_PIECE and got.length.course is Course.ENDED and all(told):
            assert got.length.seconds == pytest.approx(sum(told)), file.name
            compared += 1
    assert compared > 60


def test_every_mpd_of_the_corpus_is_decided_as_it_says() -> None:
    for file in corpus("mpd"):
        text = file.read_text()
        root = re.search(r"<MPD[^>]*>", text)
        assert root
        got = read(Format.DASH, text.encode()).length
        told = re.search(r'mediaPresentationDuration="([^"]*)"', root[0])
        if 'type="dynamic"' in root[0]:
            assert got == LIVE, file.name
        else:
            assert told, file.name
            assert got == ended(iso_duration(told[1]) or 0), file.name


@pytest.mark.parametrize(
    ("found", "line"),
    [
        (Format.HLS, b"#EXTINF:4,\nseg.ts\n"),
        (Format.HLS, b"x" * 1000),
        (Format.DASH, b"<S d='1'/>"),
        (Format.SMOOTH, b" "),
    ],
)
def test_a_manifest_that_does_not_end_is_read_to_the_bound_and_not_decided(
    found: Format, line: bytes
) -> None:
    reader = ManifestReader(found)
    for _ in range(50):
        reader.feed(line * (1_000_000 // len(line)))
    assert reader.is_over
    assert reader.finish() == Manifest(UNKNOWN)
    assert reader.finish().is_undecided


def test_a_film_of_a_day_lies_within_the_bound() -> None:
    text = b"#EXTM3U\n" + b"".join(b"#EXTINF:2.000,\nsegment-%06d.ts\n" % i for i in range(43_200))
    assert len(text) < MOST_BYTES
    assert read(Format.HLS, text + b"#EXT-X-ENDLIST", 65_536).length == ended(86_400)


def test_an_index_is_decided_by_what_it_names() -> None:
    assert not read(Format.HLS, b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\na.m3u8").is_undecided
