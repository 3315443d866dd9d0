"""The figures for Prometheus: the names and labels of the contract, and nobody's name in them."""

from datetime import UTC, datetime

import pytest
from prometheus_client import generate_latest

from schoolgate.monitoring import Metrics
from schoolgate.monitoring.tallies import MOST_CHILDREN
from tests.data import shared

CONTRACT: dict[str, set[str]] = {
    "schoolgate_requests_total": {"verdict", "category", "group", "period"},
    "schoolgate_decision_seconds": set(),
    "schoolgate_connections_total": {"tls"},
    "schoolgate_filter_errors_total": {"hook"},
    "schoolgate_journal_dropped_total": set(),
    "schoolgate_policy_version": set(),
    "schoolgate_list_domains": {"category"},
    "schoolgate_grants_active": set(),
    "schoolgate_circumvention_total": {"kind"},
    "schoolgate_alerts_total": {"theme", "severity"},
    "schoolgate_ca_expiry_seconds": set(),
    "schoolgate_grant_propagation_seconds": set(),
    "schoolgate_worker_clients": set(),
    "schoolgate_locked_list_ok": {"list"},
}
WORKERS = {"schoolgate_worker_up": {"worker"}, "schoolgate_worker_restarts_total": {"worker"}}
# Beside the contract's: for whoever runs the gateway.
OWN: dict[str, set[str]] = {
    "schoolgate_store_errors_total": set(),
    "schoolgate_reload_errors_total": set(),
    "schoolgate_identity_faults_total": set(),
    "schoolgate_overlay_version": set(),
    "schoolgate_bytes_total": {"direction"},
    "schoolgate_contents_stopped_total": {"clause"},
    "schoolgate_request_seconds": set(),
    "schoolgate_worker_late_seconds": set(),
    "schoolgate_connections_open": set(),
    "schoolgate_journal_waiting": set(),
    "schoolgate_signs_missed_total": set(),
    "schoolgate_texts_judged_total": {"category", "verdict"},
    "schoolgate_pictures_asked_total": {"outcome"},
    "schoolgate_locked_list_date_seconds": {"list"},
    "schoolgate_locked_list_hash": {"list"},
}


def filled() -> Metrics:
    """Give metrics in which every figure was counted once."""
    metrics = Metrics()
    metrics.requests.labels(verdict="block", category="games", group="staff", period="").inc()
    metrics.connections.labels(tls="decrypt").inc()
    metrics.filter_errors.labels(hook="request").inc()
    metrics.circumvention.labels(kind="vpn").inc()
    metrics.alerts.labels(theme="circumvention", severity="medium").inc()
    metrics.contents_stopped.labels(clause="W-6.3.1-stream").inc()
    metrics.texts_judged.labels(category="gambling", verdict="block").inc()
    metrics.pictures_asked.labels(outcome="clean").inc()
    metrics.list_domains.labels(category="games").set(3)
    metrics.ended(10, 2_000, 0.25)
    metrics.ended(7, 700, None)
    for gauge in (metrics.locked_list_ok, metrics.locked_list_date, metrics.locked_list_hash):
        gauge.labels(list="iwf").set(1)
    metrics.flush()
    return metrics


def families(metrics: Metrics) -> dict[str, set[str]]:
    """Give the labels of each metric by the name under which Prometheus shows it."""
    return {
        family.name + ("_total" if family.type == "counter" else ""): {
            label for sample in family.samples for label in sample.labels if label != "le"
        }
        for family in metrics.registry.collect()
    }


def test_every_metric_has_the_name_and_the_labels_of_the_contract() -> None:
    assert families(filled()) == {**CONTRACT, **OWN}


def test_the_contract_names_every_metric_that_it_is_held_to() -> None:
    text = shared("CONTRACT.md").read_text(encoding="utf-8")
    for name, labels in {**CONTRACT, "schoolgate_worker_up": {"worker"}}.items():
        written = f"{name}{{{','.join(sorted(labels))}}}" if labels else name
        alternatives = {
            written,
            f"{name}{{verdict,category,group,period}}",
            f"{name}{{theme,severity}}",
        }
        assert any(f"`{one}`" in text for one in alternatives), name


def test_no_label_can_hold_a_person_a_host_or_an_address() -> None:
    personal = {"user", "client", "device", "host", "url", "address", "ip", "entry", "network"}
    assert all(not labels & personal for labels in families(filled()).values())


def test_every_metric_says_in_a_sentence_what_it_is() -> None:
    for family in filled().registry.collect():
        assert family.documentation.endswith("."), family.name


def test_a_tunnel_counts_for_the_bytes_and_not_for_the_time_that_requests_take() -> None:
    value = filled().registry.get_sample_value
    assert value("schoolgate_bytes_total", {"direction": "up"}) == 17
    assert value("schoolgate_bytes_total", {"direction": "down"}) == 2_700
    assert value("schoolgate_request_seconds_count") == 1


def test_what_is_alerted_on_rises_from_nothing() -> None:
    """A counter that appears with its first event shows no increase to Prometheus."""
    value = Metrics().registry.get_sample_value
    assert value("schoolgate_filter_errors_total", {"hook": "gate"}) == 0
    raised = {"theme": "circumvention", "severity": "medium"}
    assert value("schoolgate_alerts_total", raised) == 0


def test_no_policy_makes_more_series_than_a_bound() -> None:
    metrics = Metrics()
    for number in range(MOST_CHILDREN + 500):
        metrics.requests.labels("block", f"category-{number}", "staff", "").inc()
    metrics.flush()
    [family] = [f for f in metrics.registry.collect() if f.name == "schoolgate_requests"]
    assert len(family.samples) == MOST_CHILDREN + 1
    assert sum(sample.value for sample in family.samples) == MOST_CHILDREN + 500


def test_two_gateways_in_one_process_count_apart() -> None:
    one, other = Metrics(), Metrics()
    one.journal_dropped.inc(5)
    assert one.registry.get_sample_value("schoolgate_journal_dropped_total") == 5
    assert other.registry.get_sample_value("schoolgate_journal_dropped_total") == 0


@pytest.mark.parametrize(
    ("seconds", "bucket"), [(0.000_000_5, "1e-06"), (0.000_003, "5e-06"), (0.0099, "0.01"), (5, "+Inf")]
)  # fmt: skip
def test_a_decision_of_microseconds_and_a_stall_fall_into_different_buckets(
    seconds: float, bucket: str
) -> None:
    metrics = Metrics()
    metrics.decision_seconds.observe(seconds)
    metrics.flush()
    [family] = [f for f in metrics.registry.collect() if f.name == "schoolgate_decision_seconds"]
    filled_buckets = [s.labels["le"] for s in family.samples if "le" in s.labels and s.value]
    assert filled_buckets[0] == bucket


def test_the_end_of_the_ca_is_shown_as_unix_time() -> None:
    metrics = Metrics()
    metrics.ca_expires(datetime(2036, 11, 20, tzinfo=UTC))
    assert metrics.registry.get_sample_value("schoolgate_ca_expiry_seconds") == 2_110_752_000
    assert b"schoolgate_ca_expiry_seconds 2.110752e+09" in generate_latest(metrics.registry)
