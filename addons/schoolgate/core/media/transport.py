"""The length of MPEG transport streams by their clock references (ISO/IEC 13818-1, 2.4.3.5)."""

from schoolgate.core.media.length import UNKNOWN, Length, at_least, ended

_PACKET, _SYNC, _CLOCK = 188, 0x47, 90_000
_TURN = 1 << 33
# From so far on, a file of known size is taken to go on as it began.
_SAMPLE_BYTES = 512 * 1024


class TransportReader:
    """Reads the first clock and the latest; a file of known size goes on as it began.

    Args:
        total: bytes of the file; None where that is not known, so that it may have no end.

    Attributes:
        is_done: False; every packet may have another clock.
    """

    is_done = False

    def __init__(self, total: int | None) -> None:
        self._total = total
        self._first: int | None = None
        self._elapsed = 0
        self._rest = b""
        self._next = 0
        self._reached = 0

    @property
    def length(self) -> Length:
        """How long it plays, as far as that is known yet."""
        seconds = self._elapsed / _CLOCK
        if not seconds:
            return UNKNOWN
        if self._total is not None and self._reached >= min(_SAMPLE_BYTES, self._total * 3 // 4):
            return ended(seconds * self._total / self._reached)
        return at_least(seconds)

    def feed(self, chunk: bytes, at: int) -> None:
        """Take bytes that lie at an offset of the file; those of another place than the next are not read."""
        if at != self._next:
            return
        self._next += len(chunk)
        data = self._rest + chunk
        whole = len(data) // _PACKET * _PACKET
        self._rest = data[whole:]
        begins = self._next - len(data)
        # The first clock, then the last of what came: the others add nothing.
        places = range(0, whole, _PACKET)
        if self._first is None:
            self._first = next((c for p in places if (c := _clock(data, p)) is not None), None)
        if self._first is not None:
            for place in reversed(places):
                clock = _clock(data, place)
                if clock is not None:
                    self._came_to((clock - self._first) % _TURN, begins + place)
                    return

    def _came_to(self, ticks: int, place: int) -> None:
        # A clock that went back began anew.
        if self._elapsed <= ticks < _TURN // 2:
            self._elapsed, self._reached = ticks, place


def _clock(data: bytes, at: int) -> int | None:
    """Give the clock of a packet that has one, in ticks."""
    if data[at] != _SYNC or not data[at + 3] & 0x20 or data[at + 4] < 7 or not data[at + 5] & 0x10:
        return None
    return int.from_bytes(data[at + 6 : at + 10]) << 1 | data[at + 10] >> 7
