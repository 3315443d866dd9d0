"""The length of WebM and Matroska by their elements (RFC 8794, RFC 9559)."""

import struct

from schoolgate.core.media.length import UNKNOWN, Length, at_least, ended
from schoolgate.core.media.window import Window

_SEGMENT, _INFO, _CLUSTER = 0x18538067, 0x1549A966, 0x1F43B675
_SCALE, _DURATION, _TIMESTAMP = 0x2AD7B1, 0x4489, 0xE7
_OPENED = frozenset({_SEGMENT, _INFO, _CLUSTER})
_READ = frozenset({_SCALE, _DURATION, _TIMESTAMP})
_MOST_BYTES = 64
_NANOSECONDS = 1e9


class EbmlReader:
    """Reads elements as they come; what media there is between them is passed over.

    Attributes:
        is_done: its length is known, or nothing can be read of it.
    """

    def __init__(self) -> None:
        self.is_done = False
        self._window = Window(_MOST_BYTES)
        self._scale = 1_000_000
        self._duration: float | None = None
        self._first: int | None = None
        self._last = 0

    @property
    def length(self) -> Length:
        """How long it plays, as far as that is known yet."""
        tick = self._scale / _NANOSECONDS
        if self._duration:
            return ended(self._duration * tick)
        elapsed = (self._last - (self._first or 0)) * tick
        return at_least(elapsed) if elapsed > 0 else UNKNOWN

    def feed(self, chunk: bytes, at: int) -> None:
        """Take bytes that lie at an offset of the file."""
        while not self.is_done and self._window.offer(chunk, at):
            while not self.is_done and self._step():
                pass

    def _step(self) -> bool:
        """Go one element on; False where more must come first."""
        data = self._window.data
        found = _vint(data, 0, keep_marker=True)
        if found is None:
            self.is_done = bool(data) and data[0] < 0x10
            return False
        id_, after = found
        found = _vint(data, after, keep_marker=False)
        if found is None:
            self.is_done = len(data) > after and data[after] == 0
            return False
        size, after = found
        if id_ in _OPENED:
            self._window.skip(after)
        elif size < 0:
            self.is_done = True
        elif id_ in _READ and size <= 8:
            if len(data) < after + size:
                return False
            self._read(id_, bytes(data[after : after + size]))
            self._window.skip(after + size)
        else:
            self._window.skip(after + size)
        return True

    def _read(self, id_: int, body: bytes) -> None:
        if id_ == _SCALE:
            self._scale = int.from_bytes(body) or self._scale
        elif id_ == _DURATION and len(body) in (4, 8):
            (self._duration,) = struct.unpack(">f" if len(body) == 4 else ">d", body)
        elif id_ == _TIMESTAMP:
            # Whatever is told of the whole comes before it.
            self.is_done = bool(self._duration)
            self._last = int.from_bytes(body)
            self._first = self._last if self._first is None else self._first


def _vint(data: bytearray, at: int, *, keep_marker: bool) -> tuple[int, int] | None:
    """Read a number of variable size (RFC 8794, 4).

    Returns:
        It, -1 for a size that is not known, and where what follows begins; None where more must come
        or where none begins there.
    """
    if at >= len(data) or not data[at]:
        return None
    length = 9 - data[at].bit_length()
    if at + length > len(data) or (keep_marker and length > 4):
        return None
    value = int.from_bytes(data[at : at + length])
    if not keep_marker:
        mask = (1 << 7 * length) - 1
        value &= mask
        value = -1 if value == mask else value
    return value, at + length
