"""The figures of what takes the journal elsewhere."""

from prometheus_client import CollectorRegistry, Counter, Gauge


class ShippingMetrics:
    """They are added up with the workers' by their files."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.sent = Counter(
            "schoolgate_shipping_lines",
            "Lines of the journal that were sent; one that was sent again counts again.",
            ["to"],
            registry=self.registry,
        )
        self.dropped = Counter(
            "schoolgate_shipping_dropped",
            "Lines of the journal that will never be sent: refused, torn, or deleted before.",
            ["to"],
            registry=self.registry,
        )
        self.behind = Gauge(
            "schoolgate_shipping_behind_bytes",
            "Bytes of the journal that are still to be sent.",
            ["to"],
            registry=self.registry,
            multiprocess_mode="livemax",
        )
        self.up = Gauge(
            "schoolgate_shipping_up",
            "1 while a receiver takes the journal.",
            ["to"],
            registry=self.registry,
            multiprocess_mode="livemin",
        )
