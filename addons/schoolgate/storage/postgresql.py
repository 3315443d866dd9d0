"""A PostgreSQL server in place of the file, for schools that keep one."""

from types import ModuleType

from sqlalchemy import URL, Engine, Pool, create_engine, make_url

from schoolgate.core.errors import UnavailableError
from schoolgate.storage.connections import BUSY_TIMEOUT_SECONDS, place_of

# Told with the commit of whatever processes follow (`versions`).
CHANNEL = "schoolgate_overlay"
_CONNECT_TIMEOUT_SECONDS = 5


def postgresql_engine(url: str | URL, pool: type[Pool] | None = None) -> Engine:
    """Give an engine on a server; nothing is opened yet.

    Passwords may stand in libpq's own places (``~/.pgpass``, ``PGPASSFILE``).

    Raises:
        UnavailableError: when psycopg is not installed.
    """
    driver(url)
    return create_engine(
        make_url(url).set(drivername="postgresql+psycopg"),
        poolclass=pool,
        # The server may have been restarted since the connection was used last.
        pool_pre_ping=True,
        connect_args={
            "connect_timeout": _CONNECT_TIMEOUT_SECONDS,
            "options": f"-c lock_timeout={BUSY_TIMEOUT_SECONDS}s -c synchronous_commit=on",
        },
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
