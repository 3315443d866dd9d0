"""The figures of requests that are kept while the store is away."""

from prometheus_client import CollectorRegistry

from schoolgate.monitoring.kept_request_metrics import KeptRequestFigure, KeptRequestFigures


def test_what_waits_what_cannot_be_read_and_for_how_long_is_shown() -> None:
    registry = CollectorRegistry()
    registry.register(KeptRequestFigures(lambda: KeptRequestFigure(3, 1, 90.0)))
    value = registry.get_sample_value
    assert value("schoolgate_kept_requests", {"state": "waiting"}) == 3
    assert value("schoolgate_kept_requests", {"state": "unreadable"}) == 1
    assert value("schoolgate_kept_request_oldest_seconds") == 90
