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

# From the answer of a cache to a film.
_REQUEST_BUCKETS = (0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0, 600.0)
# A loop that is a second late is taken for hung soon.
_LATE_BUCKETS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)
# The project promises two seconds from the click to the last worker.
_PROPAGATION_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0)

UNCATEGORISED = "uncategorised"
CIRCUMVENTION = ("circumvention", "medium")
# Of hooks whose first fault must show as a rise from nothing.
_USUAL_HOOKS = ("gate", "requestheaders", "request", "response", "stream")


class FollowerMetrics:
    """What every process counts that follows files and sources; in a registry of its own."""

    def __init__(self) -> None:
        # One more sample for each child, which says no more than process start times do.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        self.store_errors = self._counter(
            "schoolgate_store_errors",
            "Failed reads and writes of the store; the last state stays in force.",
        )
        self.reload_errors = self._counter(
            "schoolgate_reload_errors",
            "Changed policy, list or CA files with faults, by each process; the last good state stays.",
        )
        self.identity_faults = self._counter(
            "schoolgate_identity_faults",
            "Faults of the sources that say who is at an address; the last state stays.",
        )

    def _counter(self, name: str, said: str, *labels: str) -> Counter:
        return Counter(name, said, labels, registry=self.registry)

    def _histogram(self, name: str, said: str, buckets: tuple[float, ...]) -> Histogram:
        return Histogram(name, said, buckets=buckets, registry=self.registry)


class Metrics(FollowerMetrics):
    """All metrics of one worker, in a registry of their own.

    What is counted for each request is handed on by `flush` only.
    """

    def __init__(self) -> None:
        super().__init__()
        self.requests = self._tallies(
            "schoolgate_requests", "Requests decided.", "verdict", "category", "group", "period"
        )
        self.connections = self._tallies(
            "schoolgate_connections", "TLS connections by decision.", "tls"
        )
        self.bytes = self._tallies(
            "schoolgate_bytes", "Bytes of bodies and tunnels, by the way they went.", "direction"
        )
        self.decision_seconds = self._distribution(
            "schoolgate_decision_seconds", "Time to decide one request.", _DECISION_BUCKETS
        )
        self.request_seconds = self._distribution(
            "schoolgate_request_seconds",
            "Time from a request to the end of its answer; tunnels are not among them.",
            _REQUEST_BUCKETS,
        )
        self.late_seconds = self._distribution(
            "schoolgate_worker_late_seconds",
            "How late the event loop of a worker came to what was due.",
            _LATE_BUCKETS,
        )
        self.grant_propagation = self._histogram(
            "schoolgate_grant_propagation_seconds",
            "Time from the decision to open a site until a worker opens it.",
            _PROPAGATION_BUCKETS,
        )
        self.filter_errors = self._counter(
            "schoolgate_filter_errors", "Faults of the filter itself; each one was blocked.", "hook"
        )
        for hook in _USUAL_HOOKS:
            self.filter_errors.labels(hook=hook)
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
        self.alerts.labels(*CIRCUMVENTION)
        self.signs_missed = self._counter(
            "schoolgate_signs_missed",
            "Requests in which no sign of harm was looked for, because too many waited.",
        )
        self.contents_stopped = self._counter(
            "schoolgate_contents_stopped",
            "Answers stopped for what they are: streams, clips, files.",
            "clause",
        )
        self.texts_judged = self._counter(
            "schoolgate_texts_judged",
            "Texts of which something comes for what they say.",
            "category",
            "verdict",
        )
        self.pictures_asked = self._counter(
            "schoolgate_pictures_asked",
            "Pictures that a program of the school's own was to judge.",
            "outcome",
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
        self.locked_list_ok = self._state(
            "schoolgate_locked_list_ok",
            "1 while a locked list is in force on every worker as it lies there, whole and not too old.",
            "list",
        )
        self.locked_list_date = self._state(
            "schoolgate_locked_list_date_seconds",
            "Unix time of the version of a locked list in force.",
            "list",
        )
        self.locked_list_hash = self._state(
            "schoolgate_locked_list_hash",
            "The first 48 bits of the SHA-256 of a locked list in force, as a number.",
            "list",
        )
        self.ca_expiry = self._state(
            "schoolgate_ca_expiry_seconds", "Unix time at which the gateway's CA expires."
        )
        self.clients = self._sum(
            "schoolgate_worker_clients", "Client addresses with an open connection."
        )
        self.open = self._sum("schoolgate_connections_open", "Clients' open connections.")
        self.journal_waiting = self._sum(
            "schoolgate_journal_waiting", "Journal entries that are still to be written."
        )

    def ca_expires(self, at: datetime) -> None:
        """Note when the CA's certificate ends."""
        self.ca_expiry.set(at.timestamp())

    def flush(self) -> None:
        """Hand on what was counted; to be called by the thread that counts."""
        for counted in (self.requests, self.connections, self.bytes):
            counted.flush()
        for measured in (self.decision_seconds, self.request_seconds, self.late_seconds):
            measured.flush()

    def ended(self, up: int, down: int, seconds: float | None) -> None:
        """Count what an exchange moved, in bytes, and how long a request took; None for a tunnel."""
        self.bytes.labels("up").inc(up)
        self.bytes.labels("down").inc(down)
        if seconds is not None:
            self.request_seconds.observe(seconds)

    def _distribution(self, name: str, said: str, buckets: tuple[float, ...]) -> Distribution:
        return Distribution(self._histogram(name, said, buckets), buckets)

    def _tallies(self, name: str, said: str, *labels: str) -> Tallies:
        return Tallies(self._counter(name, said, *labels), labels)

    def _state(self, name: str, said: str, *labels: str) -> Gauge:
        return Gauge(name, said, labels, registry=self.registry, multiprocess_mode="livemin")

    def _sum(self, name: str, said: str) -> Gauge:
        return Gauge(name, said, registry=self.registry, multiprocess_mode="livesum")


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
        services: gives what runs beside them, and whether it serves.
    """

    def __init__(
        self,
        states: Callable[[], Iterable[WorkerState]],
        services: Callable[[], Iterable[tuple[str, bool]]] = tuple,
    ) -> None:
        self._states = states
        self._services = services

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
        beside = GaugeMetricFamily(
            "schoolgate_service_up",
            "1 while what runs beside the workers serves.",
            labels=["service"],
        )
        for name, serves in self._services():
            beside.add_metric([name], float(serves))
        yield from (up, restarts, beside)
