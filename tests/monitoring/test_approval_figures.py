"""The figures of requests, grants and mail: names, labels and buckets."""

from prometheus_client import CollectorRegistry
from prometheus_client.openmetrics.exposition import generate_latest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from schoolgate.monitoring.approval_figures import (
    ApprovalFigures,
    ApprovalState,
    Decisions,
    TellingState,
)
from tests.data import shared

HOUR = 3_600.0


def state(decided: Decisions) -> ApprovalState:
    return ApprovalState(
        waiting={"submitted": 2, "reviewed": 0},
        oldest={"submitted": 90.0, "reviewed": 0.0},
        decided=decided,
        ending={"day": 1, "week": 4},
        mail_waiting=3,
        mail_late_seconds=60.0,
        mail_sent=7,
        mail_gave_up=1,
        webhooks={"pager": TellingState(2, 70.0, 5, 1)},
    )


def registry(read: ApprovalState | None) -> CollectorRegistry:
    made = CollectorRegistry()
    made.register(ApprovalFigures(lambda: read))
    return made


def test_decisions_are_counted_by_outcome_and_category_and_by_how_long_they_took() -> None:
    decided = Decisions()
    decided.add("approved", "games", 200.0)
    decided.add("approved", "games", 2 * HOUR)
    decided.add("declined", "gambling", 30 * 24 * HOUR)
    value = registry(state(decided)).get_sample_value
    name = "schoolgate_access_requests_decided_total"
    assert value(name, {"outcome": "approved", "category": "games"}) == 2
    assert value(name, {"outcome": "declined", "category": "gambling"}) == 1
    took = "schoolgate_access_request_decision_seconds"
    buckets = [value(f"{took}_bucket", {"le": le}) for le in ("300.0", "3600.0", "14400.0", "+Inf")]
    assert buckets == [1, 1, 2, 3]
    assert value(f"{took}_count") == 3
    assert value(f"{took}_sum") == 200 + 2 * HOUR + 30 * 24 * HOUR


def test_what_waits_and_what_ends_is_shown() -> None:
    value = registry(state(Decisions())).get_sample_value
    assert value("schoolgate_access_requests_open", {"state": "submitted"}) == 2
    assert value("schoolgate_access_request_oldest_seconds", {"state": "submitted"}) == 90
    assert value("schoolgate_grants_ending", {"within": "week"}) == 4
    assert value("schoolgate_mail_waiting") == 3
    assert value("schoolgate_mail_gave_up_total") == 1
    assert value("schoolgate_store_readable") == 1


def test_what_programs_are_told_of_alerts_is_shown_by_their_names() -> None:
    value = registry(state(Decisions())).get_sample_value
    assert value("schoolgate_webhook_waiting", {"webhook": "pager"}) == 2
    assert value("schoolgate_webhook_oldest_seconds", {"webhook": "pager"}) == 70
    name = "schoolgate_webhook_deliveries_total"
    assert value(name, {"webhook": "pager", "result": "sent"}) == 5
    assert value(name, {"webhook": "pager", "result": "gave_up"}) == 1


def test_without_the_database_only_that_is_said() -> None:
    found = registry(None)
    assert [family.name for family in found.collect()] == ["schoolgate_store_readable"]
    assert found.get_sample_value("schoolgate_store_readable") == 0


def test_they_are_valid_openmetrics() -> None:
    text = generate_latest(registry(state(Decisions()))).decode()  # type: ignore[no-untyped-call]
    assert len(list(text_string_to_metric_families(text))) == 14  # type: ignore[no-untyped-call]


def test_the_names_are_those_of_the_contract() -> None:
    contract = shared("CONTRACT.md").read_text(encoding="utf-8")
    for name in ("access_requests_open{state}", "access_request_decision_seconds"):
        assert f"`schoolgate_{name}`" in contract
