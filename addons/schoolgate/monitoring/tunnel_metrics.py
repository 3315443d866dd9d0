"""The figures of the process that has the tunnels of devices at home; never a device in a label."""

from prometheus_client import CollectorRegistry, Counter, Gauge


class TunnelMetrics:
    """They are added up with the workers' by their files."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.refused = Counter(
            "schoolgate_tunnel_refused",
            "What came by the tunnels of devices at home and went nowhere.",
            ["kind"],
            registry=self.registry,
        )
        self.open = Gauge(
            "schoolgate_tunnels_open",
            "Devices at home whose tunnel is open.",
            registry=self.registry,
            multiprocess_mode="livesum",
        )
