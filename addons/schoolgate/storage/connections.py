"""Connections to the database as schoolgate needs them: durable, shared between processes, explicit."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, Pool, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError

from schoolgate.core.errors import StoreUnavailableError, UnavailableError

BUSY_TIMEOUT_SECONDS = 5
# Held until the transaction ends. The first number is ours alone, the second that of the schema: such
# locks are of the whole database, and schools that share one do not wait for each other.
ONLY_WRITER = text(
    "SELECT pg_advisory_xact_lock(734891265, quote_ident(current_schema())::regnamespace::oid::int)"
)
_PAUSE_SECONDS = 0.02

_ADVICE = {
    sqlite3.SQLITE_BUSY: "another process keeps it locked: try again, or stop that process",
    sqlite3.SQLITE_CANTOPEN: "give schoolgate's user read and write access to it and its directory",
    sqlite3.SQLITE_CORRUPT: "restore it from a back-up",
    sqlite3.SQLITE_FULL: "free some space on its disk",
    sqlite3.SQLITE_NOTADB: "move that file away, or restore the database from a back-up",
    sqlite3.SQLITE_READONLY: "give schoolgate's user write access to it and its directory",
}
_GENERAL_ADVICE = "check the setting `database`, the file and its directory"
_SERVER_ADVICE = "check the setting `database`, and that the server runs and lets schoolgate in"
_COPY = "it is a copy that can be read and not written: write again when the first server is back"
# By SQLSTATE.
_SERVER_ADVICES = {
    "25006": _COPY,
    # What a copy says of a transaction that is to write.
    "0A000": _COPY,
    "3F000": "its role has no schema: make it (schoolgate trust school add)",
    "42501": "its role may do this in its own schema alone (schoolgate trust school add)",
    "53300": "the server has no connection left: raise max_connections or the role's limit",
}
# The first byte of SQLite's result code is the kind of failure, the rest its detail.
_PRIMARY_CODE = 0xFF


@contextmanager
def explained(place: Path | str) -> Iterator[None]:
    """Turn what the system or the database raises into one sentence that says what to do.

    Raises:
        StoreUnavailableError: in place of an `OSError` or a database error.
    """
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        advice = _GENERAL_ADVICE if isinstance(place, Path) else _SERVER_ADVICE
        raise StoreUnavailableError(_sentence(place, reason, advice)) from error
    except (DBAPIError, sqlite3.Error) as error:
        cause = error.orig if isinstance(error, DBAPIError) else error
        code = getattr(cause, "sqlite_errorcode", 0) & _PRIMARY_CODE
        general = _GENERAL_ADVICE if isinstance(place, Path) else _SERVER_ADVICE
        state = getattr(cause, "sqlstate", None) or ""
        advice = _ADVICE.get(code) or _SERVER_ADVICES.get(state, general)
        # PostgreSQL says more in further lines.
        reason = str(cause).strip().partition("\n")[0]
        raise StoreUnavailableError(_sentence(place, reason, advice)) from error


def _sentence(path: Path | str, reason: str, advice: str) -> str:
    return f"the database {path} cannot be used ({reason}): {advice}"


def is_postgresql(url: str | URL) -> bool:
    """Ask whether a database URL names one on a PostgreSQL server."""
    try:
        return make_url(url).get_backend_name() == "postgresql"
    except ArgumentError:
        return False


def place_of(url: str | URL) -> Path | str:
    """Give where a database is, for people: the file, or the URL without its password.

    Raises:
        UnavailableError: when the URL names none.
    """
    if is_postgresql(url):
        return make_url(url).set(drivername="postgresql").render_as_string(hide_password=True)
    return sqlite_path(url)


def is_there(url: str | URL) -> bool:
    """Ask whether a database was ever made; one on a server always counts as made.

    Raises:
        UnavailableError: when the URL names none.
    """
    return is_postgresql(url) or sqlite_path(url).exists()


def sqlite_path(url: str | URL) -> Path:
    """Give the absolute path of the file that a database URL names.

    Raises:
        UnavailableError: when it names no SQLite file.
    """
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise UnavailableError(f"{url!r} is no database URL: write sqlite:///PATH") from error
    name = parsed.database or ""
    if parsed.drivername not in ("sqlite", "sqlite+pysqlite") or name.startswith((":", "file:")):
        shown = parsed.render_as_string(hide_password=True)
        raise UnavailableError(
            f"the database {shown} is not supported: write "
            "sqlite:///PATH or postgresql://USER@HOST/NAME"
        )
    if not name:
        # A database in memory cannot be shared between the worker processes.
        raise UnavailableError("the database URL names no file: write sqlite:///PATH")
    return Path(name).absolute()


def sqlite_engine(path: Path, pool: type[Pool] | None = None) -> Engine:
    """Give an engine on an existing SQLite file; nothing is opened yet.

    A transaction begins where the code says so: `reading` and `writing` choose how. The driver's
    own implicit transactions would leave DDL outside and take the write lock too late.
    """
    url = URL.create("sqlite", database=str(path))
    engine = create_engine(url, creator=lambda: _connect(path), poolclass=pool)
    event.listen(engine, "begin", _begin)
    return engine


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """Open a transaction that sees one state of the database and blocks nobody.

    Raises:
        UnavailableError: when the database fails.
    """
    one_state = engine
    if is_postgresql(engine.url):
        options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        one_state = engine.execution_options(**options)
    with explained(place_of(engine.url)), one_state.begin() as connection:
        yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """Open a transaction that is the only writer from its first statement on; commits at the end.

    Raises:
        UnavailableError: when the database fails, or is kept locked by another.
    """
    on_server = is_postgresql(engine.url)
    immediate = engine if on_server else engine.execution_options(schoolgate_begin="IMMEDIATE")
    with explained(place_of(engine.url)), immediate.begin() as connection:
        if on_server:
            connection.execute(ONLY_WRITER)
        yield connection


def _begin(connection: Connection) -> None:
    mode = connection.get_execution_options().get("schoolgate_begin", "DEFERRED")
    connection.exec_driver_sql(f"BEGIN {mode}")


def _connect(path: Path) -> sqlite3.Connection:
    # mode=rw: a file that has gone is an error here, not a new empty database without suspensions.
    uri = f"{path.as_uri()}?mode=rw"
    connection = sqlite3.connect(
        uri, uri=True, timeout=0, isolation_level=None, check_same_thread=False
    )
    try:
        _prepare(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection) -> None:
    mode = _switch_to_write_ahead_log(connection)
    if mode != "wal":
        raise sqlite3.OperationalError(f"its file system allows no write-ahead log, only {mode!r}")
    connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_SECONDS * 1000}")
    # A decision that was confirmed to a person survives a power cut.
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")


def _switch_to_write_ahead_log(connection: sqlite3.Connection) -> str:
    """Give the journal mode that came of it; waits for its lock as long as for any other."""
    # SQLite does not apply the busy timeout to this step, and processes that start together
    # meet in it; where it was done before, it takes no lock.
    attempts = round(BUSY_TIMEOUT_SECONDS / _PAUSE_SECONDS)
    while True:
        attempts -= 1
        try:
            (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
            return str(mode)
        except sqlite3.OperationalError as error:
            if attempts <= 0 or error.sqlite_errorcode & _PRIMARY_CODE != sqlite3.SQLITE_BUSY:
                raise
        time.sleep(_PAUSE_SECONDS)
