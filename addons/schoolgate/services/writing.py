"""What the event loop gives to be kept: collected and written in a thread, again until it can be."""

import logging
import queue
import threading
import time
from collections.abc import Callable
from typing import Protocol

from schoolgate.core.errors import UnavailableError

logger = logging.getLogger(__name__)


class Batch[T](Protocol):
    """What waits to be written; used by the thread alone."""

    def __len__(self) -> int:
        """Tell how many wait."""

    def add(self, item: T) -> None:
        """Take one more."""

    def write(self) -> None:
        """Write all, and empty it; whatever it raises leaves them waiting."""

    def not_written(self) -> None:
        """Learn that writing failed; it will be tried again."""


class Writer[T]:
    """The thread and what leads to it.

    Args:
        name: of the thread.
        batch: what is collected and written.
        most_waiting: what does not fit is refused.
        again_seconds: how long what waits is collected for, and when it is tried again.
        gather_seconds: how long more is let come once something has: to wake a thread for each costs
            the event loop more than most of what it does itself.
        failed: called with each failure to write.
        lost: what that means, the beginning of a sentence for the log.
    """

    def __init__(
        self,
        name: str,
        batch: Batch[T],
        *,
        most_waiting: int,
        again_seconds: float,
        gather_seconds: float = 0.0,
        failed: Callable[[Exception], None],
        lost: str,
    ) -> None:
        self._batch = batch
        self._again_seconds = again_seconds
        self._gather_seconds = gather_seconds
        self._failed = failed
        self._lost = lost
        # Of C: a lock in Python for each costs the event loop as much as a decision.
        self._queue: queue.SimpleQueue[tuple[T] | None] = queue.SimpleQueue()
        self._most_waiting = most_waiting
        self._is_failing = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def stop(self, timeout_seconds: float = 10.0) -> None:
        """Write what waits, once, and end."""
        if self._thread.is_alive():
            self._queue.put(None)
            self._thread.join(timeout_seconds)

    def give(self, item: T) -> bool:
        """Have one more kept; never waits, and tells whether there was room for it."""
        if self._queue.qsize() >= self._most_waiting:
            return False
        self._queue.put((item,))
        return True

    def _run(self) -> None:
        goes_on = True
        while goes_on:
            goes_on = self._take()
            if self._batch:
                self._write()

    def _take(self) -> bool:
        """Collect for a while, or wait; False when there will be no more."""
        try:
            taken = self._queue.get(timeout=self._again_seconds if self._batch else None)
            if self._gather_seconds and taken is not None:
                time.sleep(self._gather_seconds)
            while taken is not None:
                self._batch.add(taken[0])
                taken = self._queue.get_nowait()
        except queue.Empty:
            return True
        return False

    def _write(self) -> None:
        try:
            self._batch.write()
        except Exception as error:  # noqa: BLE001 - a supervised loop outlives any failure
            self._not_written(error)
        else:
            self._is_failing = False

    def _not_written(self, error: Exception) -> None:
        self._failed(error)
        if not self._is_failing:
            trace = None if isinstance(error, UnavailableError) else error
            logger.error("%s: %s", self._lost, error, exc_info=trace)
            self._is_failing = True
        self._batch.not_written()
