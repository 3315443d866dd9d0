"""Pieces of a stream, as manifests name them: one by one, or by the numbers in their addresses."""

from bisect import bisect_right
from dataclasses import dataclass
from typing import NamedTuple

# Stands in for the number of a piece while its address is put together.
HOLE = "7340129450136"


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece that a manifest names.

    Attributes:
        uri: as it stands there.
        start: seconds from the beginning.
        seconds: that it plays, as the manifest says.
    """

    uri: str
    start: float
    seconds: float


class Run(NamedTuple):
    """Pieces of one length that follow each other.

    Attributes:
        key: the number in the address of the first.
        step: from one number to the next.
        start: of the first, seconds.
        seconds: of each.
        many: how many; infinite where the manifest ends with them.
    """

    key: int
    step: int
    start: float
    seconds: float
    many: float


@dataclass(frozen=True, slots=True)
class Pattern:
    """Pieces whose addresses differ in a number.

    Attributes:
        uri: as it stands in the manifest, with `HOLE` in the number's place.
        runs: in the order of their numbers.
    """

    uri: str
    runs: tuple[Run, ...]

    def piece(self, key: int) -> tuple[float, float] | None:
        """Give where the piece with a number begins and how long it plays, seconds; None for no piece."""
        at = bisect_right(self.runs, key, key=lambda run: run.key) - 1
        if at < 0:
            return None
        run = self.runs[at]
        count, rest = divmod(key - run.key, run.step)
        if rest or count >= run.many:
            return None
        return run.start + count * run.seconds, run.seconds
