"""The centre reads the gateways of all schools on a real server, and runs nothing that a school made."""

import json
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from schoolgate.core.errors import RefusedError, UnavailableError
from schoolgate.storage import open_database
from schoolgate.storage.gateway_states import GatewayState, GatewayStates
from schoolgate.storage.schools import add_school
from schoolgate.storage.trust_gateways import OLDER, read_trust
from tests import gateway
from tests.databases import on_server
from tests.storage.days import at
from tests.storage.test_gateway_states import BARE, FULL
from tests.system import postgres

pytestmark = pytest.mark.long

# What the role of a taken gateway leaves in its schema, for whoever reads it at the centre.
TRAPS = {
    "a view that calls a function": (
        "DROP TABLE gateway_states",
        "CREATE VIEW gateway_states AS SELECT trap()::text AS gateway",
    ),
    "a policy on rows that calls one": (
        "ALTER TABLE gateway_states ENABLE ROW LEVEL SECURITY",
        "ALTER TABLE gateway_states FORCE ROW LEVEL SECURITY",
        "CREATE POLICY p ON gateway_states USING (trap() = 1)",
    ),
    "an index whose expression calls one": (
        "CREATE INDEX i ON gateway_states ((trap()))",
        "CREATE INDEX j ON gateway_states (gateway) WHERE trap() = 1",
    ),
    "a check that calls one": (
        "ALTER TABLE gateway_states ADD CHECK (trap() = 1) NOT VALID",
    ),
    "a child with rows of its own": (
        "CREATE TABLE child () INHERITS (gateway_states)",
    ),
}  # fmt: skip
# Raises for anybody but the role that made it.
TRAP = (
    "CREATE FUNCTION trap() RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN "
    "IF current_user = 'postgres' THEN RAISE EXCEPTION 'sprung'; END IF; RETURN 1; END $$"
)

# More rows than a school has gateways.
MANY = (
    "DO $$ BEGIN FOR n IN 1..100 LOOP CREATE TABLE one AS TABLE gateway_states LIMIT 1; "
    "UPDATE one SET gateway = 'x' || n; INSERT INTO gateway_states TABLE one; DROP TABLE one; "
    "END LOOP; END $$"
)


@pytest.fixture(scope="module")
def owner() -> Iterator[str]:
    with postgres.running() as server:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute("CREATE DATABASE trust")
        yield on_server(server, "trust")


@pytest.fixture
def school(owner: str, request: pytest.FixtureRequest) -> Iterator[str]:
    """Give the URL of the role of a school "taken", which is gone after the test."""
    url = add_school(owner, "taken").url
    yield url
    with psycopg.connect(owner, autocommit=True) as connection:
        connection.execute("DROP SCHEMA taken CASCADE")
        connection.execute("DROP OWNED BY taken")
        connection.execute("DROP ROLE taken")


def reports(url: str, *states: GatewayState, now: Callable[[], datetime] = lambda: at(10)) -> None:
    engine = open_database(url)
    for state in states:
        GatewayStates(engine).write(state, now)
    engine.dispose()


