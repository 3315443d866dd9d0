"""The length of MP4 and its kin by their boxes (ISO/IEC 14496-12), wherever in the file they stand."""

from schoolgate.core.media.length import UNKNOWN, Length, at_least, ended
from schoolgate.core.media.window import Window

# Boxes that are looked into, their content being boxes again.
_OPENED = frozenset({b"moov", b"mvex", b"trak", b"mdia", b"moof", b"traf"})
_READ = frozenset({b"mvhd", b"mehd", b"mdhd", b"tkhd", b"sidx", b"tfhd", b"tfdt"})
_MEDIA = frozenset({b"mdat", b"moof"})
# An index of a piece a second for a day takes 1 MB; a larger one is passed over.
_MOST_BYTES = 1 << 20
_MOST_TRACKS = 64


class BoxReader:
    """Reads boxes as they come; what media there is between them is passed over.

    ``moov`` at the end is found when a later answer brings it, at its place in the file.

    Attributes:
        is_fragmented: it says of itself that more may follow than it knows (``mvex``).
        is_done: its length is known, or nothing can be read of it.
    """

    def __init__(self) -> None:
        self.is_done = False
        self.is_fragmented = False
        self._window = Window(_MOST_BYTES)
        self._timescale = 0
        self._ticks = 0
        self._fragments = 0
        self._indexed: dict[int, float] = {}
        self._timescales: dict[int, int] = {}
        self._track = 0
        self._first: dict[int, int] = {}
        self._elapsed = 0.0

    @property
    def length(self) -> Length:
        """How long it plays, as far as that is known yet."""
        scale = self._timescale
        told = max(self._ticks, self._fragments) / scale if scale else 0.0
        seen = max(told, self._elapsed, *self._indexed.values())
        if told and (self._fragments or not self.is_fragmented):
            return ended(seen)
        return at_least(seen) if seen else UNKNOWN

    def feed(self, chunk: bytes, at: int) -> None:
        """Take bytes that lie at an offset of the file."""
        if self.is_done or not self._window.offer(chunk, at):
            return
        while not self.is_done and self._step():
            pass

    def _step(self) -> bool:
        """Go one box on; False where more must come first."""
        data = self._window.data
        if len(data) < 8:
            return False
        size, kind, header = int.from_bytes(data[:4]), bytes(data[4:8]), 8
        if size == 1:
            if len(data) < 16:
                return False
            size, header = int.from_bytes(data[8:16]), 16
        if kind in _MEDIA and self._ticks and not self.is_fragmented:
            self.is_done = True
        elif size < header:
            # 0 is a last box without an end, all else no box at all.
            self.is_done = True
        elif kind in _OPENED:
            self.is_fragmented = self.is_fragmented or kind == b"mvex"
            self._window.skip(header)
        elif kind in _READ and size <= _MOST_BYTES:
            if len(data) < size:
                return False
            self._read(kind, bytes(data[header:size]))
            self._window.skip(size)
        else:
            self._window.skip(size)
        return True

    def _read(self, kind: bytes, body: bytes) -> None:
        wide = body[:1] == b"\x01"
        number = 8 if wide else 4
        match kind:
            case b"mvhd":
                self._timescale = _uint(body, 4 + 2 * number, 4)
                self._ticks = _known(_uint(body, 8 + 2 * number, number), number)
            case b"mehd":
                self._fragments = _known(_uint(body, 4, number), number)
            case b"tkhd":
                self._track = _uint(body, 4 + 2 * number, 4)
            case b"mdhd" if len(self._timescales) < _MOST_TRACKS:
                self._timescales[self._track] = _uint(body, 4 + 2 * number, 4)
            case b"sidx":
                self._is_indexed(_uint(body, 4, 4), _indexed(body, number))
            case b"tfhd":
                self._track = _uint(body, 4, 4)
            case b"tfdt":
                self._fragment_begins(_uint(body, 4, number))

    def _is_indexed(self, track: int, seconds: float) -> None:
        if track in self._indexed or len(self._indexed) < _MOST_TRACKS:
            self._indexed[track] = self._indexed.get(track, 0.0) + seconds

    def _fragment_begins(self, ticks: int) -> None:
        """Note how far a fragment lies behind the first of its track."""
        timescale = self._timescales.get(self._track, 0)
        if timescale and (self._track in self._first or len(self._first) < _MOST_TRACKS):
            first = self._first.setdefault(self._track, ticks)
            self._elapsed = max(self._elapsed, (ticks - first) / timescale)


def _indexed(body: bytes, number: int) -> float:
    """Add up what a segment index lists, seconds (8.16.3)."""
    timescale, listed = _uint(body, 8, 4), 12 + 2 * number
    count = min(_uint(body, listed + 2, 2), (len(body) - listed - 4) // 12)
    ticks = sum(_uint(body, listed + 4 + 12 * i + 4, 4) for i in range(count))
    return ticks / timescale if timescale else 0.0


def _uint(body: bytes, at: int, size: int) -> int:
    return int.from_bytes(body[at : at + size])


def _known(ticks: int, size: int) -> int:
    """Give a duration; all ones stand for one that is not known."""
    return 0 if ticks == (1 << 8 * size) - 1 else ticks
