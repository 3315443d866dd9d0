"""What a receiver of logs is to whoever sends to it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

type Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Place:
    """Where lines stand in the journal: the same lines are always in the same place.

    Attributes:
        source: of the file, which no other file has, whatever its name.
        start: of the first byte.
        after: of the byte after the last; what is between and no line of these is none.
        ends: of the byte after each line.
    """

    source: str
    start: int
    after: int
    ends: Sequence[int]


class RefusedByReceiverError(Exception):
    """A receiver will never take these lines, however often they are sent."""


class Receiver(Protocol):
    """Takes lines; nothing of it is called by two threads."""

    @property
    def settle_seconds(self) -> float:
        """How long after sending it is known that lines have come; 0 where the receiver says so itself."""

    def send(self, records: Sequence[Record], place: Place | None = None) -> None:
        """Send lines.

        Args:
            records: of the lines.
            place: of them, for whom it tells what comes twice.

        Raises:
            OSError: when they may not have come, and are to be sent again.
            RefusedByReceiverError: when they never will.
        """

    def check(self) -> None:
        """See that what was sent last can still have come.

        Raises:
            OSError: when it may not have.
        """

    def close(self) -> None:
        """Let the connection go, if there is one; the next line opens another."""
