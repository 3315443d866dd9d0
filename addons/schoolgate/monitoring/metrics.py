"""The figures of CONTRACT.md for Prometheus; never a person, a host or an address in a label."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Metric,
    disable_created_metrics,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from schoolgate.monitoring.tallies import Distribution, Tallies

# A decision takes microseconds; the last buckets would show a stall.
_DECISION_BUCKETS = (
    0.000_001, 0.000_002, 0.000_005, 0.000_01, 0.000_02, 0.000_05, 0.000_1, 0.000_5, 0.001, 0.01,
)  # fmt: skip

UNCATEGORISED = "uncategorised"


class Metrics:
    """All metrics of one worker, in a registry of their own.

    What is counted for each request is handed on by `flush` only.
    """

    def __init__(self) -> None:
        # One more sample for each child, which says no more than process start times do.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        self.requests = self._tallies(
            "schoolgate_requests", "Requests decided.", "verdict", "category", "group", "period"
        )
        self.connections = self._tallies(
            "schoolgate_connections", "TLS connections by decision.", "tls"
        )
        self.decision_seconds = Distribution(
            Histogram(
                "schoolgate_decision_seconds",
                "Time to decide one request.",
                buckets=_DECISION_BUCKETS,
                registry=self.registry,
            ),
            _DECISION_BUCKETS,
        )
        self.filter_errors = self._counter(
            "schoolgate_filter_errors", "Faults of the filter itself; each one was blocked.", "hook"
        )
        self.store_errors = self._counter(
            "schoolgate_store_errors",
            "Failed reads and writes of the store; the last state stays in force.",
        )
        self.reload_errors = self._counter(
            "schoolgate_reload_errors",
            "Changed policy, list or CA files with faults, by each worker; the last good state stays.",
        )
        self.identity_faults = self._counter(
            "schoolgate_identity_faults",
            "Faults of the sources that say who is at an address; the last state stays.",
        )
        self.journal_dropped = self._counter(
            "schoolgate_journal_dropped",
            "Journal entries lost because the queue was full or the disk failed.",
        )
        self.circumvention = self._counter(
            "schoolgate_circumvention", "Attempts to get round the filter.", "kind"
        )
        self.alerts = self._counter(
            "schoolgate_alerts", "Alerts raised, for people to look at.", "theme", "severity"
        )
        # Of a state in which workers may differ, the one that is behind is shown.
        self.policy_version = self._state(
            "schoolgate_policy_version",
            "Version of the policy and lists in force on every worker; grows with each change.",
        )
        self.overlay_version = self._state(
            "schoolgate_overlay_version",
            "Version of the grants and suspensions in force on every worker.",
        )
        self.list_domains = self._state("schoolgate_list_domains", "Entries in force.", "category")
        self.grants_active = self._state("schoolgate_grants_active", "Grants in force or to come.")
        self.ca_expiry = self._state(
            "schoolgate_ca_expiry_seconds", "Unix time at which the gateway's CA expires."
        )

    def ca_expires(self, at: datetime) -> None:
        """Note when the CA's certificate ends."""
        self.ca_expiry.set(at.timestamp())

    def flush(self) -> None:
        """Hand on what was counted; to be called by the thread that counts."""
        self.requests.flush()
        self.connections.flush()
        self.decision_seconds.flush()

    def _counter(self, name: str, said: str, *labels: str) -> Counter:
        return Counter(name, said, labels, registry=self.registry)

    def _tallies(self, name: str, said: str, *labels: str) -> Tallies:
        return Tallies(self._counter(name, said, *labels), labels)

    def _state(self, name: str, said: str, *labels: str) -> Gauge:
        return Gauge(name, said, labels, registry=self.registry, multiprocess_mode="livemin")


@dataclass(frozen=True, slots=True)
class WorkerState:
    """How a worker is.

    Attributes:
        worker: its number.
        up: whether it serves.
        restarts: how often it was replaced because it had ended or hung.
    """

    worker: int
    up: bool
    restarts: int


class WorkerFigures(Collector):
    """What is known of the workers by somebody else than themselves.

    Args:
        states: gives them as they are now.
    """

    def __init__(self, states: Callable[[], Iterable[WorkerState]]) -> None:
        self._states = states

    def collect(self) -> Iterator[Metric]:
        """Give the figures."""
        up = GaugeMetricFamily(
            "schoolgate_worker_up", "1 while a worker serves.", labels=["worker"]
        )
        restarts = CounterMetricFamily(
            "schoolgate_worker_restarts",
            "Workers replaced because they had ended or hung.",
            labels=["worker"],
        )
        for state in self._states():
            up.add_metric([str(state.worker)], float(state.up))
            restarts.add_metric([str(state.worker)], state.restarts)
        yield up
        yield restarts
