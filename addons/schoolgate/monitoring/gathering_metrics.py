"""The figures of what the centre of a trust gathers, for Prometheus or for its node exporter's text file."""

from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, write_to_textfile


class GatheringMetrics:
    """They belong to one process.

    Args:
        file: where they are written; without, nowhere.
    """

    def __init__(self, file: Path | None = None) -> None:
        self._file = file
        self.registry = CollectorRegistry()
        self.events = Counter(
            "schoolgate_gathered_events",
            "Lines of a gateway's journal that were written down.",
            ["school", "gateway"],
            registry=self.registry,
        )
        self.again = Counter(
            "schoolgate_gathered_again",
            "Lines that came once more, and were passed over.",
            registry=self.registry,
        )
        self.refused = Counter(
            "schoolgate_gathered_refused",
            "Messages that were none, or not of whom they said.",
            registry=self.registry,
        )
        self.none = Counter(
            "schoolgate_gathered_none",
            "Lines within messages that were none.",
            registry=self.registry,
        )
        self.last = Gauge(
            "schoolgate_gathered_last_timestamp_seconds",
            "When something of a gateway was last written down.",
            ["school", "gateway"],
            registry=self.registry,
        )
        self.missing = Gauge(
            "schoolgate_gathered_missing_bytes",
            "Bytes of a gateway's journal that did not come though later ones did.",
            ["school", "gateway"],
            registry=self.registry,
        )
        self.waiting = Gauge(
            "schoolgate_gathered_waiting_messages",
            "Messages that the stream still has for us.",
            registry=self.registry,
        )
        self.up = Gauge(
            "schoolgate_gathered_up",
            "1 while the stream can be read and what it gives written.",
            registry=self.registry,
        )

    def wrong(self) -> list[str]:
        """Give a sentence where nothing is gathered; none when all is well."""
        is_up = self.registry.get_sample_value("schoolgate_gathered_up")
        return [] if is_up else ["The journals are not gathered; the log says why."]

    def write(self) -> None:
        """Write the file anew, whole.

        Raises:
            OSError: when it cannot be written.
        """
        if self._file is not None:
            write_to_textfile(str(self._file), self.registry)
