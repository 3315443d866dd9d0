"""The figures of the portal."""

import pytest

from schoolgate.monitoring.portal_metrics import PortalMetrics


@pytest.mark.parametrize(
    ("status", "want"),
    [("200 OK", "2xx"), ("302 Found", "3xx"), ("404 Not Found", "4xx"), ("500 Oh", "5xx"), ("", "other")],
)  # fmt: skip
def test_an_answer_is_counted_by_its_kind(status: str, want: str) -> None:
    metrics = PortalMetrics()
    metrics.answered(status, 0.02)
    value = metrics.registry.get_sample_value
    assert value("schoolgate_portal_requests_total", {"status": want}) == 1
    assert value("schoolgate_portal_request_seconds_count") == 1


def test_no_state_of_the_filter_is_among_them() -> None:
    """The lowest of all processes is shown: one that has none would show it as 0."""
    names = {family.name for family in PortalMetrics().registry.collect()}
    assert not any("version" in name or "domains" in name for name in names)
