"""A school's database moved from SQLite to a real PostgreSQL server and back, equal row by row."""

import json
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection, inspect, text

from schoolgate.core.errors import RefusedError, UnavailableError
from schoolgate.storage import AuditTrail, open_database
from schoolgate.storage.connections import reading, sqlite_engine, writing
from schoolgate.storage.moving import held
from schoolgate.storage.schools import add_school
from tests import gateway
from tests.databases import on_server
from tests.gateway import ROOT
from tests.storage.days import at
from tests.system import postgres

pytestmark = pytest.mark.long

# What migrations and the commands of the fixture fill themselves.
FILLED = {
    "alembic_version", "audit", "audit_details", "versions", "pseudonyms", "django_migrations",
    "django_content_type", "auth_permission",
}  # fmt: skip
JSON_TEXTS = {"roles", "data", "extra_data", "settings", "also", "content", "words", "streams"}
SAID = {"b": [1, 2.5, 1.0, None, True], "a": "Zoë 😀 'quoted' \\ \n"}
ROWS = 4


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgres.running() as url:
        yield url


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The settings of a gateway whose database has rows in every table, Django's too."""
    directory = tmp_path_factory.mktemp("school")
    config = gateway.write_config(directory)
    command = (
        "people", "add", "ann@school.example", "--name", "Ann", "--role", "technician",
        "--config", str(config),
    )  # fmt: skip
    added = gateway.schoolgate(*command)
    assert added.returncode == 0, added.stderr
    engine = open_database(f"sqlite:///{directory / 'state' / 'schoolgate.db'}")
    for n in range(20):
        AuditTrail(engine).add(at(10), "account:ann", "x", f"user:{n}", {"why": f"n{n}", "n": n})
    with writing(engine) as connection:
        # Tables refer to rows of others that come later here.
        connection.execute(text("PRAGMA defer_foreign_keys = ON"))
        for name in set(inspect(connection).get_table_names()) - FILLED - {"sqlite_sequence"}:
            _fill(connection, name)
    engine.dispose()
    return config


def _fill(connection: Connection, name: str) -> None:
    columns = inspect(connection).get_columns(name)
    keys = {
        key
        for fk in inspect(connection).get_foreign_keys(name)
        for key in fk["constrained_columns"]
    }
    for n in range(2, 2 + ROWS):
        row = {}
        for column in columns:
            if column["nullable"] and n == ROWS:
                continue
            row[column["name"]] = _value(
                column["name"], str(column["type"]), n, column["name"] in keys
            )
        names = ", ".join(f'"{each}"' for each in row)
        places = ", ".join(f":{each}" for each in row)
        connection.execute(text(f'INSERT INTO "{name}" ({names}) VALUES ({places})'), row)


def _value(name: str, kind: str, n: int, is_key: bool) -> object:
    if is_key or (name == "id" and kind == "INTEGER"):
        return n
    if name in JSON_TEXTS and kind in ("TEXT", "JSON"):
        return json.dumps({**SAID, "n": n})
    if name in ("starts", "ends") or (
        (name == "at" or name.endswith("_at")) and kind == "VARCHAR(32)"
    ):
        return f"2026-11-{20 + (name == 'ends')}T0{n}:00:00.000000+00:00"
    simple: dict[str, object] = {
        "INTEGER": n, "BIGINT": 2**40 + n, "FLOAT": n + 0.25, "REAL": n + 0.0, "BOOLEAN": n % 2,
        "DATETIME": f"2026-11-22 18:00:0{n}" + ".123456" * (n % 2), "CHAR(39)": f"fd00::{n}",
    }  # fmt: skip
    if kind in simple:
        return simple[kind]
    longest = int(kind.partition("(")[2].rstrip(")") or 200)
    return f"{n} {name} é😀 'a' \\ %s"[:longest]


