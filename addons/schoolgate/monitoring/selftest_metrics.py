"""The figures of the self-test, read where its last round left them."""

from collections.abc import Callable, Iterable, Iterator

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector


class SelfTestFigures(Collector):
    """What the self-test found last.

    Args:
        results: gives check, group and whether it is as it must be.
        at: gives when the last round ended, seconds since 1970; None before the first.
    """

    def __init__(
        self,
        results: Callable[[], Iterable[tuple[str, str, bool]]],
        at: Callable[[], float | None],
    ) -> None:
        self._results = results
        self._at = at

    def collect(self) -> Iterator[Metric]:
        """Give the figures."""
        ok = GaugeMetricFamily(
            "schoolgate_selftest_ok",
            "1 where the self-test found what must be, else 0.",
            labels=["check", "group"],
        )
        for check, group, is_ok in self._results():
            ok.add_metric([check, group], float(is_ok))
        time = GaugeMetricFamily(
            "schoolgate_selftest_time_seconds",
            "Unix time at which the self-test last ended a round.",
        )
        at = self._at()
        if at is not None:
            time.add_metric([], at)
        yield from (ok, time)
