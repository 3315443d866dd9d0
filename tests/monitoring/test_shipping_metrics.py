"""The figures of what takes the journal elsewhere."""

from schoolgate.monitoring.shipping_metrics import ShippingMetrics


def test_each_receiver_is_counted_apart() -> None:
    metrics = ShippingMetrics()
    metrics.sent.labels(to="loki").inc(3)
    metrics.dropped.labels(to="syslog").inc()
    value = metrics.registry.get_sample_value
    assert value("schoolgate_shipping_lines_total", {"to": "loki"}) == 3
    assert value("schoolgate_shipping_dropped_total", {"to": "syslog"}) == 1
    assert value("schoolgate_shipping_dropped_total", {"to": "loki"}) is None
