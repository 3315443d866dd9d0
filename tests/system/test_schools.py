"""Schools that share a database on a real server: each has its schema and role, and reaches nothing else."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, Queue

import psycopg
import pytest
from sqlalchemy import make_url

from schoolgate.core.approvals import Overlay, Role, Subject
from schoolgate.core.categories import ListEntry
from schoolgate.core.errors import RefusedError, UnavailableError
from schoolgate.storage import AuditTrail, DecisionStore, OverlayWatch, open_database
from schoolgate.storage.connections import writing
from schoolgate.storage.schools import add_school
from tests import gateway
from tests.databases import on_server
from tests.gateway import PATIENCE_SECONDS, eventually
from tests.storage.days import at
from tests.system import postgres
from tests.system.conftest import program

pytestmark = pytest.mark.long

MINE, THEIRS = "hermitage", "st-mary"
EVERY_STATEMENT = (
    "SELECT * FROM {table}",
    "INSERT INTO {table} DEFAULT VALUES",
    "UPDATE {table} SET {column} = NULL",
    "DELETE FROM {table}",
    "TRUNCATE {table}",
    "COPY {table} TO STDOUT",
    "DROP TABLE {table}",
    "ALTER TABLE {table} OWNER TO CURRENT_USER",
    "GRANT SELECT ON {table} TO PUBLIC",
)


@dataclass(frozen=True, slots=True)
class Trust:
    """Two schools in one database.

    Attributes:
        owner: URL of who owns the database.
        mine: URL of the one school's role.
        theirs: URL of the other's.
    """

    owner: str
    mine: str
    theirs: str


@pytest.fixture(scope="module")
def trust(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trust]:
    with postgres.running() as server:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute("CREATE DATABASE trust")
        owner = on_server(server, "trust")
        made = [add_school(owner, name) for name in (MINE, THEIRS)]
        urls = [each.url for each in made]
        for name, url in zip((MINE, THEIRS), urls, strict=True):
            _accounts_of(tmp_path_factory.mktemp(name), url)
        yield Trust(owner, *urls)


def _accounts_of(directory: Path, url: str) -> None:
    """Have Django make its tables too, as `schoolgate people` does."""
    config = gateway.write_config(directory, database=url)
    added = gateway.schoolgate(
        "people", "add", "ann@school.example", "--name", "Ann", "--role", "technician",
        "--config", str(config),
    )  # fmt: skip
    assert added.returncode == 0, added.stderr


def opened(url: str, host: str) -> None:
    engine = open_database(url)
    entry, everyone = ListEntry.parse(host, "grant", "grant"), Subject.parse("everyone")
    DecisionStore(engine).add_grant(
        entry, everyone, at(9), at(15), Role.SLT, reason="x", actor="account:a", now=at(9)
    )
    engine.dispose()


def tables(trust: Trust, school: str) -> dict[str, str]:
    """Give the tables of a school, each with one of its columns, as who owns the database sees them."""
    with psycopg.connect(trust.owner) as connection:
        found = connection.execute(
            "SELECT c.table_name, min(c.column_name) FROM information_schema.columns c"
            " WHERE c.table_schema = %s GROUP BY c.table_name",
            [school],
        )
        return dict(found.fetchall())


def test_each_school_has_every_table_in_its_own_schema_and_none_is_in_the_common_one(
    trust: Trust,
) -> None:
    assert tables(trust, MINE) == tables(trust, THEIRS)
    assert {"audit", "grants", "requests", "accounts_person", "alembic_version"} <= set(
        tables(trust, MINE)
    )
    assert tables(trust, "public") == {}


def test_no_statement_of_one_role_reaches_a_table_of_the_other_school(trust: Trust) -> None:
    reached = []
    with psycopg.connect(trust.mine, autocommit=True) as connection:
        for table, column in tables(trust, THEIRS).items():
            for statement in EVERY_STATEMENT:
                tried = statement.format(table=f'"{THEIRS}"."{table}"', column=f'"{column}"')
                with suppress(psycopg.errors.InsufficientPrivilege):
                    connection.execute(tried.encode())
                    reached.append(tried)
    assert reached == []


@pytest.mark.parametrize(
    "statement",
    [
        f'CREATE TABLE "{THEIRS}".mine (id int)',
        f'SET ROLE "{THEIRS}"',
        f'DROP SCHEMA "{THEIRS}" CASCADE',
        f'GRANT USAGE ON SCHEMA "{MINE}" TO PUBLIC',
        f"SELECT nextval('\"{THEIRS}\".grants_id_seq')",
        f'SELECT "{THEIRS}".audit_refuses()',
        "CREATE SCHEMA another",
        "CREATE TABLE public.mine (id int)",
        "CREATE TEMPORARY TABLE mine (id int)",
        "CREATE DATABASE another",
        "CREATE ROLE another",
        "SELECT pg_read_file('/etc/passwd')",
        "COPY (SELECT 1) TO PROGRAM 'true'",
        "ALTER SYSTEM SET work_mem = '1GB'",
        "SELECT rolpassword FROM pg_authid",
    ],
)
def test_a_role_can_do_nothing_outside_of_its_schema(trust: Trust, statement: str) -> None:
    with psycopg.connect(trust.mine, autocommit=True) as connection:
        try:
            connection.execute(statement.encode())
        except psycopg.errors.InsufficientPrivilege:
            return
        # What cannot be granted is a warning, and nothing is granted.
        with psycopg.connect(trust.owner) as owner:
            seen = owner.execute(
                "SELECT has_schema_privilege(%s, %s, 'USAGE')", [THEIRS, MINE]
            ).fetchone()
        assert statement.startswith("GRANT")
        assert seen == (False,)


def test_a_statement_of_the_other_school_cannot_be_seen(trust: Trust) -> None:
    query = "SELECT query FROM pg_stat_activity WHERE usename = %s"
    with psycopg.connect(trust.theirs) as other, psycopg.connect(trust.mine) as connection:
        other.execute("SELECT 'a name'")
        assert connection.execute(query.encode(), [THEIRS]).fetchall() == [
            ("<insufficient privilege>",)
        ]


def test_a_decision_of_one_school_wakes_no_watch_of_the_other(trust: Trust) -> None:
    """Each hears its own decision, and the other's listener is told nothing (`_told` alone wakes it)."""
    heard: dict[str, Queue[Overlay]] = {MINE: Queue(), THEIRS: Queue()}
    failures: Queue[Exception] = Queue()
    watches = [
        OverlayWatch(url, heard[name].put, lambda: at(9), failures.put)
        for name, url in ((MINE, trust.mine), (THEIRS, trust.theirs))
    ]
    with psycopg.connect(trust.theirs, autocommit=True) as listener:
        row = listener.execute(
            "SELECT 'schoolgate_' || quote_ident(current_schema())::regnamespace::oid"
        ).fetchone()
        assert row is not None
        listener.execute(f'LISTEN "{row[0]}"'.encode())
        try:
            for watch in watches:
                watch.start()
            for queue in heard.values():
                queue.get(timeout=PATIENCE_SECONDS)
            opened(trust.mine, "one.example")
            overlay = heard[MINE].get(timeout=PATIENCE_SECONDS)
            assert [grant.entry.host for grant in overlay.grants] == ["one.example"]
            # Its own decision comes after: nothing was told in between.
            opened(trust.theirs, "two.example")
            overlay = heard[THEIRS].get(timeout=PATIENCE_SECONDS)
            assert [grant.entry.host for grant in overlay.grants] == ["two.example"]
            assert len(list(listener.notifies(timeout=PATIENCE_SECONDS, stop_after=1))) == 1
            assert list(listener.notifies(timeout=0)) == []
        finally:
            for watch in watches:
                watch.stop()
    with pytest.raises(Empty):
        failures.get_nowait()


