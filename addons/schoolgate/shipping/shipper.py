"""Takes the journal to one receiver: what may not have come is sent again, what never will is counted."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import orjson

from schoolgate.shipping.fields import Terms, chosen
from schoolgate.shipping.receivers import Place, Receiver, Record, RefusedByReceiverError
from schoolgate.shipping.tail import Position, Tail, read_position, write_position

logger = logging.getLogger(__name__)

# What is in memory at once, and what a receiver is given in a piece.
BATCH_BYTES = 256 * 1024
# Sent and not known to have come; more waits in the files.
_MOST_UNDER_WAY = 64
_LOOK_SECONDS = 0.25
_LEAST_PAUSE_SECONDS, _MOST_PAUSE_SECONDS = 1.0, 30.0


@dataclass(frozen=True, slots=True)
class Counts:
    """Where it is counted.

    Attributes:
        sent: told of lines that were sent.
        dropped: told of lines that no receiver will ever have.
        behind: told of the bytes that are still to be sent.
        up: told whether the receiver takes lines.
    """

    sent: Callable[[int], None]
    dropped: Callable[[int], None]
    behind: Callable[[int], None]
    up: Callable[[bool], None]


class Shipper:
    """Ships to one receiver.

    Args:
        name: of the receiver, for people.
        tail: the journal.
        kept: where the place is kept that was reached.
        receiver: takes the lines.
        terms: what of them may go.
        counts: where it is counted.
        moment: gives seconds that only grow.
    """

    def __init__(
        self,
        name: str,
        tail: Tail,
        kept: Path,
        receiver: Receiver,
        terms: Terms,
        counts: Counts,
        moment: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name = name
        self._tail = tail
        self._kept = kept
        self._receiver = receiver
        self._terms = terms
        self._counts = counts
        self._moment = moment
        self._done = self._next = read_position(kept) or tail.start(datetime.now(UTC))
        self._under_way: deque[tuple[float, Position]] = deque()
        self._pause = _LEAST_PAUSE_SECONDS
        self._is_failing = False

    def run(self, ending: threading.Event) -> None:
        """Ship until told to end."""
        while not ending.is_set():
            try:
                waits = _LOOK_SECONDS if not self.step() else 0.0
            except OSError as error:
                waits = self._failed(error)
            if waits:
                ending.wait(waits)
        self._receiver.close()

    def step(self) -> bool:
        """Send what there is to send, up to a batch; tell whether there was anything.

        Raises:
            OSError: when the receiver does not take it, or the journal cannot be read.
        """
        if self._under_way:
            self._receiver.check()
            self._settle()
        if len(self._under_way) >= _MOST_UNDER_WAY:
            return False
        now = datetime.now(UTC)
        if self._tail.is_lost(self._next):
            logger.error("Lines for %s were deleted before it had them.", self._name)
            self._counts.dropped(1)
        lines, after = self._tail.read(self._next, BATCH_BYTES, now)
        if lines:
            self._send(*self._records(lines, after))
        if after != self._next:
            self._next = after
            self._under_way.append((self._moment() + self._receiver.settle_seconds, after))
            self._settle()
        self._counts.behind(self._tail.behind(self._done))
        return bool(lines)

    def _send(self, records: Sequence[Record], place: Place) -> None:
        if not records:
            return
        try:
            self._receiver.send(records, place)
        except RefusedByReceiverError as error:
            logger.error("%s refuses %d lines: %s", self._name, len(records), error)  # noqa: TRY400
            self._counts.dropped(len(records))
        else:
            self._counts.sent(len(records))
        if self._is_failing:
            logger.warning("%s takes the journal again.", self._name)
        self._is_failing, self._pause = False, _LEAST_PAUSE_SECONDS
        self._counts.up(True)

    def _records(self, lines: Sequence[bytes], after: Position) -> tuple[list[Record], Place]:
        """Give what may be sent of lines, and where they stand."""
        found, ends = list[Record](), list[int]()
        end = start = after.offset - sum(len(line) + 1 for line in lines)
        for line in lines:
            end += len(line) + 1
            try:
                record = orjson.loads(line)
            except ValueError:
                record = None
            if isinstance(record, dict):
                found.append(chosen(record, self._terms))
                ends.append(end)
            elif line:
                # The end of one that was cut off by a kill.
                self._counts.dropped(1)
        return found, Place(after.source, start, after.offset, ends)

    def _settle(self) -> None:
        """Keep the last place before which all has come."""
        reached = self._done
        while self._under_way and self._under_way[0][0] <= self._moment():
            _, reached = self._under_way.popleft()
        if reached != self._done:
            write_position(self._kept, reached)
            self._done = reached

    def _failed(self, error: OSError) -> float:
        """Go back to what is known to have come; give how long to wait, in seconds."""
        if not self._is_failing:
            logger.error("The journal is not taken by %s, and waits: %s", self._name, error)
        self._is_failing = True
        self._counts.up(False)
        self._counts.behind(self._tail.behind(self._done))
        self._under_way.clear()
        self._next = self._done
        self._receiver.close()
        waits = self._pause
        self._pause = min(_MOST_PAUSE_SECONDS, 2 * self._pause)
        return waits
