"""Films and streams made by ffmpeg: small pictures, few of them, and a tone."""

import subprocess
from pathlib import Path

from tests.system.conftest import program

_H264 = (
    "-c:v",
    "libx264",
    "-preset",
    "ultrafast",
    "-g",
    "16",
    "-pix_fmt",
    "yuv420p",
    "-c:a",
    "aac",
    "-b:a",
    "16k",
)
_VP8 = (
    "-c:v",
    "libvpx",
    "-b:v",
    "20k",
    "-cpu-used",
    "8",
    "-deadline",
    "realtime",
    "-c:a",
    "libopus",
    "-b:a",
    "8k",
)
_TIMEOUT_SECONDS = 480


def ffmpeg(*arguments: str | Path) -> None:
    """Run it to its end."""
    command = [program("ffmpeg"), "-v", "error", "-y", *map(str, arguments)]
    subprocess.run(command, check=True, timeout=_TIMEOUT_SECONDS)


def film(file: Path, seconds: int, *more: str, rate: int = 4, tone: int = 22_050) -> Path:
    """Make one, as the name of the file says: MP4 or WebM with pictures, else a tone alone.

    Args:
        file: where to.
        seconds: it plays.
        more: arguments of ffmpeg.
        rate: pictures a second.
        tone: samples a second.
    """
    length = ("-t", str(seconds))
    sound = ("-f", "lavfi", "-i", f"sine=r={tone}")
    pictures = ("-f", "lavfi", "-i", f"testsrc=s=64x36:r={rate}")
    if file.suffix in (".mp4", ".mkv", ".ts", ".mov"):
        ffmpeg(*pictures, *sound, *length, *_H264, *more, file)
    elif file.suffix == ".webm":
        ffmpeg(*pictures, *sound, *length, *_VP8, *more, file)
    else:
        ffmpeg(*sound, *length, *more, file)
    return file


def laid_out(source: Path, file: Path, flags: str) -> Path:
    """Write an MP4 with its parts in another order, or in fragments."""
    ffmpeg("-i", source, "-c", "copy", "-movflags", flags, file)
    return file


def as_hls(source: Path, folder: Path, *more: str) -> Path:
    """Cut a film into pieces of four seconds with a playlist."""
    folder.mkdir(parents=True)
    list_ = folder / "list.m3u8"
    ffmpeg(
        "-i",
        source,
        "-c",
        "copy",
        "-f",
        "hls",
        "-hls_time",
        "4",
        "-hls_list_size",
        "0",
        *more,
        list_,
    )
    return list_


def as_dash(source: Path, folder: Path) -> Path:
    """Cut a film into pieces of four seconds with a manifest of DASH."""
    folder.mkdir(parents=True)
    manifest = folder / "film.mpd"
    ffmpeg("-i", source, "-c", "copy", "-f", "dash", "-seg_duration", "4", manifest)
    return manifest
