"""The portal of a trust comes into each school by a login that reaches that school's data alone."""

from collections.abc import Iterator
from contextlib import suppress

import psycopg
import pytest
from sqlalchemy import Engine, NullPool, text

from schoolgate.core.errors import RefusedError, UnavailableError
from schoolgate.storage import AuditTrail, open_database
from schoolgate.storage.connections import reading, writing
from schoolgate.storage.migrations import REVISIONS
from schoolgate.storage.postgresql import libpq_url
from schoolgate.storage.school_glance import SchoolView, school_engine
from schoolgate.storage.school_logins import (
    admit_portal,
    admitted_schools,
    login_of,
    school_url,
)
from schoolgate.storage.schools import add_school
from tests.databases import on_server
from tests.storage.days import at
from tests.system import postgres
from tests.system.test_schools import EVERY_STATEMENT, MINE, THEIRS, Trust, tables

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def trust() -> Iterator[Trust]:
    with postgres.running() as server:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute("CREATE DATABASE trust")
        owner = on_server(server, "trust")
        made = [add_school(owner, name).url for name in (MINE, THEIRS)]
        for url in made:
            open_database(url).dispose()
        admit_portal(owner, [MINE, THEIRS])
        yield Trust(owner, *made)


@pytest.fixture
def inside(trust: Trust) -> Engine:
    """The one school, as the portal comes into it."""
    return school_engine(school_url(trust.owner, MINE))


def test_it_is_the_school_s_role_in_the_school_s_schema(inside: Engine) -> None:
    with reading(inside) as connection:
        found = connection.execute(text("SELECT session_user, current_user, current_schema()"))
        assert found.one() == (login_of(MINE), MINE, MINE)


def test_what_it_writes_is_in_that_school_alone(trust: Trust, inside: Engine) -> None:
    theirs = open_database(trust.theirs)
    before = AuditTrail(theirs).verify().entries
    AuditTrail(inside).add(at(9), "account:x", "trust.assigned", "account:y", {})
    mine = open_database(trust.mine)
    assert AuditTrail(mine).verify().entries == 1
    assert AuditTrail(theirs).verify().entries == before
    mine.dispose()
    theirs.dispose()


def test_no_statement_reaches_a_table_of_another_school(trust: Trust) -> None:
    reached = []
    url = libpq_url(school_url(trust.owner, MINE))
    with psycopg.connect(url, autocommit=True) as connection:
        for role in (MINE, "NONE"):
            connection.execute(f'SET ROLE "{role}"'.replace('"NONE"', "NONE").encode())
            for table, column in tables(trust, THEIRS).items():
                for statement in EVERY_STATEMENT:
                    tried = statement.format(table=f'"{THEIRS}"."{table}"', column=f'"{column}"')
                    with suppress(psycopg.errors.InsufficientPrivilege):
                        connection.execute(tried.encode())
                        reached.append(tried)
    assert reached == []


@pytest.mark.parametrize(
    "attempt",
    [
        f'SET ROLE "{THEIRS}"',
        f'SET ROLE "{login_of(THEIRS)}"',
        f'RESET ROLE; SELECT * FROM "{THEIRS}".requests',
        f'RESET ROLE; SET ROLE "{THEIRS}"',
        "SET SESSION AUTHORIZATION postgres",
        f'RESET ROLE; GRANT "{THEIRS}" TO "{MINE}"',
    ],
)
def test_code_that_a_school_lays_for_the_portal_gets_no_further_than_the_school(
    trust: Trust, inside: Engine, attempt: str
) -> None:
    """A gateway that was taken over owns its tables: a trigger of its runs in the portal's session."""
    with psycopg.connect(trust.mine, autocommit=True) as school:
        steps = " ".join(f"EXECUTE $x${one.strip()}$x$;" for one in attempt.split(";"))
        school.execute(
            f"CREATE OR REPLACE FUNCTION laid() RETURNS trigger LANGUAGE plpgsql AS "
            f"$f$ BEGIN {steps} RETURN NEW; END $f$".encode()
        )
        school.execute(
            "CREATE OR REPLACE TRIGGER laid BEFORE INSERT ON digest_readers "
            "FOR EACH ROW EXECUTE FUNCTION laid()"
        )
    try:
        refused = "permission denied|must have admin option"
        with pytest.raises(UnavailableError, match=refused), writing(inside) as portal:
            portal.execute(text("INSERT INTO digest_readers VALUES ('x')"))
    finally:
        with psycopg.connect(trust.mine, autocommit=True) as school:
            school.execute("DROP FUNCTION laid() CASCADE")


def test_a_view_in_the_place_of_a_table_cannot_hold_a_page_up(trust: Trust) -> None:
    """What a school may put there runs for five seconds at most; then it counts as not readable."""
    engine = school_engine(school_url(trust.owner, MINE))
    with engine.connect() as connection:
        assert connection.execute(text("SHOW statement_timeout")).scalar_one() == "5s"


def test_the_schools_that_it_was_let_into_are_known_by_their_logins(trust: Trust) -> None:
    add_school(trust.owner, "oak")
    assert admitted_schools(trust.mine) == [MINE, THEIRS]


def test_another_password_takes_the_place_of_the_one_before(trust: Trust) -> None:
    [first] = admit_portal(trust.owner, [MINE])
    [second] = admit_portal(trust.owner, [MINE])
    assert first.pgpass != second.pgpass
    assert second.pgpass.rsplit(":", 1)[0].endswith(f":trust:{login_of(MINE)}")
    assert admitted_schools(trust.owner).count(MINE) == 1


@pytest.mark.parametrize("name", ["nowhere", "", 'a"b', "hermitage.portal", "postgres; DROP"])
def test_a_school_that_is_none_is_refused_and_no_login_is_made(trust: Trust, name: str) -> None:
    before = admitted_schools(trust.owner)
    with pytest.raises(RefusedError, match="there is no school"):
        admit_portal(trust.owner, [MINE, name])
    assert admitted_schools(trust.owner) == before


def test_who_may_not_make_roles_is_told_what_to_be(trust: Trust) -> None:
    with pytest.raises(UnavailableError, match="owns the database and may make roles"):
        admit_portal(trust.mine, [MINE])


def test_a_school_of_another_version_is_not_read(trust: Trust) -> None:
    view = SchoolView(school_engine(school_url(trust.owner, THEIRS)))
    assert view.glance(at(9)).waiting == 0
    with psycopg.connect(trust.theirs, autocommit=True) as school:
        school.execute("UPDATE alembic_version SET version_num = '9999'")
        try:
            with pytest.raises(UnavailableError, match="of version 9999"):
                view.glance(at(9))
        finally:
            school.execute("UPDATE alembic_version SET version_num = %s", [REVISIONS[-1]])


def test_no_connection_is_kept(inside: Engine) -> None:
    assert isinstance(inside.pool, NullPool)
