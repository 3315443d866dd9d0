"""A PostgreSQL server in place of the file: a database of a school's own, or a schema in one of many."""

from types import ModuleType
from typing import Any

from sqlalchemy import URL, Connection, Engine, Pool, create_engine, make_url, text

from schoolgate.core.errors import UnavailableError
from schoolgate.storage.connections import BUSY_TIMEOUT_SECONDS, place_of

# A line that was cut is known as cut within about ten seconds (libpq: seconds, and milliseconds).
LINE: dict[str, Any] = {
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
_OPTIONS = f"-c lock_timeout={BUSY_TIMEOUT_SECONDS}s -c synchronous_commit=on"
# Channels are of the whole database: each school has the one of its schema.
_CHANNEL = "'schoolgate_' || quote_ident(current_schema())::regnamespace::oid"
_SCHEMA_QUERY = text("SELECT current_schema()")
_CHANNEL_QUERY = text(f"SELECT {_CHANNEL}")
_NOTIFY = text(f"SELECT pg_notify({_CHANNEL}, '')")


def postgresql_engine(url: str | URL, pool: type[Pool] | None = None) -> Engine:
    """Give an engine on a server; nothing is opened yet.

    Passwords may stand in libpq's own places (``~/.pgpass``, ``PGPASSFILE``), and ``options`` of the
    URL are kept beside ours.

    Raises:
        UnavailableError: when psycopg is not installed.
    """
    driver(url)
    parsed = make_url(url)
    given = parsed.query.get("options", ())
    options = (given,) if isinstance(given, str) else given
    return create_engine(
        parsed.set(drivername="postgresql+psycopg"),
        poolclass=pool,
        # The server may have been restarted since the connection was used last.
        pool_pre_ping=True,
        connect_args={**LINE, "options": " ".join([*options, _OPTIONS])},
    )


def driver(url: str | URL) -> ModuleType:
    """Give psycopg.

    Raises:
        UnavailableError: when it is not installed.
    """
    try:
        import psycopg  # noqa: PLC0415 - only who has a server needs it
    except ImportError as error:
        raise UnavailableError(
            f"the database {place_of(url)} needs psycopg: install 'schoolgate[postgresql]'"
        ) from error
    return psycopg


def libpq_url(url: str | URL, *, with_password: bool = True) -> str:
    """Give a URL as libpq reads it: it takes no ``+`` for a space."""
    parsed = make_url(url).set(drivername="postgresql")
    if not with_password:
        parsed = parsed.set(password=None)
    place, mark, query = parsed.render_as_string(hide_password=False).partition("?")
    return place + mark + query.replace("+", "%20")


def schema_of(connection: Connection) -> str:
    """Give the schema that the tables are in.

    Raises:
        UnavailableError: when the search path leads to none.
    """
    found: str | None = connection.execute(_SCHEMA_QUERY).scalar_one()
    if found is None:
        raise UnavailableError(
            f"the database {place_of(connection.engine.url)} has no schema for this role: "
            "make it (schoolgate trust school add)"
        )
    return found


def channel_of(connection: Connection) -> str:
    """Give the channel on which the processes of one school tell each other of changes."""
    channel: str = connection.execute(_CHANNEL_QUERY).scalar_one()
    return channel


def notify(connection: Connection) -> None:
    """Tell whatever processes follow, with the commit."""
    connection.execute(_NOTIFY)
