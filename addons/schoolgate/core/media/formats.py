"""Which media an answer is: by its first bytes, its type, its name and its address together.

First bytes that no other file has settle it, whatever the type says. Where the first bytes are those of
something else, no type and no name make media of it. Where they say nothing (a part of a file, pieces
that are encrypted), two of type, name and address must agree, or one and how it was asked for.
"""

import re
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from schoolgate.core.media.mpeg_audio import frame_at
from schoolgate.core.urls import Url


class Format(StrEnum):
    """What it is."""

    HLS = "hls"
    DASH = "dash"
    SMOOTH = "smooth"
    MP4 = "mp4"
    WEBM = "webm"
    MPEG_AUDIO = "mpeg-audio"
    OGG = "ogg"
    HEADED = "headed"
    TRANSPORT = "transport"
    OPAQUE = "opaque"

    @property
    def is_manifest(self) -> bool:
        """Whether it only names what plays."""
        return self in _MANIFESTS


_MANIFESTS = frozenset({Format.HLS, Format.DASH, Format.SMOOTH})

# Bytes after which the beginning says all that it can.
BEGINNING = 4096
_TYPES = {
    "application/vnd.apple.mpegurl": Format.HLS,
    "application/x-mpegurl": Format.HLS,
    "audio/mpegurl": Format.HLS,
    "audio/x-mpegurl": Format.HLS,
    "video/x-mpegurl": Format.HLS,
    "application/dash+xml": Format.DASH,
    "video/vnd.mpeg.dash.mpd": Format.DASH,
    "application/vnd.ms-sstr+xml": Format.SMOOTH,
}
_ENDINGS = {
    "m3u8": Format.HLS,
    "m3u": Format.HLS,
    "mpd": Format.DASH,
    "ism": Format.SMOOTH,
    "isml": Format.SMOOTH,
}
_MEDIA_ENDINGS = frozenset(
    {
        "mp4", "m4v", "m4a", "m4s", "m4f", "cmfv", "cmfa", "mov", "3gp", "3g2", "f4v", "webm", "mkv", "mka",
        "weba", "mp3", "mp2", "mpga", "aac", "ogg", "oga", "ogv", "opus", "spx", "flac", "wav", "avi", "flv",
        "ts", "m2ts", "mts", "mpg", "mpeg", "vob", "wmv", "wma", "asf",
    }
)  # fmt: skip
# Names that more often are something else: TypeScript is no transport stream.
_DOUBTFUL_ENDINGS = frozenset({"ts", "mts"})
_ADDRESS = re.compile(
    r"/videoplayback|/(?:seg(?:ment)?|chunk|frag(?:ment)?)[-_/]?\d|/range/\d+-\d+|/QualityLevels\(|/Fragments\(",
    re.IGNORECASE,
)
_MANIFEST_ADDRESS = re.compile(r"\.isml?/manifest|/manifest\(", re.IGNORECASE)
_PICTURES = frozenset(
    {
        b"avif",
        b"avis",
        b"heic",
        b"heix",
        b"heim",
        b"heis",
        b"hevc",
        b"hevx",
        b"mif1",
        b"msf1",
        b"jxl ",
        b"crx ",
    }
)
# So many frames or packets in a row are no chance.
_SURE = 3
_BOXES = frozenset({b"ftyp", b"styp", b"moov", b"moof", b"sidx", b"mdat", b"emsg", b"prft"})
# What is no media, by how it begins; most answers are settled here.
_OTHERS = re.compile(
    rb"\s*(?:<!doctype|<html|<svg|<head|<body|<script|[{\[]|/[*/]|function|import |export )"
    rb"|\s*(?:\"use strict|var |const )|\x89PNG|\xff\xd8\xff|GIF8|%PDF|PK\x03\x04|wOF[F2]"
    rb"|\x00\x01\x00\x00\x00|OTTO|\x00asm|MZ|\x7fELF|\x1f\x8b|BZh|7z\xbc\xaf",
    re.IGNORECASE,
)
# Of these, what pages are made of.
_OF_PAGES = re.compile(
    rb"\s*(?:<!doctype html|<html|<svg|<head|<body|[{\[]\s*[\"{\[]|\"use strict|/[*/]|function)"
    rb"|\x89PNG|\xff\xd8\xff|GIF8|wOF[F2]|\x00\x01\x00\x00\x00|OTTO|\x00asm",
    re.IGNORECASE,
)
_PLAYLIST = re.compile(r"^#EXT(?:M3U\b|INF:|-X-[A-Z])", re.MULTILINE)
_ROOT = re.compile(r"<(?:\w+:)?(MPD|SmoothStreamingMedia)[\s>]")


# Longer than any that there is.
_LONGEST_TYPE = 200


