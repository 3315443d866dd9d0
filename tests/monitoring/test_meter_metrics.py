"""The figures of the owner of the accounts name groups and outcomes, and nobody."""

from prometheus_client import generate_latest

from schoolgate.monitoring.meter_metrics import MeterMetrics


def test_seconds_are_counted_by_group_and_outcome() -> None:
    metrics = MeterMetrics()
    metrics.seconds.labels(group="staff", outcome="metered").inc(6.5)
    shown = generate_latest(metrics.registry).decode()
    assert 'schoolgate_stream_seconds_total{group="staff",outcome="metered"} 6.5' in shown
    assert "schoolgate_store_errors_total 0.0" in shown
