"""The figures of a trust's centre: its gateways, counted, and until when what it serves is believed."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector


@dataclass(frozen=True, slots=True)
class CentreFigure:
    """How a centre stands.

    Attributes:
        gateways: how many, by how they stand in the ledger; None where it cannot be read.
        believed_until: Unix time after which gateways take nothing that is served now; None for nothing.
    """

    gateways: Mapping[str, int] | None
    believed_until: float | None


class CentreFigures(Collector):
    """How a centre stands.

    Args:
        state: gives it as it is now.
    """

    def __init__(self, state: Callable[[], CentreFigure]) -> None:
        self._state = state

    def collect(self) -> Iterator[Metric]:
        """Give the figures."""
        state = self._state()
        yield GaugeMetricFamily(
            "schoolgate_centre_ledger_readable",
            "1 while the ledger of enrolled gateways can be used.",
            value=float(state.gateways is not None),
        )
        if state.gateways is not None:
            counted = GaugeMetricFamily(
                "schoolgate_centre_gateways",
                "Gateways of the trust: enrolled, revoked, or with a certificate that has ended.",
                labels=["state"],
            )
            for name, count in state.gateways.items():
                counted.add_metric([name], count)
            yield counted
        if state.believed_until is not None:
            yield GaugeMetricFamily(
                "schoolgate_centre_metadata_expiry_seconds",
                "Unix time after which gateways take nothing that is served, unless it is refreshed.",
                value=state.believed_until,
            )
