"""Files that ffmpeg makes, of twenty seconds and of three hours, play as long as they are found to."""

import subprocess
from pathlib import Path

import pytest

from schoolgate.core.media import (
    BEGINNING,
    Format,
    Head,
    Length,
    ManifestReader,
    reader_of,
    recognise,
)
from schoolgate.core.urls import parse_url
from tests.system.conftest import program
from tests.system.films import as_dash, as_hls, ffmpeg, film

pytestmark = pytest.mark.long

SHORT, LONG = 20, 3 * 3600
# A long film is a short one again and again: it takes seconds to make instead of minutes.
_PART_SECONDS, _PARTS = 600, 18
_CHUNK_BYTES = 64 * 1024
# What a frame or a page more than the film makes; of fragments the last is known to have begun.
_OFF_SECONDS, _FRAGMENT_SECONDS = 1.0, 16
FILES: dict[str, tuple[str, ...]] = {
    "plain.mp4": (),
    "fast.mp4": ("-movflags", "faststart"),
    "fragments.mp4": ("-movflags", "frag_keyframe+empty_moov"),
    "film.webm": (),
    "constant.mp3": ("-b:a", "16k"),
    "variable.mp3": ("-q:a", "9"),
    "sound.ogg": ("-c:a", "libvorbis"),
    "sound.flac": (),
}


def length_of(file: Path) -> Length | None:
    """Read a file as it would flow, and give what is known of its length at the end."""
    total, at = file.stat().st_size, 0
    with file.open("rb") as opened:
        beginning = opened.read(BEGINNING)
        found = recognise(Head(parse_url(f"https://video.test/{file.name}")), beginning)
        assert found is not None
        reader = reader_of(found, total)
        assert reader is not None
        opened.seek(0)
        while (chunk := opened.read(_CHUNK_BYTES)) and not reader.is_done:
            reader.feed(chunk, at)
            at += len(chunk)
    return reader.length


def probed(file: Path) -> float:
    """Give the seconds that ffprobe finds."""
    asked = ("-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0", str(file))
    said = subprocess.run([program("ffprobe"), *asked], check=True, capture_output=True, text=True)
    return float(said.stdout)


def made(folder: Path, name: str, seconds: int) -> Path:
    more = FILES[name]
    if seconds == SHORT or name == "sound.flac":
        return film(folder / name, seconds, *more, rate=1, tone=8_000)
    part = film(folder / f"part-{name}", _PART_SECONDS, *more, rate=1, tone=8_000)
    copied = more if "-movflags" in more else ()
    loop = ("-stream_loop", str(_PARTS - 1))
    ffmpeg(*loop, "-i", part, "-c", "copy", *copied, folder / name)
    return folder / name


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("seconds", [SHORT, LONG])
def test_a_file_is_as_long_as_it_was_made(name: str, seconds: int, tmp_path: Path) -> None:
    file = made(tmp_path, name, seconds)
    length, off = length_of(file), _FRAGMENT_SECONDS if "fragments" in name else _OFF_SECONDS
    assert length is not None
    assert length.seconds == pytest.approx(probed(file), abs=off)
    assert probed(file) == pytest.approx(seconds, rel=0.001, abs=_OFF_SECONDS)


@pytest.mark.parametrize("seconds", [SHORT, LONG])
def test_a_stream_is_as_long_as_it_was_made(seconds: int, tmp_path: Path) -> None:
    whole = made(tmp_path, "plain.mp4", seconds)
    for format_, file in (
        (Format.HLS, as_hls(whole, tmp_path / "hls")),
        (Format.DASH, as_dash(whole, tmp_path / "dash")),
    ):
        reader = ManifestReader(format_)
        reader.feed(file.read_bytes())
        assert reader.finish().length.seconds == pytest.approx(probed(whole), abs=_OFF_SECONDS)
