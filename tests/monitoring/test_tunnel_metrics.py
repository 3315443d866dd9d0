"""The figures of the tunnels."""

from schoolgate.monitoring.tunnel_metrics import TunnelMetrics


def test_what_goes_nowhere_is_counted_by_its_kind() -> None:
    metrics = TunnelMetrics()
    metrics.refused.labels(kind="quic").inc()
    metrics.open.set(2)
    value = metrics.registry.get_sample_value
    assert value("schoolgate_tunnel_refused_total", {"kind": "quic"}) == 1
    assert value("schoolgate_tunnels_open") == 2