def contents(url: str) -> dict[str, list[str]]:
    """Give every row of every table, as text that is the same for both databases; a naive twin."""
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as file:
            found = file.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
            names = [name for (name,) in found if not name.startswith("sqlite_")]
            return {
                name: _sorted(file.execute(f'SELECT * FROM "{name}"')) for name in sorted(names)
            }
    with psycopg.connect(url) as server:
        found = server.execute(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()"
        ).fetchall()
        names = sorted(name for (name,) in found)
        return {name: _sorted(server.execute(f'SELECT * FROM "{name}"'.encode())) for name in names}


def _sorted(cursor: Any) -> list[str]:
    names = [each[0] for each in cursor.description]
    return sorted(
        repr(sorted((name, _plain(value)) for name, value in zip(names, row, strict=True)))
        for row in cursor.fetchall()
    )


def _plain(value: object) -> str:
    if isinstance(value, dict | list):
        value = json.dumps(value)
    if isinstance(value, str) and value[:1] in ("{", "["):
        return json.dumps(json.loads(value, parse_float=_number), sort_keys=True)
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?", value):
        value = datetime.fromisoformat(value).replace(tzinfo=UTC)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return str(_number(value) if isinstance(value, float | bool) else value)


def _number(text: str | float) -> float | int:
    number = float(text)
    return int(number) if number.is_integer() else number


def sqlite_of(config: Path) -> str:
    return f"sqlite:///{config.parent / 'state' / 'schoolgate.db'}"


def move(config: Path, url: str, *more: str) -> subprocess.CompletedProcess[str]:
    return gateway.schoolgate("database", "move", "--to", url, "--config", str(config), *more)


def fresh(server: str, name: str) -> str:
    """Give the URL of a new school in a database of its own."""
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"'.encode())
    return add_school(on_server(server, name), name).url


def at_server(config: Path, directory: Path, url: str) -> Path:
    """Give settings of another gateway that is on a server already."""
    return gateway.write_config(directory, database=url)


def test_every_row_is_the_same_on_the_server_and_back_in_a_file(
    server: str, full: Path, tmp_path: Path
) -> None:
    url, before = fresh(server, "there"), contents(sqlite_of(full))
    assert min(len(rows) for name, rows in before.items() if name not in FILLED) >= ROWS
    looked = move(full, url, "--dry-run")
    assert "nothing was written" in looked.stdout, looked.stderr
    with psycopg.connect(url) as connection:
        assert (
            connection.execute("SELECT 1 FROM pg_tables WHERE schemaname='there'").fetchall() == []
        )
    there = move(full, url)
    assert there.returncode == 0, there.stderr
    # Of Alembic's own table there is one row that is no copy.
    count = sum(map(len, before.values())) - 1
    assert f"moved: {len(before) - 1} tables, {count} rows" in there.stdout
    assert there.stdout.splitlines()[-1].startswith("database: postgresql://there@")
    assert contents(url) == before == contents(sqlite_of(full))
    back = f"sqlite:///{tmp_path / 'back.db'}"
    returned = move(at_server(full, tmp_path, url), back)
    assert returned.returncode == 0, returned.stderr
    assert contents(back) == before == contents(url)
    engine = open_database(back)
    assert AuditTrail(engine).verify().fault is None
    engine.dispose()


def test_the_next_row_gets_a_number_that_none_had(server: str, full: Path, tmp_path: Path) -> None:
    url = fresh(server, "numbers")
    assert move(full, url).returncode == 0
    with psycopg.connect(url) as connection:
        row = connection.execute(
            "INSERT INTO journal_holds (subject, since, reason, made_by, made_at)"
            " VALUES ('user:x', '2026-11-01', 'x', 'cli', '2026-11-22') RETURNING id"
        ).fetchone()
    assert row == (ROWS + 2,)


