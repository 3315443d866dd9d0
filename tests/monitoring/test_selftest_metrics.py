"""The figures of the self-test."""

from prometheus_client import CollectorRegistry

from schoolgate.monitoring.selftest_metrics import SelfTestFigures


def test_each_check_is_shown_for_each_group_with_when_it_was() -> None:
    registry = CollectorRegistry()
    found = [("doh", "pupils", True), ("doh", "staff", False)]
    registry.register(SelfTestFigures(lambda: found, lambda: 1_700_000_000.0))
    name = "schoolgate_selftest_ok"
    assert registry.get_sample_value(name, {"check": "doh", "group": "pupils"}) == 1
    assert registry.get_sample_value(name, {"check": "doh", "group": "staff"}) == 0
    assert registry.get_sample_value("schoolgate_selftest_time_seconds") == 1_700_000_000


def test_before_the_first_round_there_is_no_time() -> None:
    registry = CollectorRegistry()
    registry.register(SelfTestFigures(list, lambda: None))
    assert registry.get_sample_value("schoolgate_selftest_time_seconds") is None
