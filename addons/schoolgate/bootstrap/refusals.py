"""What the packet filter refuses, followed by one worker: counted, and told to the journal."""

import logging
from datetime import datetime
from functools import partial
from threading import Event, Thread
from typing import Any

from schoolgate.bootstrap.clock import now
from schoolgate.monitoring import Journal, Metrics
from schoolgate.services.network import counted_since
from schoolgate.settings import Settings

logger = logging.getLogger(__name__)

_COUNTS = 1
_EVERY_SECONDS = 5.0


class Refusals:
    """Follows the counters that a timer of root's writes down; who was refused is not known.

    Args:
        settings: of this machine.
        worker: number of the worker; the first one counts.
        metrics: where it is counted.
        journal: where it is told.
    """

    def __init__(self, settings: Settings, worker: int, metrics: Metrics, journal: Journal) -> None:
        self._file = settings.network.counters_file
        self._kept = settings.state_dir / "refused.json"
        self._metrics = metrics
        self._journal = journal
        self._stopping = Event()
        self._fault = ""
        self._thread = Thread(target=self._run, name="refusals", daemon=True)
        self._is_needed = settings.network.is_used and worker == _COUNTS

    def start(self) -> None:
        """Begin, where there are such counters."""
        if self._is_needed:
            self._thread.start()

    def stop(self) -> None:
        """Leave it to the next process."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def look(self, at: datetime) -> None:
        """Count and tell what came since the last look, by whichever process."""
        try:
            found = counted_since(self._file, self._kept)
        except (OSError, ValueError) as error:
            if str(error) != self._fault:
                self._fault = str(error)
                logger.error("What the packet filter refuses is not counted: %s", error)  # noqa: TRY400
            return
        self._fault = ""
        for kind, packets in found.items():
            self._metrics.circumvention.labels(kind=kind).inc(packets)
            self._journal.tell(at, partial(_seen, kind, packets))

    def _run(self) -> None:
        while not self._stopping.wait(_EVERY_SECONDS):
            self.look(now())


def _seen(kind: str, packets: int) -> dict[str, Any]:
    return {"event": "circumvention.seen", "kind": kind, "count": packets}
