"""The centre of a trust: what gateways have published comes into tables, for as long as it takes."""

import logging
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from schoolgate.bootstrap.asked import asked
from schoolgate.core.errors import UnavailableError
from schoolgate.core.shipment import Shipment
from schoolgate.monitoring.gathering_metrics import GatheringMetrics
from schoolgate.monitoring.journal_gathered import Gathered, Tally
from schoolgate.shipping import sources
from schoolgate.shipping.collecting import Collector, Pace
from schoolgate.shipping.nats_access import Access

logger = logging.getLogger(__name__)

_CONSUMER = "tables"
_LEAST_PAUSE_SECONDS, _MOST_PAUSE_SECONDS = 1.0, 30.0
# Between two looks at the days that are over, and hours of schools that are joined at once.
_JOIN_SECONDS, _JOIN_MOST = 3_600.0, 100


class _Keeping:
    """Writes what comes into tables, and counts it."""

    def __init__(self, gathered: Gathered, metrics: GatheringMetrics) -> None:
        self._gathered = gathered
        self._metrics = metrics
        self._look_at = 0.0

    def add(self, school: str, gateway: str, shipment: Shipment, arrived: datetime) -> None:
        self._gathered.add(school, gateway, shipment, arrived)

    def refused(self, subject: str, reason: str) -> None:
        logger.error("A message on %s is refused: %s", subject, reason)
        self._metrics.refused.inc()

    def lines(self) -> int:
        return len(self._gathered)

    def write(self, waiting: int) -> None:
        self._gathered.write()
        tally, self._gathered.tally = self._gathered.tally, Tally()
        for (school, gateway), count in tally.events.items():
            self._metrics.events.labels(school, gateway).inc(count)
            self._metrics.last.labels(school, gateway).set_to_current_time()
        self._metrics.again.inc(tally.again)
        self._metrics.none.inc(tally.none)
        self._metrics.waiting.set(waiting)
        self._metrics.up.set(1)
        for (school, gateway), size in self._gathered.missing().items():
            self._metrics.missing.labels(school, gateway).set(size)
        if time.monotonic() >= self._look_at:
            self.join()
        self._metrics.write()

    def join(self) -> bool:
        """Make one table of the many of hours that are over; tell whether there are more."""
        count = self._gathered.join(datetime.now(UTC).date(), _JOIN_MOST)
        if count < _JOIN_MOST:
            self._look_at = time.monotonic() + _JOIN_SECONDS
        return count == _JOIN_MOST


def gather(
    access: Access,
    directory: Path,
    metrics_file: Path | None,
    pace: Pace,
    ending: threading.Event,
    *,
    once: bool = False,
    listen: str = "",
) -> None:
    """Gather until told to end; what is away is waited for.

    Args:
        access: to the server of NATS.
        directory: of the tables.
        metrics_file: for Prometheus' node exporter.
        pace: how much at a time.
        ending: is set when it is to end.
        once: end when the stream has no more, and with an error if something is away.
        listen: host and port where Prometheus asks; empty for nowhere.

    Raises:
        RefusedError: when another process writes there.
        UnavailableError: when the directory cannot be written at the start, or something is away once,
            or the address cannot be listened on.
    """
    metrics = GatheringMetrics(metrics_file)
    with asked(listen, metrics.registry, metrics.wrong):
        _gather_all(access, directory, metrics, pace, ending, once=once)


def _gather_all(
    access: Access,
    directory: Path,
    metrics: GatheringMetrics,
    pace: Pace,
    ending: threading.Event,
    *,
    once: bool,
) -> None:
    collector = Collector(access, _CONSUMER, pace, ending.is_set)
    Gathered(directory).close()
    pause = _LEAST_PAUSE_SECONDS
    while not ending.is_set():
        began = time.monotonic()
        try:
            _gather(collector, directory, metrics, once=once)
        except (OSError, UnavailableError) as error:
            if once:
                raise UnavailableError(f"The journals cannot be gathered: {error}") from error
            logger.error("The journals are not gathered, and wait: %s", error)  # noqa: TRY400
            metrics.up.set(0)
            with suppress(OSError):
                metrics.write()
            if time.monotonic() - began > _MOST_PAUSE_SECONDS:
                pause = _LEAST_PAUSE_SECONDS
            ending.wait(pause)
            pause = min(_MOST_PAUSE_SECONDS, 2 * pause)
        else:
            pause = _LEAST_PAUSE_SECONDS
        if once:
            return


def _gather(
    collector: Collector, directory: Path, metrics: GatheringMetrics, *, once: bool
) -> None:
    """Gather until told to end or something is away: what is not written then comes again."""
    gathered = Gathered(directory)
    keeping = _Keeping(gathered, metrics)
    try:
        collector.run(keeping, until_empty=once)
        while once and keeping.join():
            pass
        metrics.write()
    finally:
        gathered.close()


def sources_of(access: Access, wanted: Sequence[tuple[str, str]]) -> list[sources.Source]:
    """Have the stream of the centre take what leaves keep, as `sources.sources_of`.

    Raises:
        UnavailableError: when the server is away or does not let us.
    """
    try:
        return sources.sources_of(access, wanted)
    except OSError as error:
        raise UnavailableError(str(error)) from error
