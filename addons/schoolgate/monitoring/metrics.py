"""The figures of CONTRACT.md for Prometheus; never a person, a host or an address in a label."""

from datetime import datetime

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
)

# A decision takes microseconds; the last buckets would show a stall.
_DECISION_BUCKETS = (
    0.000_001, 0.000_002, 0.000_005, 0.000_01, 0.000_02, 0.000_05, 0.000_1, 0.000_5, 0.001, 0.01,
)  # fmt: skip

UNCATEGORISED = "uncategorised"


class Metrics:
    """All metrics of one gateway, in a registry of their own."""

    def __init__(self) -> None:
        # One more sample for each child, which says no more than process start times do.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "schoolgate_requests",
            "Requests decided.",
            ["verdict", "category", "group", "period"],
            registry=self.registry,
        )
        self.decision_seconds = Histogram(
            "schoolgate_decision_seconds",
            "Time to decide one request.",
            buckets=_DECISION_BUCKETS,
            registry=self.registry,
        )
        self.connections = Counter(
            "schoolgate_connections",
            "TLS connections by decision.",
            ["tls"],
            registry=self.registry,
        )
        self.filter_errors = Counter(
            "schoolgate_filter_errors",
            "Faults of the filter itself; each one was blocked.",
            ["hook"],
            registry=self.registry,
        )
        self.store_errors = Counter(
            "schoolgate_store_errors",
            "Failed reads and writes of the store; the last state stays in force.",
            registry=self.registry,
        )
        self.reload_errors = Counter(
            "schoolgate_reload_errors",
            "Changed policy or list files with faults; the last good state stays in force.",
            registry=self.registry,
        )
        self.journal_dropped = Counter(
            "schoolgate_journal_dropped",
            "Journal entries lost because the queue was full or the disk failed.",
            registry=self.registry,
        )
        self.circumvention = Counter(
            "schoolgate_circumvention",
            "Attempts to get round the filter.",
            ["kind"],
            registry=self.registry,
        )
        self.policy_version = Gauge(
            "schoolgate_policy_version",
            "Version of the policy and lists in force; grows with each change.",
            registry=self.registry,
        )
        self.overlay_version = Gauge(
            "schoolgate_overlay_version",
            "Version of the grants and suspensions in force.",
            registry=self.registry,
        )
        self.list_domains = Gauge(
            "schoolgate_list_domains", "Entries in force.", ["category"], registry=self.registry
        )
        self.grants_active = Gauge(
            "schoolgate_grants_active", "Grants in force or to come.", registry=self.registry
        )
        self.worker_up = Gauge(
            "schoolgate_worker_up", "1 while a worker serves.", ["worker"], registry=self.registry
        )
        self.ca_expiry = Gauge(
            "schoolgate_ca_expiry_seconds",
            "Unix time at which the gateway's CA expires.",
            registry=self.registry,
        )

    def ca_expires(self, at: datetime) -> None:
        """Note when the CA's certificate ends."""
        self.ca_expiry.set(at.timestamp())
