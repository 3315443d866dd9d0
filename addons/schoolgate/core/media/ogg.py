"""The length of Ogg by the positions of its pages (RFC 3533): Vorbis, Opus, FLAC, Speex, Theora."""

from schoolgate.core.media.length import UNKNOWN, Length, at_least, ended

_PAGE, _HEADER = b"OggS", 27
_UNKNOWN_POSITION = (1 << 64) - 1
_LAST = 4
# In which the first page of each kind of media stands.
_HEAD_BYTES = 4096
# From so far on, a file of known size is taken to go on as it began.
_SAMPLE_BYTES = 512 * 1024


class OggReader:
    """Reads the first page of each kind of media, then how far the last page in sight has come.

    Args:
        total: bytes of the file; None where that is not known, so that it may have no end.

    Attributes:
        is_done: its last page was seen.
    """

    def __init__(self, total: int | None) -> None:
        self.is_done = False
        self._total = total
        self._rates: dict[bytes, tuple[float, int]] = {}
        self._head = b""
        self._tail = b""
        self._expected = 0
        self._seconds = 0.0
        self._reached = 0

    @property
    def length(self) -> Length:
        """How long it plays, as far as that is known yet."""
        if self.is_done:
            return ended(self._seconds)
        if self._total is not None and self._reached >= _SAMPLE_BYTES:
            # By its mean so far.
            return ended(self._seconds * self._total / self._reached)
        return at_least(self._seconds) if self._seconds else UNKNOWN

    def feed(self, chunk: bytes, at: int) -> None:
        """Take bytes that lie at an offset of the file, in whatever order."""
        if self.is_done:
            return
        data = (self._tail if at == self._expected else b"") + chunk
        begins = at + len(chunk) - len(data)
        self._tail, self._expected = data[-_HEADER:], at + len(chunk)
        if at == len(self._head) < _HEAD_BYTES:
            self._head += chunk[: _HEAD_BYTES - at]
            self._beginnings(self._head)
        place = data.rfind(_PAGE)
        while place >= 0:
            if len(data) >= place + _HEADER and self._position(data, place, begins):
                return
            place = data.rfind(_PAGE, 0, place)

    def _beginnings(self, data: bytes) -> None:
        place = data.find(_PAGE)
        while place >= 0 and len(self._rates) < 8:
            head = data[place + _HEADER :]
            if head and data[place + 5 : place + 6] == b"\x02":
                serial = data[place + 14 : place + 18]
                rate = _rate(head[data[place + 26] :])
                if rate is not None:
                    self._rates[serial] = rate
            place = data.find(_PAGE, place + 4)

    def _position(self, data: bytes, place: int, begins: int) -> bool:
        """Read how far a page has come; False for one that does not say."""
        granule = int.from_bytes(data[place + 6 : place + 14], "little")
        known = self._rates.get(data[place + 14 : place + 18])
        if granule == _UNKNOWN_POSITION or known is None or not known[0]:
            return False
        rate, shift = known
        frames = (granule >> shift) + (granule & (1 << shift) - 1) if shift else granule
        seconds = frames / rate
        if seconds >= self._seconds:
            self._seconds, self._reached = seconds, begins + place
        self.is_done = bool(data[place + 5] & _LAST)
        return True


def _rate(packet: bytes) -> tuple[float, int] | None:
    """Give how many positions a second has, and of Theora how a position is put together."""
    if packet.startswith(b"\x01vorbis"):
        return float(int.from_bytes(packet[12:16], "little")), 0
    if packet.startswith(b"OpusHead"):
        return 48_000.0, 0
    if packet.startswith(b"\x7fFLAC"):
        return float(int.from_bytes(packet[27:30]) >> 4), 0
    if packet.startswith(b"Speex   "):
        return float(int.from_bytes(packet[36:40], "little")), 0
    if packet.startswith(b"\x80theora") and len(packet) >= 42:
        frames, a_second = int.from_bytes(packet[22:26]), int.from_bytes(packet[26:30])
        shift = (packet[40] & 3) << 3 | packet[41] >> 5
        return (frames / a_second if a_second else 0.0), shift
    return None
