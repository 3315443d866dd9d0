"""Makes a school's place in a database of many: a schema, and a role that can reach nothing else."""

import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field

from sqlalchemy import make_url

from schoolgate.core.errors import RefusedError, UnavailableError
from schoolgate.storage.connections import is_postgresql, place_of
from schoolgate.storage.postgresql import LINE, driver, libpq_url

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_TAKEN = frozenset({"public", "postgres"})
_LEAST = "NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT NOREPLICATION NOBYPASSRLS"
# Of the role: two for each worker, and what the portal, jobs and commands have for a moment.
_MOST_CONNECTIONS = 80


@dataclass(frozen=True, slots=True)
class AddedSchool:
    """What a school's gateway needs.

    Attributes:
        url: for the setting `database`, without the password.
        password: of the role; kept nowhere else.
        pgpass: the line of libpq's password file that goes with it.
    """

    url: str
    password: str = field(repr=False)
    pgpass: str = field(repr=False)


def add_school(url: str, name: str) -> AddedSchool:
    """Make a schema and a role of a school's name in one transaction.

    The role may connect to this database, and make and use what is its own in this schema. It owns
    no schema, so that it can let nobody else in. Everybody's rights in the database (to connect, to
    make temporary tables, to use ``public``) are taken away.

    Args:
        url: of the database, as somebody who may make roles and owns the database.
        name: of the school: letters, digits and hyphens, 40 at most.

    Raises:
        RefusedError: when the name will not do, or there is such a school already.
        UnavailableError: when the server cannot be used, or refuses.
    """
    if not _NAME.fullmatch(name) or name in _TAKEN:
        raise RefusedError(
            f"{name!r} is no name of a school: write 1 to 40 letters of a-z, digits and hyphens"
        )
    if not is_postgresql(url):
        raise RefusedError(f"{place_of(url)} is no database on a server: write postgresql://…")
    psycopg = driver(url)
    password = secrets.token_urlsafe(24)
    try:
        with psycopg.connect(libpq_url(url), **LINE) as connection:
            for statement in _statements(connection, name, password):
                connection.execute(statement)
    except (psycopg.errors.DuplicateObject, psycopg.errors.DuplicateSchema) as error:
        raise RefusedError(f"there is a school, or a role, of the name {name} already") from error
    except psycopg.Error as error:
        said = str(error).strip().partition("\n")[0]
        raise UnavailableError(
            f"the school {name} cannot be made in {place_of(url)} ({said}): "
            "connect as somebody who owns the database and may make roles"
        ) from error
    return _added(url, name, password)


def _statements(connection: object, name: str, password: str) -> Iterator[object]:
    from psycopg import Connection, sql  # noqa: PLC0415 - only who has a server needs it

    assert isinstance(connection, Connection)
    # So that no log of the server sees the password (RFC 5802).
    verifier = connection.pgconn.encrypt_password(
        password.encode(), name.encode(), b"scram-sha-256"
    ).decode()
    school, database = sql.Identifier(name), sql.Identifier(connection.info.dbname)
    for words in (
        "CREATE ROLE {school} LOGIN {least} CONNECTION LIMIT {most} PASSWORD {verifier}",
        "REVOKE ALL ON DATABASE {database} FROM PUBLIC",
        "REVOKE ALL ON SCHEMA public FROM PUBLIC",
        "CREATE SCHEMA {school}",
        "GRANT CONNECT ON DATABASE {database} TO {school}",
        "GRANT USAGE, CREATE ON SCHEMA {school} TO {school}",
        "ALTER ROLE {school} IN DATABASE {database} SET search_path = {school}",
    ):
        yield sql.SQL(words).format(
            school=school,
            database=database,
            least=sql.SQL(_LEAST),
            most=sql.Literal(_MOST_CONNECTIONS),
            verifier=sql.Literal(verifier),
        )


def _added(url: str, name: str, password: str) -> AddedSchool:
    parsed = make_url(url)
    host = parsed.host or parsed.query.get("host") or "localhost"
    port, database = parsed.port or 5432, parsed.database or "*"
    shown = libpq_url(parsed.set(username=name, password=None))
    return AddedSchool(shown, password, f"{host}:{port}:{database}:{name}:{password}\n")
