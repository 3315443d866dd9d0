"""How much of its media somebody has been given: seconds of media time, each of them once.

A player asks for a stream in pieces, some of them several times: after a seek, in another quality, once
for the picture and once for the sound, in another tab, after a reload. What counts is the media time that
was delivered, as a union of intervals for each stream. Bytes count as often as they flow.
"""

import math
from bisect import bisect_left, bisect_right
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

# Longer or later than this is a fault of a manifest, and nobody's viewing.
LONGEST_SECONDS = 24 * 3600.0
# Seeks leave gaps; a stream with more of them than that is counted as if the smallest were none.
MOST_GAPS = 400
# Of one person and day; of a stream that was forgotten, what is asked for again counts again.
MOST_STREAMS = 500
# Qualities and sound tracks of one stream whose places are unknown.
MOST_RENDITIONS = 32
# What a second of video or sound takes where neither length nor rate is known: 720p, and a good radio.
VIDEO_BITS_PER_SECOND = 2_500_000
SOUND_BITS_PER_SECOND = 128_000


class Piece(NamedTuple):
    """A part of a stream that was delivered.

    Attributes:
        stream: the same for all renditions of a stream; no person can be told from it.
        rendition: quality or track.
        start: where it begins in the stream, seconds of media time; None where nobody knows.
        seconds: of media time.
        size: bytes.
    """

    stream: str
    rendition: str
    start: float | None
    seconds: float
    size: int


@dataclass(frozen=True, slots=True)
class File:
    """A file of media that is delivered from its beginning or from a ``Range``.

    Attributes:
        stream: for `Piece.stream`.
        rendition: for `Piece.rendition`.
        length: bytes of the whole; None where it is not known.
        seconds: of the whole; None where they are not known.
        bits_per_second: counted where length or seconds are not known.
    """

    stream: str
    rendition: str = ""
    length: int | None = None
    seconds: float | None = None
    bits_per_second: int = VIDEO_BITS_PER_SECOND

    def piece(self, offset: int, size: int) -> Piece:
        """Give what some of its bytes are: their share of the whole, else what their rate says.

        Args:
            offset: of the first of them.
            size: how many.
        """
        rate = 8 / self.bits_per_second
        if self.length and self.seconds is not None:
            rate = self.seconds / self.length
        return Piece(self.stream, self.rendition, offset * rate, size * rate, size)


class Covered:
    """The milliseconds of one stream that were delivered, as intervals that neither meet nor overlap."""

    __slots__ = ("_begins", "_ends")

    def __init__(self, intervals: list[list[int]] | None = None) -> None:
        self._begins = [begin for begin, _ in intervals or ()]
        self._ends = [end for _, end in intervals or ()]

    @property
    def intervals(self) -> list[list[int]]:
        """Begin and end of each, milliseconds, in order."""
        return [list(pair) for pair in zip(self._begins, self._ends, strict=True)]

    def add(self, begin: int, end: int) -> int:
        """Take an interval, milliseconds; give how many of these are new."""
        if end <= begin:
            return 0
        # Those that touch it: none of them ends before it begins, nor begins after it ends.
        first, last = bisect_left(self._ends, begin), bisect_right(self._begins, end)
        known = sum(
            min(e, end) - max(b, begin)
            for b, e in zip(self._begins[first:last], self._ends[first:last], strict=True)
        )
        joined = [*self._begins[first:last], begin], [*self._ends[first:last], end]
        self._begins[first:last], self._ends[first:last] = [min(joined[0])], [max(joined[1])]
        if len(self._begins) > MOST_GAPS:
            self._close_smallest_gap()
        return end - begin - known

    def _close_smallest_gap(self) -> None:
        gaps = zip(self._begins[1:], self._ends, strict=False)
        _, at = min((begin - end, at) for at, (begin, end) in enumerate(gaps))
        del self._begins[at + 1], self._ends[at]


@dataclass(slots=True)
class _Stream:
    """What was delivered of one stream, milliseconds; by rendition where its place is unknown."""

    covered: Covered = field(default_factory=Covered)
    unplaced: dict[str, int] = field(default_factory=dict)

    def add(self, piece: Piece) -> int:
        seconds = _within(piece.seconds)
        if piece.start is not None and math.isfinite(piece.start):
            start = _within(piece.start)
            return self.covered.add(round(start * 1000), round((start + seconds) * 1000))
        # Picture and sound of unknown places run side by side: the longer of them counts.
        before = max(self.unplaced.values(), default=0)
        known = piece.rendition in self.unplaced or len(self.unplaced) < MOST_RENDITIONS
        rendition = piece.rendition if known else ""
        self.unplaced[rendition] = self.unplaced.get(rendition, 0) + round(seconds * 1000)
        return max(self.unplaced.values()) - before

    def join(self, other: "_Stream") -> int:
        """Take what was delivered elsewhere; give how many milliseconds are new."""
        new = sum(self.covered.add(begin, end) for begin, end in other.covered.intervals)
        before = max(self.unplaced.values(), default=0)
        for name, milliseconds in other.unplaced.items():
            known = name in self.unplaced or len(self.unplaced) < MOST_RENDITIONS
            rendition = name if known else ""
            self.unplaced[rendition] = self.unplaced.get(rendition, 0) + milliseconds
        return new + max(self.unplaced.values(), default=0) - before


class Viewing:
    """What one person (else device, else address) was given on one day.

    Attributes:
        milliseconds: of media time.
        size: bytes.
    """

    __slots__ = ("_streams", "milliseconds", "size")

    def __init__(self, milliseconds: int = 0, size: int = 0) -> None:
        self.milliseconds = milliseconds
        self.size = size
        self._streams: OrderedDict[str, _Stream] = OrderedDict()

    @property
    def seconds(self) -> float:
        """Of media time."""
        return self.milliseconds / 1000

    def deliver(self, piece: Piece) -> float:
        """Count a piece; give how many seconds of it are new."""
        new = self._stream(piece.stream).add(piece)
        self.milliseconds += new
        self.size += max(piece.size, 0)
        return new / 1000

    def join(self, other: "Viewing") -> None:
        """Count what was delivered elsewhere too: seconds that are known here count once, bytes all."""
        for name, stream in other._streams.items():
            self.milliseconds += self._stream(name).join(stream)
        self.size += other.size

    def _stream(self, name: str) -> _Stream:
        stream = self._streams.get(name)
        if stream is None:
            stream = self._streams[name] = _Stream()
            if len(self._streams) > MOST_STREAMS:
                self._streams.popitem(last=False)
        self._streams.move_to_end(name)
        return stream

    def state(self) -> dict[str, list[object]]:
        """Give which parts of which stream were counted, for JSON, the last asked for at the end."""
        return {
            name: [stream.covered.intervals, stream.unplaced]
            for name, stream in self._streams.items()
        }

    @classmethod
    def of_state(
        cls,
        milliseconds: int,
        size: int,
        state: Mapping[str, tuple[list[list[int]], dict[str, int]]],
    ) -> "Viewing":
        """Make one anew from its sums and its `state`."""
        made = cls(milliseconds, size)
        for name, (intervals, unplaced) in state.items():
            made._streams[name] = _Stream(Covered(intervals), dict(unplaced))
        return made


def _within(seconds: float) -> float:
    """Give a number of seconds that can be meant; what is no number is none."""
    return min(max(seconds, 0.0), LONGEST_SECONDS) if math.isfinite(seconds) else 0.0