def run(url: str, *statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


@pytest.fixture(scope="module")
def hill(owner: str) -> GatewayState:
    """Another school with a gateway, that is read whatever becomes of the first."""
    state = replace(FULL, school="hill", gateway="gw1")
    reports(add_school(owner, "hill").url, state)
    return state


def test_all_gateways_of_all_schools_are_read_with_one_time_of_the_server(
    owner: str, hill: GatewayState, school: str
) -> None:
    reports(school, FULL, BARE)
    found = read_trust(owner)
    taken = [replace(each, school="taken") for each in (FULL, BARE)]
    assert [each.state for each in found.reports] == [hill, *taken]
    assert {each.clock for each in found.reports} == {at(10)}
    assert all(each.at <= found.at for each in found.reports)
    assert found.unreadable == {}


def test_who_may_only_read_can_look(owner: str, hill: GatewayState, school: str) -> None:
    reports(school, BARE)
    run(owner, "CREATE ROLE watch LOGIN IN ROLE pg_read_all_data")
    run(owner, "GRANT CONNECT ON DATABASE trust TO watch")
    watch = make_url(owner).set(username="watch").render_as_string(hide_password=False)
    assert len(read_trust(watch).reports) == 2
    assert read_trust(watch).unreadable == {}


def test_a_school_whose_database_is_older_is_said_and_the_others_are_read(
    owner: str, hill: GatewayState, school: str
) -> None:
    found = read_trust(owner)
    assert ([each.state for each in found.reports], found.unreadable) == ([hill], {"taken": OLDER})
    reports(school, BARE)
    run(school, "ALTER TABLE gateway_states DROP COLUMN ring")
    found = read_trust(owner)
    assert ([each.state for each in found.reports], found.unreadable) == ([hill], {"taken": OLDER})


@pytest.mark.parametrize("trap", TRAPS)
def test_nothing_that_a_school_made_is_carried_out_by_who_reads(
    owner: str, hill: GatewayState, school: str, trap: str
) -> None:
    reports(school, BARE)
    run(school, TRAP, *TRAPS[trap])
    if trap.startswith("a view"):
        with pytest.raises(psycopg.errors.RaiseException, match="sprung"):
            run(owner, "SELECT * FROM taken.gateway_states")
    found = read_trust(owner)
    assert hill in [each.state for each in found.reports]
    # What is no plain table of ours is not read; from what is one its rows come, and nothing is called.
    assert "P0001" not in "".join(found.unreadable.values())
    assert len(found.reports) == 2 or set(found.unreadable) == {"taken"}


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE gateway_states SET ring = '\x1b[2J'",
        "UPDATE gateway_states SET clock = 'yesterday'",
        "UPDATE gateway_states SET clock = '2026-11-22T10:00:00'",
        "UPDATE gateway_states SET bundle = -1",
        "UPDATE gateway_states SET faults = '<script>'",
        "UPDATE gateway_states SET gateway = '../x'",
        MANY,
    ],
)
def test_what_schoolgate_did_not_write_is_not_shown(
    owner: str, hill: GatewayState, school: str, statement: str
) -> None:
    reports(school, BARE)
    run(school, statement)
    found = read_trust(owner)
    assert [each.state for each in found.reports] == [hill]
    assert found.unreadable == {"taken": "what is in it was not written by schoolgate"}


def test_a_school_that_holds_its_table_does_not_hold_up_the_others(
    owner: str, hill: GatewayState, school: str
) -> None:
    reports(school, BARE)
    with psycopg.connect(school) as holding:
        holding.execute("LOCK TABLE gateway_states IN ACCESS EXCLUSIVE MODE")
        found = read_trust(owner)
    assert [each.state for each in found.reports] == [hill]
    assert found.unreadable == {"taken": "it cannot be read (55P03)"}


def test_a_role_of_a_school_reads_its_own_alone(
    owner: str, hill: GatewayState, school: str
) -> None:
    reports(school, BARE)
    found = read_trust(school)
    assert [each.state.school for each in found.reports] == ["taken"]
    assert set(found.unreadable) == {hill.school}


def test_what_is_no_server_or_none_that_answers_is_refused() -> None:
    with pytest.raises(RefusedError, match="postgresql://"):
        read_trust("sqlite:///x.db")
    with pytest.raises(UnavailableError, match="cannot be read"):
        read_trust("postgresql://a@/b?host=/nonexistent")


def test_the_command_shows_all_and_exits_1_where_something_is_found(
    owner: str, tmp_path: Path
) -> None:
    config = gateway.write_config(tmp_path)

    def health(*options: str) -> "subprocess.CompletedProcess[str]":
        command = ("trust", "gateway", "health", "--database", calm)
        return gateway.schoolgate(*command, *options, "--config", str(config))

    with psycopg.connect(owner, autocommit=True) as connection:
        connection.execute("CREATE DATABASE calm")
    calm = on_server(owner, "calm")
    well = replace(BARE, school="dale", policy="abc", workers_wanted=2, workers_up=2)
    url = add_school(calm, "dale").url
    reports(url, well, now=lambda: datetime.now(UTC))
    done = health()
    # Schools of another database of the server are none of this trust.
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "All is as it should be.")
    reports(url, replace(well, workers_up=1), now=lambda: datetime.now(UTC))
    done = health()
    assert (done.returncode, done.stdout.splitlines()[-1]) == (
        1,
        "dale/gw2 has 1 of 2 workers; the school's technician",
    )
    figures = tmp_path / "trust.prom"
    said = json.loads(health("--json", "--metrics", str(figures)).stdout)
    assert 'schoolgate_trust_gateways{state="drifting"} 1.0' in figures.read_text()
    assert said["findings"] == [
        {
            "school": "dale", "gateway": "gw2", "kind": "workers", "said": "has 1 of 2 workers",
            "who": "the school's technician",
        }
    ]  # fmt: skip
    [one] = said["gateways"]
    assert (one["school"], one["workers_up"], one["started_at"]) == ("dale", 1, at(8).isoformat())