def test_a_gateway_serves_what_was_moved(server: str, full: Path, tmp_path: Path) -> None:
    url = fresh(server, "serves")
    assert move(full, url).returncode == 0
    place = ("--config", str(at_server(full, tmp_path, url)))
    listed = gateway.schoolgate("people", "list", *place)
    assert "ann@school.example" in listed.stdout, listed.stderr
    assert "audit trail: 21 entries" in gateway.schoolgate("doctor", *place).stdout


def test_a_target_that_is_not_empty_is_refused_and_stays(
    server: str, full: Path, tmp_path: Path
) -> None:
    url = fresh(server, "occupied")
    engine = open_database(url)
    AuditTrail(engine).add(at(10), "cli", "x", "policy:y", {})
    engine.dispose()
    before = contents(url)
    refused = move(full, url)
    assert (refused.returncode, "is not empty" in refused.stderr) == (1, True)
    assert contents(url) == before


def test_a_move_that_was_killed_leaves_a_target_that_nothing_opens_and_can_be_run_again(
    server: str, full: Path
) -> None:
    url, before = fresh(server, "killed"), contents(sqlite_of(full))
    command = [
        sys.executable, "-m", "schoolgate", "database", "move", "--to", url, "--config", str(full),
    ]  # fmt: skip
    # In the middle of the tables, by what it says of its progress.
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for _ in range(10):
            process.stdout.readline()
        process.kill()
    with pytest.raises(UnavailableError, match="half-moved"):
        open_database(url)
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT count(*) FROM audit").fetchone() == (0,)
    assert contents(sqlite_of(full)) == before
    again = move(full, url)
    assert again.returncode == 0, again.stderr
    assert contents(url) == before


def test_nothing_is_moved_while_the_gateway_runs(full: Path, tmp_path: Path) -> None:
    with gateway.running(gateway.write_config(tmp_path)) as own:
        refused = own.run("database", "move", "--to", f"sqlite:///{tmp_path / 'new.db'}")
    assert (refused.returncode, "stop the gateway" in refused.stderr) == (1, True)
    assert not (tmp_path / "new.db").exists()


def test_a_row_that_does_not_fit_is_named_and_nothing_is_moved(
    server: str, full: Path, tmp_path: Path
) -> None:
    """SQLite keeps texts that are longer than their column says."""
    url = fresh(server, "fits")
    config = gateway.write_config(tmp_path)
    (tmp_path / "state").mkdir(exist_ok=True)
    file = tmp_path / "state" / "schoolgate.db"
    shutil.copy(full.parent / "state" / "schoolgate.db", file)
    engine = sqlite_engine(file)
    with writing(engine) as connection:
        connection.execute(
            text("UPDATE requests SET state = :long WHERE id = 2"), {"long": "x" * 99}
        )
    engine.dispose()
    refused = move(config, url)
    assert refused.returncode != 0
    assert "too long" in refused.stderr
    with pytest.raises(UnavailableError, match="half-moved"):
        open_database(url)


def test_a_broken_audit_trail_is_not_moved(server: str, full: Path, tmp_path: Path) -> None:
    url = fresh(server, "broken")
    config = gateway.write_config(tmp_path)
    (tmp_path / "state").mkdir(exist_ok=True)
    file = tmp_path / "state" / "schoolgate.db"
    shutil.copy(full.parent / "state" / "schoolgate.db", file)
    engine = sqlite_engine(file)
    with writing(engine) as connection:
        connection.execute(text("DROP TRIGGER audit_refuses_update"))
        connection.execute(text("UPDATE audit SET action = 'other' WHERE id = 3"))
    engine.dispose()
    refused = move(config, url)
    assert (refused.returncode, "audit trail is broken" in refused.stderr) == (1, True)


def test_a_database_of_an_older_version_is_refused_and_not_changed(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'old.db'}"
    engine = open_database(url)
    with writing(engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0012'"))
    with pytest.raises(RefusedError, match="start the gateway on it once"), held(url):
        pass
    with reading(engine) as connection:
        assert (
            connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == "0012"
        )
    engine.dispose()
