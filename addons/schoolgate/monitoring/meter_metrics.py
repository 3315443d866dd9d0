"""The figures of the process that owns the accounts of viewing; never a person in a label."""

from prometheus_client import CollectorRegistry, Counter


class MeterMetrics:
    """They are added up with the workers' by their files."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.seconds = Counter(
            "schoolgate_stream_seconds",
            "Media time that was let flow, each second of a stream once for a person and day.",
            ["group", "outcome"],
            registry=self.registry,
        )
        self.store_errors = Counter(
            "schoolgate_store_errors",
            "Failed reads and writes of the store; the last state stays in force.",
            registry=self.registry,
        )
