"""The schools of a database of many, as who owns it sees them; one is shut, opened again, dropped."""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import make_url

from schoolgate.core.errors import RefusedError, UnavailableError
from schoolgate.storage.connections import is_postgresql, place_of
from schoolgate.storage.postgresql import LINE, driver, libpq_url
from schoolgate.storage.school_logins import login_of

if TYPE_CHECKING:
    from psycopg import Connection

# A school has a schema and a role of one name, and the role is nobody who runs the server.
_SCHOOLS = """
SELECT n.nspname, r.rolcanlogin,
       (SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint FROM pg_class c
        WHERE c.relnamespace = n.oid AND c.relkind = 'r'),
       (SELECT count(*) FROM pg_class c WHERE c.relnamespace = n.oid AND c.relkind = 'r'),
       (SELECT count(*) FROM pg_stat_activity a WHERE a.usename = r.rolname),
       coalesce(has_table_privilege(to_regclass(quote_ident(n.nspname) || '.audit'), 'SELECT'), false)
FROM pg_namespace n JOIN pg_roles r ON r.rolname = n.nspname
WHERE NOT r.rolsuper AND NOT r.rolcreaterole AND n.nspname !~ '^pg_' ORDER BY n.nspname
"""
# The school's own, and that of the trust's portal where it was let in.
_ROLES = "SELECT rolname FROM pg_roles WHERE rolname IN (%s, %s) ORDER BY rolname = %s"
_END = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = ANY(%s)"
_END_SECONDS, _PAUSE_SECONDS = 10.0, 0.05


@dataclass(frozen=True, slots=True)
class SchoolState:
    """A school in the database.

    Attributes:
        name: of its schema and role.
        is_open: whether its role may connect; not while it leaves.
        size: of its tables with their indexes, in bytes.
        tables: how many; none where no gateway was ever started on it.
        connections: of its role, now.
        last: time of the newest entry of its audit trail; None where there is none, or we may not read it.
    """

    name: str
    is_open: bool
    size: int
    tables: int
    connections: int
    last: datetime | None


def schools_in(url: str) -> list[SchoolState]:
    """Give the schools, by name.

    Args:
        url: of the database, as somebody who owns it.

    Raises:
        RefusedError: when it is on no server.
        UnavailableError: when the server cannot be used.
    """
    with _connected(url) as connection:
        rows = connection.execute(_SCHOOLS).fetchall()
        return [
            SchoolState(name, is_open, size, tables, open_, _last(connection, name, may_read))
            for name, is_open, size, tables, open_, may_read in rows
        ]


def school_in(url: str, name: str) -> SchoolState | None:
    """Give one school; None where there is none of that name.

    Raises:
        RefusedError: as `schools_in`.
        UnavailableError: likewise.
    """
    return next((each for each in schools_in(url) if each.name == name), None)


def url_of_school(url: str, name: str) -> str:
    """Give the URL by which who owns the database works with the tables of one school."""
    said = f'-c search_path="{name}"'
    return make_url(url).update_query_dict({"options": said}).render_as_string(hide_password=False)


def may_read(url: str, name: str) -> None:
    """Let who owns the database read a school's tables, who is no superuser but has made its role.

    Raises:
        UnavailableError: when the server refuses.
    """
    with _connected(url) as connection:
        _be_member(connection, name)


def shut(url: str, name: str) -> None:
    """Let the roles of a school connect no more, and end their connections: from now on nobody writes there.

    Raises:
        UnavailableError: when the server refuses, or connections do not end.
    """
    with _connected(url) as connection:
        roles = _roles(connection, name)
        for role in roles:
            # Only who is one of a role may end its connections.
            _be_member(connection, role)
        _alter(connection, roles, "NOLOGIN")
        connection.commit()
        ends = time.monotonic() + _END_SECONDS
        while (connection.execute(_END, [roles]).fetchone() or (0,))[0]:
            connection.commit()
            if time.monotonic() > ends:
                raise UnavailableError(f"connections of the roles of {name} do not end: try again")
            time.sleep(_PAUSE_SECONDS)


def open_again(url: str, name: str) -> None:
    """Let the roles of a school connect again.

    Raises:
        UnavailableError: when the server refuses.
    """
    with _connected(url) as connection:
        _alter(connection, _roles(connection, name), "LOGIN")


def drop_school(url: str, name: str) -> None:
    """Drop schema and roles of a school that was shut, in one transaction; what has gone already is no error.

    Raises:
        UnavailableError: when the server refuses, or the role owns something elsewhere.
    """
    from psycopg import sql  # noqa: PLC0415 - only who has a server needs it

    with _connected(url) as connection:
        school = sql.Identifier(name)
        database = sql.Identifier(connection.info.dbname)
        connection.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(school))
        for role in map(sql.Identifier, _roles(connection, name)):
            revoke = "REVOKE ALL ON DATABASE {} FROM {}"
            connection.execute(sql.SQL(revoke).format(database, role))
            connection.execute(sql.SQL("DROP ROLE {}").format(role))


def _be_member(connection: "Connection", role: str) -> None:
    from psycopg import sql  # noqa: PLC0415 - only who has a server needs it

    [(is_one,)] = connection.execute(
        "SELECT pg_has_role(current_user, %s, 'USAGE')", [role]
    ).fetchall()
    if not is_one:
        connection.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(sql.Identifier(role)))


def _roles(connection: "Connection", name: str) -> list[str]:
    """Give the roles that come into a school, its own last."""
    return [role for (role,) in connection.execute(_ROLES, [name, login_of(name), name])]


def _alter(connection: "Connection", roles: Iterable[str], how: str) -> None:
    from psycopg import sql  # noqa: PLC0415 - only who has a server needs it

    for role in map(sql.Identifier, roles):
        connection.execute(sql.SQL("ALTER ROLE {} {}").format(role, sql.SQL(how)))


def _last(connection: "Connection", name: str, may_read: bool) -> datetime | None:
    from psycopg import sql  # noqa: PLC0415 - only who has a server needs it

    if not may_read:
        return None
    asked = sql.SQL("SELECT max(at) FROM {}.audit").format(sql.Identifier(name))
    [(said,)] = connection.execute(asked).fetchall()
    return datetime.fromisoformat(said) if said else None


@contextmanager
def _connected(url: str) -> "Iterator[Connection]":
    """Open one transaction as who owns the database."""
    if not is_postgresql(url):
        raise RefusedError(f"{place_of(url)} is no database on a server: write postgresql://…")
    psycopg = driver(url)
    try:
        with psycopg.connect(libpq_url(url), **LINE) as connection:
            yield connection
    except psycopg.Error as error:
        said = str(error).strip().partition("\n")[0]
        raise UnavailableError(
            f"{place_of(url)} cannot be used ({said}): connect as somebody who owns the database and "
            "has made its schools"
        ) from error
