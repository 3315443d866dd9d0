"""What processes of one gateway see of each other: a few numbers in shared memory.

Each number is written by one process, whole, and read by the others without a lock.
"""

import mmap
import struct
from collections.abc import Iterator
from dataclasses import dataclass

_HEART = struct.Struct("=dqq")
_AT = struct.Struct("=d")
_ROW = struct.Struct("=dqqqq")


class Heart:
    """The sign of life of one process; made before the fork, beaten after it."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, _HEART.size)

    def beat(self, at: float, faults: int = 0, mark: int = 0) -> None:
        """Say that all goes on.

        Args:
            at: the monotonic time of this machine, seconds.
            faults: a set of bits, of which the supervisor knows nothing.
            mark: of what it works with, below 2⁶³; likewise.
        """
        _HEART.pack_into(self._memory, 0, at, faults, mark)

    def last(self) -> tuple[float, int, int]:
        """Give the time of the last beat, 0 before the first, its faults and its mark."""
        at, faults, mark = _HEART.unpack_from(self._memory, 0)
        return at, faults, mark

    def close(self) -> None:
        """Give the memory back."""
        self._memory.close()


@dataclass(frozen=True, slots=True)
class Row:
    """One post as the supervisor sees it.

    Attributes:
        beat: monotonic time of the last beat of the process there.
        serving: whether one is there and answers.
        faults: what it said with its last beat.
        restarts: how often it was replaced because it had ended or hung.
        mark: of what it works with, as it said with its last beat; 0 for nothing.
    """

    beat: float = 0.0
    serving: bool = False
    faults: int = 0
    restarts: int = 0
    mark: int = 0


class Board:
    """What the supervisor knows, for whoever was forked from it.

    Args:
        posts: how many rows there are.
    """

    def __init__(self, posts: int) -> None:
        self._posts = posts
        self._memory = mmap.mmap(-1, _AT.size + posts * _ROW.size)

    def write(self, at: float, rows: list[Row]) -> None:
        """Show how things are; `at` is the monotonic time of this machine."""
        for number, row in enumerate(rows):
            place = _AT.size + number * _ROW.size
            numbers = (row.beat, row.serving, row.faults, row.restarts, row.mark)
            _ROW.pack_into(self._memory, place, *numbers)
        _AT.pack_into(self._memory, 0, at)

    @property
    def written(self) -> float:
        """When the supervisor wrote last, monotonic."""
        return float(_AT.unpack_from(self._memory, 0)[0])

    def rows(self) -> Iterator[Row]:
        """Give the posts in their order."""
        for number in range(self._posts):
            beat, serving, *numbers = _ROW.unpack_from(self._memory, _AT.size + number * _ROW.size)
            yield Row(beat, bool(serving), *numbers)
