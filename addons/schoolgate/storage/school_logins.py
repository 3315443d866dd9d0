"""Lets the portal of a trust into schools, each by a login of its own that is one school's alone."""

import re
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import URL, make_url

from schoolgate.core.errors import RefusedError, UnavailableError
from schoolgate.storage.connections import is_postgresql, place_of
from schoolgate.storage.postgresql import LINE, driver, libpq_url

if TYPE_CHECKING:
    from psycopg import Connection
    from psycopg.sql import Composed

# No school has a dot in its name.
_SUFFIX = ".portal"
_LEAST = "NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT NOREPLICATION NOBYPASSRLS"
# Pages are made by sixteen threads, and each school is looked at by another one.
_MOST_CONNECTIONS = 20
_SCHOOL = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_ADMITTED = """
SELECT left(r.rolname, -length(%(suffix)s)) FROM pg_catalog.pg_roles r
WHERE right(r.rolname, length(%(suffix)s)) = %(suffix)s AND r.rolcanlogin
AND pg_catalog.has_database_privilege(r.oid, pg_catalog.current_database(), 'CONNECT')
ORDER BY 1
"""


@dataclass(frozen=True, slots=True)
class Admission:
    """That the portal was let into a school.

    Attributes:
        school: its name.
        pgpass: the line of libpq's password file that goes with it.
    """

    school: str
    pgpass: str = field(repr=False)


def login_of(school: str) -> str:
    """Give the name of the role as which the portal comes into a school."""
    return f"{school}{_SUFFIX}"


def admit_portal(url: str, schools: Sequence[str]) -> list[Admission]:
    """Make the portal's login for each of some schools, or give it another password; all or none.

    What a school's role owns it can fill with code of its own (triggers, rules), which runs as whoever
    reads or writes there. So this login is a member of that one role, and may besides connect.

    Args:
        url: of the database, as somebody who owns it and may make roles.
        schools: that `add_school` made.

    Raises:
        RefusedError: when there is no such school.
        UnavailableError: when the server cannot be used, or refuses.
    """
    if not is_postgresql(url):
        raise RefusedError(f"{place_of(url)} is no database on a server: write postgresql://…")
    psycopg = driver(url)
    try:
        with psycopg.connect(libpq_url(url), **LINE) as connection:
            return [_admitted(connection, make_url(url), school) for school in schools]
    except psycopg.Error as error:
        said = str(error).strip().partition("\n")[0]
        raise UnavailableError(
            f"the portal cannot be let into schools in {place_of(url)} ({said}): "
            "connect as somebody who owns the database and may make roles"
        ) from error


def admitted_schools(url: str) -> list[str]:
    """Give the schools that the portal was let into, sorted.

    Raises:
        UnavailableError: when the server cannot be used.
    """
    psycopg = driver(url)
    try:
        with psycopg.connect(libpq_url(url), **LINE) as connection:
            found = connection.execute(_ADMITTED, {"suffix": _SUFFIX}).fetchall()
    except psycopg.Error as error:
        said = str(error).strip().partition("\n")[0]
        raise UnavailableError(
            f"the schools in {place_of(url)} cannot be listed ({said})"
        ) from error
    return [name for (name,) in found if _SCHOOL.fullmatch(name)]


def school_url(url: str, school: str, passwords: str = "") -> URL:
    """Give the URL at which the portal finds a school.

    Args:
        url: of the centre's own place in the same database.
        school: its name.
        passwords: libpq's password file; "" for its usual places.
    """
    made = make_url(url).set(username=login_of(school), password=None)
    # Those of the centre's own role.
    made = made.difference_update_query(["options"])
    return made.update_query_dict({"passfile": passwords}) if passwords else made


def _admitted(connection: "Connection[Any]", url: URL, school: str) -> Admission:
    login, password = login_of(school), secrets.token_urlsafe(24)
    there = {
        name
        for (name,) in connection.execute(
            "SELECT rolname FROM pg_catalog.pg_roles WHERE rolname = ANY(%s)", [[school, login]]
        )
    }
    if not _SCHOOL.fullmatch(school) or school not in there:
        raise RefusedError(f"there is no school {school!r}: make it (schoolgate trust school add)")
    for statement in _statements(connection, school, password, is_new=login not in there):
        connection.execute(statement)
    host = url.host or url.query.get("host") or "localhost"
    place = f"{host}:{url.port or 5432}:{url.database or '*'}"
    return Admission(school, f"{place}:{login}:{password}\n")


def _statements(
    connection: "Connection[Any]", school: str, password: str, *, is_new: bool
) -> Iterator["Composed"]:
    from psycopg import sql  # noqa: PLC0415 - only who has a server needs it

    login = login_of(school)
    # So that no log of the server sees the password (RFC 5802).
    verifier = connection.pgconn.encrypt_password(
        password.encode(), login.encode(), b"scram-sha-256"
    ).decode()
    verb = "CREATE" if is_new else "ALTER"
    for words in (
        f"{verb} ROLE {{login}} LOGIN {{least}} CONNECTION LIMIT {{most}} PASSWORD {{verifier}}",
        "GRANT {school} TO {login}",
        "GRANT CONNECT ON DATABASE {database} TO {login}",
        "ALTER ROLE {login} IN DATABASE {database} SET role = {school}",
        "ALTER ROLE {login} IN DATABASE {database} SET search_path = {school}",
    ):
        yield sql.SQL(words).format(
            login=sql.Identifier(login),
            school=sql.Identifier(school),
            database=sql.Identifier(connection.info.dbname),
            least=sql.SQL(_LEAST),
            most=sql.Literal(_MOST_CONNECTIONS),
            verifier=sql.Literal(verifier),
        )
