"""A copy of the whole database as it is at one moment, made while others write, and its schema."""

import os
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

from sqlalchemy import NullPool, make_url

from schoolgate.core.errors import UnavailableError
from schoolgate.storage.audit import AuditTrail, TrailState
from schoolgate.storage.connections import (
    explained,
    is_postgresql,
    place_of,
    reading,
    sqlite_path,
)
from schoolgate.storage.database import open_database
from schoolgate.storage.postgresql import libpq_url, postgresql_engine, schema_of

_PRIVATE_FILE = 0o600
# Files that SQLite keeps beside a database.
COMPANIONS = ("-wal", "-shm", "-journal")
_USUAL_SCHEMA = "public"


def copy_database(url: str, target: Path) -> None:
    """Write the whole database into a new private file.

    A file of SQLite is copied by its online backup; a database on a server by pg_dump, into a dump
    of its custom format.

    Raises:
        UnavailableError: when it cannot be read, or pg_dump is not there.
    """
    os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, _PRIVATE_FILE))
    if is_postgresql(url):
        said = ("--format=custom", "--no-owner", "--no-privileges", f"--file={target}")
        _run("pg_dump", url, *said, *(f'--schema="{name}"' for name in _own_schema(url)))
        return
    path = sqlite_path(url)
    with (
        explained(path),
        closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as source,
        closing(sqlite3.connect(target)) as copy,
    ):
        source.backup(copy)
        # One file, that needs no companions.
        copy.execute("PRAGMA journal_mode = DELETE")
        [(said,)] = copy.execute("PRAGMA integrity_check(1)").fetchall()
    if said != "ok":
        raise UnavailableError(f"the database {path} is damaged ({said}): nothing was backed up")


def verified_copy(file: Path) -> TrailState:
    """Bring a copy of SQLite's to the newest schema, and go through its audit trail.

    Raises:
        UnavailableError: when it is damaged, or of a newer schoolgate.
    """
    with explained(file), closing(sqlite3.connect(f"{file.as_uri()}?mode=rw", uri=True)) as copy:
        [(said,)] = copy.execute("PRAGMA integrity_check(1)").fetchall()
    if said != "ok":
        raise UnavailableError(f"the database in the back-up is damaged ({said})")
    engine = open_database(f"sqlite:///{file}")
    try:
        found = AuditTrail(engine).verify()
    finally:
        engine.dispose()
    with explained(file), closing(sqlite3.connect(f"{file.as_uri()}?mode=rw", uri=True)) as copy:
        copy.execute("PRAGMA journal_mode = DELETE")
    return found


def load_dump(url: str, dump: Path) -> None:
    """Put a dump in place of what a database on a server holds, all of it or nothing.

    Raises:
        UnavailableError: when that fails, or pg_restore is not there; nothing is changed then.
    """
    _run(
        "pg_restore", url, "--clean", "--if-exists", "--single-transaction", "--exit-on-error",
        "--no-owner", "--no-privileges", *(f"--schema={name}" for name in _own_schema(url)), str(dump),
    )  # fmt: skip


def _own_schema(url: str) -> tuple[str, ...]:
    """Give the schema of a school that shares a database: its role may not touch the others."""
    engine = postgresql_engine(url, NullPool)
    with reading(engine) as connection:
        schema = schema_of(connection)
    return () if schema == _USUAL_SCHEMA else (schema,)


def _run(program: str, url: str, *arguments: str) -> None:
    """Run one of the server's programs, without the password where others may read it."""
    secret = make_url(url).password
    password = {"PGPASSWORD": str(secret)} if secret else {}
    command = [program, f"--dbname={libpq_url(url, with_password=False)}", *arguments]
    try:
        ended = subprocess.run(  # noqa: S603 - arguments of ours, and the setting `database`
            command, env={**os.environ, **password}, capture_output=True, text=True, check=False
        )
    except FileNotFoundError as error:
        raise UnavailableError(
            f"{program} is not there: install PostgreSQL's client programs (postgresql-client)"
        ) from error
    if ended.returncode != 0:
        said = (ended.stderr.strip().splitlines() or ["it does not say why"])[0]
        raise UnavailableError(f"{program} could not work with {place_of(url)}: {said}")
