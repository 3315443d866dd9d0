"""Warnings that people click through: in force here at once, in the other workers from the store."""

import logging
import queue
import threading
from collections.abc import Callable, Collection

from schoolgate.core.approvals import Acceptance
from schoolgate.core.errors import UnavailableError
from schoolgate.services.engines import Engines

logger = logging.getLogger(__name__)

_MOST_WAITING = 10_000
_AGAIN_SECONDS = 1.0

# Writes some of them and gives those that were kept before; raises UnavailableError.
type Keep = Callable[[Collection[Acceptance]], frozenset[Acceptance]]
type Told = Callable[[], None]


class Acceptances:
    """Takes clicks on the event loop and writes them in a thread of its own.

    A click is told once: by the worker whose write was the first. Where it cannot be written it is told
    at once, holds in this worker, and is tried again until it is kept or this ends.

    Args:
        engines: where an acceptance is put in force.
        keep: writes.
        failed: called with each failure to write.
    """

    def __init__(
        self,
        engines: Engines,
        keep: Keep = lambda _: frozenset(),
        failed: Callable[[Exception], None] = lambda _: None,
    ) -> None:
        self._engines = engines
        self._keep = keep
        self._failed = failed
        self._queue: queue.Queue[tuple[Acceptance, Told] | None] = queue.Queue(_MOST_WAITING)
        # Not written yet; without a function where it was told already.
        self._waiting: dict[Acceptance, Told | None] = {}
        self._is_failing = False
        self._thread = threading.Thread(target=self._run, name="acceptances", daemon=True)

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def stop(self, timeout_seconds: float = 10.0) -> None:
        """Write what waits, once, and end."""
        if self._thread.is_alive():
            self._queue.put(None)
            self._thread.join(timeout_seconds)

    def accept(self, acceptance: Acceptance, told: Told) -> None:
        """Take a click; never waits.

        Args:
            acceptance: what was clicked through.
            told: called later, in the thread, if this click is the first; may be called from here.
        """
        if acceptance in self._engines.current.overlay.acceptances:
            return
        self._engines.accept(acceptance)
        try:
            self._queue.put_nowait((acceptance, told))
        except queue.Full:
            told()

    def _run(self) -> None:
        goes_on = True
        while goes_on:
            goes_on = self._take()
            if self._waiting:
                self._write()

    def _take(self) -> bool:
        """Wait for clicks, or for the time to try again; False when there will be no more."""
        try:
            taken = self._queue.get(timeout=_AGAIN_SECONDS if self._waiting else None)
            while taken is not None:
                acceptance, told = taken
                self._waiting.setdefault(acceptance, told)
                taken = self._queue.get_nowait()
        except queue.Empty:
            return True
        return False

    def _write(self) -> None:
        try:
            known = self._keep(self._waiting.keys())
        except Exception as error:  # noqa: BLE001 - a supervised loop outlives any failure
            self._not_written(error)
            return
        told = [tell for each, tell in self._waiting.items() if tell and each not in known]
        self._waiting.clear()
        self._is_failing = False
        for tell in told:
            tell()

    def _not_written(self, error: Exception) -> None:
        self._failed(error)
        if not self._is_failing:
            trace = None if isinstance(error, UnavailableError) else error
            logger.error("Accepted warnings hold in this worker only: %s", error, exc_info=trace)
            self._is_failing = True
        if len(self._waiting) >= _MOST_WAITING:
            # They hold here; the others ask once more.
            waiting, self._waiting = self._waiting, {}
        else:
            waiting, self._waiting = self._waiting, dict.fromkeys(self._waiting)
        for tell in filter(None, waiting.values()):
            tell()