def test_one_school_that_writes_does_not_hold_up_the_other(trust: Trust) -> None:
    mine = open_database(trust.mine)
    with writing(mine):
        opened(trust.theirs, "three.example")
    mine.dispose()


def test_the_audit_trails_are_two(trust: Trust) -> None:
    before = {}
    for name, url in ((MINE, trust.mine), (THEIRS, trust.theirs)):
        engine = open_database(url)
        before[name] = AuditTrail(engine).verify()
        AuditTrail(engine).add(at(10), "cli", "x", "policy:y", {})
        after = AuditTrail(engine).verify()
        assert (after.entries, after.fault) == (before[name].entries + 1, None)
        engine.dispose()
    assert before[MINE].head != before[THEIRS].head


def test_the_search_path_may_also_stand_in_the_url(trust: Trust) -> None:
    url = make_url(trust.owner).update_query_dict({"options": f"-c search_path={MINE}"})
    engine = open_database(url.render_as_string(hide_password=False))
    assert AuditTrail(engine).verify().entries > 0
    engine.dispose()


def test_a_school_is_backed_up_and_restored_by_its_own_role_alone(
    trust: Trust, tmp_path: Path
) -> None:
    program("pg_dump")
    config = gateway.write_config(tmp_path, database=trust.mine)
    place, file = ("--config", str(config)), str(tmp_path / "mine.tar.gz")
    opened(trust.mine, "kept.example")
    made = gateway.schoolgate("backup", file, *place)
    assert made.returncode == 0, made.stderr
    opened(trust.mine, "later.example")
    opened(trust.theirs, "theirs.example")
    restored = gateway.schoolgate("restore", file, *place)
    assert restored.returncode == 0, restored.stderr
    hosts = {
        name: {grant.entry.host for grant in _overlay(url).grants}
        for name, url in ((MINE, trust.mine), (THEIRS, trust.theirs))
    }
    assert "kept.example" in hosts[MINE]
    assert "later.example" not in hosts[MINE]
    assert "theirs.example" in hosts[THEIRS]


