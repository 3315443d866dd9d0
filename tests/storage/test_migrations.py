"""The revisions: they make the schema of the code, once, and refuse a database from the future."""

import subprocess
import sys
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, text

from schoolgate.core.errors import UnavailableError
from schoolgate.storage import AuditTrail, open_database, schema, upgrade
from schoolgate.storage.audit import record
from schoolgate.storage.connections import reading, sqlite_engine, writing
from schoolgate.storage.migrations import REVISIONS
from schoolgate.storage.migrations.running import migration_config
from tests.storage.days import at

OPEN = """
import sys
from schoolgate.storage import open_database
print("ready", flush=True)
sys.stdin.read()
open_database(sys.argv[1]).dispose()
"""


def test_the_migrated_schema_is_that_of_the_code(engine: Engine) -> None:
    with reading(engine) as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        assert compare_metadata(context, schema.metadata) == []


def test_the_constraints_that_the_comparison_does_not_see_are_the_same(engine: Engine) -> None:
    names = {
        str(constraint.name)
        for table in schema.metadata.tables.values()
        for constraint in table.constraints
    }
    with reading(engine) as connection:
        query = text("SELECT group_concat(sql) FROM sqlite_master WHERE type = 'table'")
        created = connection.execute(query).scalar_one()
    assert {name for name in names if f"CONSTRAINT {name} " not in created} == set()


def test_there_is_one_head_and_every_revision_leads_to_it() -> None:
    scripts = ScriptDirectory.from_config(migration_config())
    assert len(scripts.get_heads()) == len(scripts.get_bases()) == 1
    newest_first = [script.revision for script in scripts.walk_revisions()]
    assert tuple(reversed(newest_first)) == REVISIONS


def test_a_second_upgrade_changes_nothing(engine: Engine, path: Path) -> None:
    with writing(engine) as connection:
        connection.execute(text("UPDATE versions SET version = 7 WHERE name = 'overlay'"))
    upgrade(engine)
    with reading(engine) as connection:
        rows = connection.execute(text("SELECT name, version FROM versions")).all()
    want = [("audit", 0), ("bindings", 0), ("lists", 0), ("overlay", 7), ("policy", 0)]
    assert sorted(tuple(row) for row in rows) == want


def test_tables_of_others_in_the_same_database_are_left_alone(engine: Engine) -> None:
    with writing(engine) as connection:
        connection.execute(text("CREATE TABLE auth_user (id INTEGER)"))
        connection.execute(text("DELETE FROM alembic_version"))
        for table in reversed(schema.metadata.sorted_tables):
            connection.execute(text(f"DROP TABLE {table.name}"))
    upgrade(engine)
    with reading(engine) as connection:
        assert connection.execute(text("SELECT count(*) FROM auth_user")).scalar_one() == 0


@pytest.mark.parametrize("change", ["UPDATE audit SET actor = 'nobody'", "DELETE FROM audit"])
def test_the_audit_trail_is_append_only(engine: Engine, change: str) -> None:
    with writing(engine) as connection:
        record(connection, at(9), "head", "x", "everyone", {})
    with pytest.raises(UnavailableError, match="append only"), writing(engine) as connection:
        connection.execute(text(change))


def test_an_end_before_the_start_is_refused_by_the_database_too(engine: Engine) -> None:
    with pytest.raises(UnavailableError, match="ends_after_start"), writing(engine) as connection:
        connection.execute(
            text(
                "INSERT INTO suspensions (subject, starts, ends, reason, created_at)"
                " VALUES ('everyone', '2026-11-24', '2026-11-23', 'x', '2026-11-23')"
            )
        )


def test_a_database_of_a_newer_schoolgate_is_refused(engine: Engine, url: str, path: Path) -> None:
    with writing(engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(UnavailableError) as refusal:
        open_database(url)
    assert str(refusal.value) == (
        f"the database {path} was written by a newer schoolgate (revision 9999 is unknown here): "
        "install that version, or restore an older back-up"
    )


def test_a_failed_upgrade_leaves_the_database_as_it_was(engine: Engine) -> None:
    with writing(engine) as connection:
        connection.execute(text("DELETE FROM alembic_version"))
        connection.execute(text("DROP TABLE grants"))
    with pytest.raises(UnavailableError, match="already exists"):
        upgrade(engine)
    with reading(engine) as connection:
        query = text("SELECT count(*) FROM sqlite_master WHERE name = 'grants'")
        assert connection.execute(query).scalar_one() == 0


def test_processes_that_start_at_once_all_get_the_database(url: str) -> None:
    starters = [
        subprocess.Popen(
            [sys.executable, "-W", "error", "-c", OPEN, url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    for starter in starters:
        assert starter.stdout is not None
        assert starter.stdout.readline() == "ready\n"
    for starter in starters:
        assert starter.stdin is not None
        starter.stdin.close()
        starter.stdin = None
    faults = [starter.communicate(timeout=60)[1] for starter in starters]
    assert faults == [""] * len(starters)


def test_what_was_audited_before_the_chain_is_in_it(path: Path, url: str) -> None:
    path.parent.mkdir()
    path.touch()
    database = sqlite_engine(path)
    with writing(database) as connection:
        command.upgrade(migration_config(connection), "0002")
        for number, actor in enumerate(("cli:root", "cli"), start=1):
            connection.execute(
                text(
                    "INSERT INTO audit (at, actor, action, subject, detail) VALUES (:at, :a, :x, :s, :d)"
                ),
                {
                    "at": f"2026-11-23T0{number}:00:00.000000+00:00",
                    "a": actor,
                    "x": "grant.added",
                    "s": "user:abc",
                    "d": '{"grant": 1}',
                },
            )
    database.dispose()
    opened = open_database(url)
    trail = AuditTrail(opened)
    assert (trail.verify().entries, trail.verify().fault) == (2, None)
    assert [beside["actor"] for _, beside in trail.told("user:abc")] == ["cli:root", "cli"]
    assert trail.told()[1][0].at.isoformat() == "2026-11-23T02:00:00+00:00"
    opened.dispose()
