"""The figures of requests that this gateway keeps while the store is away; nobody's name in a label."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector


@dataclass(frozen=True, slots=True)
class KeptRequestFigure:
    """How kept requests stand.

    Attributes:
        waiting: how many wait to be sent.
        unreadable: how many were laid aside, since they cannot be read.
        oldest_seconds: for how long the oldest has waited; 0 where none does.
    """

    waiting: int
    unreadable: int
    oldest_seconds: float


class KeptRequestFigures(Collector):
    """How kept requests stand, as they lie on the disk.

    Args:
        state: gives it as it is now.
    """

    def __init__(self, state: Callable[[], KeptRequestFigure]) -> None:
        self._state = state

    def collect(self) -> Iterator[Metric]:
        """Give the figures."""
        state = self._state()
        kept = GaugeMetricFamily(
            "schoolgate_kept_requests",
            "Requests for access that are kept on this gateway because the store was away.",
            labels=["state"],
        )
        kept.add_metric(["waiting"], state.waiting)
        kept.add_metric(["unreadable"], state.unreadable)
        yield kept
        yield GaugeMetricFamily(
            "schoolgate_kept_request_oldest_seconds",
            "How long the oldest of them has waited; 0 where none does.",
            value=state.oldest_seconds,
        )
