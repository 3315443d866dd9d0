"""Formats whose first bytes say how long they play: FLAC (RFC 9639), WAV, AVI, Flash video."""

import struct

from schoolgate.core.media.length import UNKNOWN, Length, ended

_MOST_BYTES = 8 * 1024


class HeadReader:
    """Keeps the beginning and reads it.

    Args:
        total: bytes of the file; None where that is not known.

    Attributes:
        is_done: the beginning is there.
    """

    def __init__(self, total: int | None) -> None:
        self.is_done = False
        self.length: Length = UNKNOWN
        self._total = total
        self._head = b""

    def feed(self, chunk: bytes, at: int) -> None:
        """Take bytes that lie at an offset of the file."""
        if self.is_done or at > len(self._head):
            return
        self._head += chunk[len(self._head) - at :][: _MOST_BYTES - len(self._head)]
        self.length = _read(self._head, self._total)
        self.is_done = len(self._head) >= _MOST_BYTES or self.length is not UNKNOWN


def _read(head: bytes, total: int | None) -> Length:
    if head.startswith(b"fLaC") and len(head) >= 26:
        return _flac(head)
    if head.startswith(b"RIFF") and head[8:12] == b"WAVE":
        return _wav(head, total)
    if head.startswith(b"RIFF") and head[8:12] == b"AVI " and len(head) >= 52:
        interval, frames = struct.unpack_from("<I12xI", head, 32)
        return ended(interval * frames / 1e6) if interval and frames else UNKNOWN
    if head.startswith(b"FLV"):
        return _flv(head)
    return UNKNOWN


def _flac(head: bytes) -> Length:
    rate = int.from_bytes(head[18:21]) >> 4
    samples = int.from_bytes(head[21:26]) & (1 << 36) - 1
    return ended(samples / rate) if rate and samples else UNKNOWN


def _wav(head: bytes, total: int | None) -> Length:
    at, a_second = 12, 0
    while at + 8 <= len(head):
        name, size = head[at : at + 4], int.from_bytes(head[at + 4 : at + 8], "little")
        if name == b"fmt " and at + 20 <= len(head):
            a_second = int.from_bytes(head[at + 16 : at + 20], "little")
        if name == b"data" and a_second:
            if size in (0, 0xFFFF_FFFF):
                # Written before its end was known.
                return ended((total - at - 8) / a_second) if total else UNKNOWN
            return ended(size / a_second)
        at += 8 + size + size % 2
    return UNKNOWN


def _flv(head: bytes) -> Length:
    at = head.find(b"duration\x00")
    if at < 0 or len(head) < at + 17:
        return UNKNOWN
    (seconds,) = struct.unpack_from(">d", head, at + 9)
    return ended(seconds) if seconds > 0 else UNKNOWN
