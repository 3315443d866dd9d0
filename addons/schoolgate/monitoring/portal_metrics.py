"""The figures of the portal's process: how often pages were asked for, and how long that took."""

from schoolgate.monitoring.metrics import FollowerMetrics

_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_KINDS = ("2xx", "3xx", "4xx", "5xx")


class PortalMetrics(FollowerMetrics):
    """They are added up with the workers' by their files."""

    def __init__(self) -> None:
        super().__init__()
        self.requests = self._counter(
            "schoolgate_portal_requests", "Answers of the portal, by their kind.", "status"
        )
        # A first fault must show as a rise from nothing.
        for kind in _KINDS:
            self.requests.labels(status=kind)
        self.seconds = self._histogram(
            "schoolgate_portal_request_seconds",
            "Time until the portal began to answer.",
            _BUCKETS,
        )

    def answered(self, status: str, seconds: float) -> None:
        """Count an answer.

        Args:
            status: the line, as ``404 Not Found``.
            seconds: until it began.
        """
        kind = f"{status[:1]}xx"
        self.requests.labels(status=kind if kind in _KINDS else "other").inc()
        self.seconds.observe(seconds)
