"""The figures of the bundles of a school's trust, read where the last fetch left them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector


@dataclass(frozen=True, slots=True)
class BundleFigure:
    """How bundles stand.

    Attributes:
        version: of the one in force; 0 is none.
        age_seconds: since it was let out.
        failures: fetches that failed since the last good one.
        expires: Unix time until which the one in force is good; None where none is.
    """

    version: int
    age_seconds: float
    failures: int
    expires: float | None = None


class BundleFigures(Collector):
    """How bundles stand, as the last fetch left them.

    Args:
        state: gives it as it is now; None where this gateway has no bundles.
    """

    def __init__(self, state: Callable[[], BundleFigure | None]) -> None:
        self._state = state

    def collect(self) -> Iterator[Metric]:
        """Give the figures."""
        state = self._state()
        if state is None:
            return
        for name, text, value in (
            ("version", "Version of the trust's bundle in force, 0 for none.", state.version),
            ("age_seconds", "Seconds since the bundle in force was let out.", state.age_seconds),
            ("failures", "Fetches of bundles that failed since the last good one.", state.failures),
        ):
            yield GaugeMetricFamily(f"schoolgate_bundle_{name}", text, value=value)
        if state.expires is not None:
            yield GaugeMetricFamily(
                "schoolgate_bundle_expiry_seconds",
                "Unix time until which the bundle in force is good; it stays in force.",
                value=state.expires,
            )