def _overlay(url: str) -> Overlay:
    engine = open_database(url)
    found = DecisionStore(engine).overlay(at(10))
    engine.dispose()
    return found


def test_the_command_prints_the_setting_and_keeps_the_password_in_a_private_file(
    trust: Trust, tmp_path: Path
) -> None:
    """The server asks for the password here, and lets nobody in without it."""
    directory = Path(str(make_url(trust.owner).query["host"]))
    rules = directory / "data" / "pg_hba.conf"
    rules.write_text("local all oak scram-sha-256\n" + rules.read_text())
    with psycopg.connect(trust.owner, autocommit=True) as owner:
        owner.execute("SELECT pg_reload_conf()")
    file = tmp_path / "oak.pgpass"
    command = ("trust", "school", "add", "oak", "--database", trust.owner, "--pgpass", str(file))
    done = gateway.schoolgate(*command)
    assert done.returncode == 0, done.stderr
    assert file.stat().st_mode & 0o777 == 0o600
    password = file.read_text().strip().rpartition(":")[2]
    assert password not in done.stdout
    [url] = [line.split()[-1] for line in done.stdout.splitlines() if "postgresql://" in line]
    assert eventually(lambda: _is_refused(url))
    psycopg.connect(url, passfile=str(file)).close()
    assert gateway.schoolgate(*command).returncode == 1


def _is_refused(url: str) -> bool:
    try:
        psycopg.connect(url).close()
    except psycopg.OperationalError:
        return True
    return False


@pytest.mark.parametrize("name", ["", "public", "Oak", "a b", "x" * 41, "pg_x", 'a"b', "-oak"])
def test_a_name_that_is_no_slug_is_refused(trust: Trust, name: str) -> None:
    with pytest.raises(RefusedError, match="no name of a school"):
        add_school(trust.owner, name)


def test_who_may_not_make_roles_is_told_what_to_be(trust: Trust) -> None:
    with pytest.raises(UnavailableError, match="owns the database and may make roles"):
        add_school(trust.mine, "elm")


def test_a_role_without_a_schema_is_told_what_to_do(trust: Trust) -> None:
    url = make_url(trust.owner).update_query_dict({"options": "-csearch_path=nowhere"})
    with pytest.raises(UnavailableError, match="schoolgate trust school add"):
        open_database(url.render_as_string(hide_password=False))


def test_a_copy_that_is_only_read_is_followed_and_a_write_says_why_not(
    trust: Trust,
) -> None:
    overlays: Queue[Overlay] = Queue()
    with postgres.copy_of(trust.mine) as copy:
        watch = OverlayWatch(copy, overlays.put, lambda: at(9), lambda _: None)
        watch.start()
        try:
            overlays.get(timeout=PATIENCE_SECONDS)
            opened(trust.mine, "followed.example")
            hosts: set[str] = set()
            while "followed.example" not in hosts:
                overlay = overlays.get(timeout=PATIENCE_SECONDS)
                hosts = {grant.entry.host for grant in overlay.grants}
        finally:
            watch.stop()
        engine = open_database(copy)
        with pytest.raises(UnavailableError, match="can be read and not written"):
            DecisionStore(engine).suspend(
                Subject.parse("user:x"), at(9), at(10), "x", "account:a", now=at(9)
            )
        engine.dispose()
