"""Each gateway has one row of what it said last, with its own clock beside that of the database."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine

from schoolgate.storage.gateway_states import FORGOTTEN_AFTER, GatewayState, GatewayStates
from schoolgate.storage.schema import gateway_states
from tests.storage.days import at

FULL = GatewayState(
    "hermitage", "gw1", "0.1.0", at(8), 7, 19, "canary", "0123456789ab", 3, at(6), at(7),
    2, 1, 4, 5, at(9), ("journal", "portal"),
)  # fmt: skip
BARE = GatewayState("hermitage", "gw2", "0.1.0", at(8))


def test_what_was_written_is_read_and_each_gateway_has_one_row(engine: Engine) -> None:
    store = GatewayStates(engine)
    assert store.read().reports == ()
    for state in (BARE, replace(FULL, bundle=6), FULL):
        store.write(state, lambda: at(10))
    found = store.read()
    assert [each.state for each in found.reports] == [FULL, BARE]
    assert {each.clock for each in found.reports} == {at(10)}


def test_the_time_of_a_report_is_the_databases_whatever_the_gateways_clock_says(
    engine: Engine,
) -> None:
    store, before = GatewayStates(engine), datetime.now(UTC) - timedelta(seconds=1)
    store.write(BARE, lambda: at(10))
    found = store.read()
    assert before <= found.reports[0].at <= found.at <= datetime.now(UTC) + timedelta(seconds=1)


def test_who_was_silent_for_a_quarter_of_a_year_is_forgotten_when_another_reports(
    engine: Engine,
) -> None:
    store = GatewayStates(engine)
    for gateway, days in (("gw2", 0), ("gw3", -1), ("gw4", 1)):
        store.write(replace(BARE, gateway=gateway), lambda: at(10))
        last = datetime.now(UTC) - FORGOTTEN_AFTER - timedelta(days=days)
        with engine.begin() as connection:
            row = gateway_states.update().where(gateway_states.c.gateway == gateway)
            connection.execute(row.values(reported_at=last))
    store.write(FULL, lambda: datetime.now(UTC))
    assert [each.state.gateway for each in store.read().reports] == ["gw1", "gw3"]


def test_what_is_kept_names_no_person() -> None:
    assert {column.name for column in gateway_states.columns} == {
        "gateway", "school", "program", "started_at", "bundle", "bundle_version", "ring", "policy",
        "lists", "lists_made", "index_made", "workers_wanted", "workers_up", "selftest_failures",
        "kept_requests", "unsent_since", "faults", "clock", "reported_at",
    }  # fmt: skip