# There are few, and each answer's is asked for several times.
@lru_cache(maxsize=1024)
def _plain(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()


class Head(NamedTuple):
    """What is known of an answer before its body.

    Attributes:
        url: that was asked for.
        content_type: as it stands in the answer.
        is_part: the answer is a part of a file from elsewhere than its beginning.
        for_player: the browser said that it is for a player (``Sec-Fetch-Dest: video, audio``).
    """

    url: Url
    content_type: str = ""
    is_part: bool = False
    for_player: bool = False

    @property
    def plain_type(self) -> str:
        """The media type without parameters, lower case."""
        return _plain(self.content_type[:_LONGEST_TYPE])

    @property
    def ending(self) -> str:
        """What the name of the file ends in, lower case; empty for none."""
        name = self.url.path.rpartition("/")[2]
        return name.rpartition(".")[2].lower() if "." in name else ""


def hinted(head: Head) -> Format | None:
    """Say which media the head of an answer speaks of, before any byte of it is there."""
    by_type, ending = _TYPES.get(head.plain_type), head.ending
    if by_type is not None:
        return by_type
    if ending in _ENDINGS:
        return _ENDINGS[ending]
    if _MANIFEST_ADDRESS.search(head.url.path):
        return Format.SMOOTH
    signs = (
        head.plain_type.startswith(("video/", "audio/")),
        ending in _MEDIA_ENDINGS and ending not in _DOUBTFUL_ENDINGS,
        _ADDRESS.search(head.url.path) is not None,
        head.for_player,
    )
    return Format.OPAQUE if any(signs) else None


def recognise(head: Head, beginning: bytes) -> Format | None:
    """Say which media an answer is, or None for another thing.

    Args:
        head: what is known of it before its body.
        beginning: its first bytes, decoded; `BEGINNING` of them where there are so many.
    """
    if _OTHERS.match(beginning):
        return None
    if not head.is_part:
        found = _by_signature(beginning)
        if found is not None:
            return None if found is Format.OPAQUE else found
    by_type, ending = _TYPES.get(head.plain_type), head.ending
    if by_type is Format.HLS or (ending in ("m3u8", "m3u") and _is_playlist(beginning)):
        return Format.HLS if _is_playlist(beginning) else None
    weak = None if head.is_part else _by_weak_signature(beginning)
    signs = [
        head.plain_type.startswith(("video/", "audio/")),
        ending in _MEDIA_ENDINGS,
        _ADDRESS.search(head.url.path) is not None,
        head.for_player,
        head.plain_type == "application/octet-stream" and head.is_part,
    ]
    if weak is not None and any(signs):
        return weak
    return Format.OPAQUE if sum(signs) >= 2 else None


def is_other(beginning: bytes) -> bool:
    """Ask whether something is no media by its first few bytes alone."""
    return _OTHERS.match(beginning) is not None


def is_of_page(beginning: bytes) -> bool:
    """Ask whether something is a page, a picture, a font or a script by its first few bytes alone."""
    return _OF_PAGES.match(beginning) is not None


def may_be_manifest(beginning: bytes) -> bool:
    """Ask whether something may turn out to be a manifest, by its first few bytes alone."""
    text = beginning.removeprefix(b"\xef\xbb\xbf").lstrip()
    return not text or text.startswith((b"#", b"<", b"\xff\xfe", b"\xfe\xff"))


def _by_signature(beginning: bytes) -> Format | None:
    """Judge by bytes that stand in no other kind of file; OPAQUE for pictures in the same wrapping."""
    if beginning[4:8] in _BOXES:
        return Format.OPAQUE if beginning[8:12] in _PICTURES else Format.MP4
    if beginning.startswith(b"\x1a\x45\xdf\xa3"):
        return Format.WEBM
    if beginning.startswith(b"OggS"):
        return Format.OGG
    if beginning.startswith((b"fLaC", b"FLV\x01")):
        return Format.HEADED
    if beginning.startswith(b"RIFF"):
        return Format.HEADED if beginning[8:12] in (b"WAVE", b"AVI ") else Format.OPAQUE
    if beginning.startswith(b"ID3") and len(beginning) > 3 and beginning[3] < 8:
        return Format.MPEG_AUDIO
    if _frames(beginning) >= _SURE or _packets(beginning) >= _SURE:
        return Format.MPEG_AUDIO if beginning[0] == 0xFF else Format.TRANSPORT
    return _manifest(beginning)


def _packets(beginning: bytes) -> int:
    """Count the packets of a transport stream, one cut off too; 0 where one has another first byte."""
    firsts = beginning[::188]
    return len(firsts) if firsts and set(firsts) == {0x47} else 0


def _manifest(beginning: bytes) -> Format | None:
    if beginning.startswith(b"\xff\xfe"):
        text = beginning[2:].decode("utf-16-le", "ignore")
    elif beginning.startswith(b"\xfe\xff"):
        text = beginning[2:].decode("utf-16-be", "ignore")
    else:
        text = beginning.removeprefix(b"\xef\xbb\xbf").decode("latin-1")
    text = text.lstrip()
    if text.startswith("#") and _PLAYLIST.search(text):
        return Format.HLS
    if not text.startswith("<"):
        return None
    root = _ROOT.search(text)
    if root is None:
        return None
    return Format.DASH if root[1] == "MPD" else Format.SMOOTH


def _is_playlist(beginning: bytes) -> bool:
    return b"#EXT" in beginning


def _by_weak_signature(beginning: bytes) -> Format | None:
    """Judge by what may stand in another file by chance, seen twice in a row."""
    if _packets(beginning):
        return Format.TRANSPORT
    return Format.MPEG_AUDIO if _frames(beginning) else None


def _frames(beginning: bytes) -> int:
    """Count the frames of audio that follow each other from the first byte on; one cut off does not count."""
    count, at = 0, 0
    while (frame := frame_at(beginning, at)) is not None:
        count, at = count + 1, at + frame.size
    # What ends within the beginning and is followed by something else is no audio.
    return count if at + 7 > len(beginning) else 0
