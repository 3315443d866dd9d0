"""How the gateways of all schools are that share a server, read at the centre of their trust.

What lies in a school's schema was put there by that school's role, which may be in the hands of whoever took
over a gateway. So it is read by COPY, as pg_dump does, for which nothing that the role could have made is
carried out (views, rules, policies on rows, expressions of indexes), and each value is looked at.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from schoolgate.core.errors import RefusedError, UnavailableError
from schoolgate.storage import schema
from schoolgate.storage.connections import is_postgresql, place_of
from schoolgate.storage.gateway_states import GatewayState, Report, Reports
from schoolgate.storage.postgresql import LINE, driver, libpq_url

if TYPE_CHECKING:
    from psycopg import Connection

# One that is held up on purpose must not hold up the others.
_OPTIONS = (
    "-c search_path=pg_catalog -c default_transaction_read_only=on -c row_security=off "
    "-c lock_timeout=500ms -c statement_timeout=3s"
)
# A school is a schema with a role of its name (`schools.add_school`).
_SCHOOLS = (
    "SELECT s.nspname, t.oid IS NOT NULL FROM pg_namespace s JOIN pg_roles r ON r.rolname = s.nspname "
    "LEFT JOIN pg_class t ON t.relnamespace = s.oid AND t.relname = 'gateway_states' "
    "ORDER BY s.nspname"
)
_NOW = "SELECT clock_timestamp()"
_MOST_GATEWAYS = 100
_MOST_LETTERS = 400
_MOST = 1 << 53
_COLUMNS = tuple(column.name for column in schema.gateway_states.columns)
OLDER = "its database is of an older schoolgate"
_UNREADABLE, _NONSENSE = "it cannot be read", "what is in it was not written by schoolgate"


@dataclass(frozen=True, slots=True)
class TrustReports(Reports):
    """What the gateways of all schools said last.

    Attributes:
        unreadable: school → why nothing of it is here.
    """

    unreadable: Mapping[str, str] = field(default_factory=dict)


def read_trust(url: str) -> TrustReports:
    """Read what the gateways of every school in a database said last.

    Args:
        url: of the database, as somebody who may read every school's tables.

    Raises:
        RefusedError: when it is no database on a server.
        UnavailableError: when the server cannot be used.
    """
    if not is_postgresql(url):
        raise RefusedError(f"{place_of(url)} is no database on a server: write postgresql://…")
    psycopg = driver(url)
    try:
        with psycopg.connect(
            libpq_url(url), autocommit=True, **LINE, options=_OPTIONS
        ) as connection:
            return _read(connection, psycopg.Error)
    except psycopg.Error as error:
        said = str(error).strip().partition("\n")[0]
        raise UnavailableError(f"the database {place_of(url)} cannot be read ({said})") from error


def _read(connection: "Connection[Any]", failure: type[Exception]) -> TrustReports:
    reports, unreadable = list[Report](), dict[str, str]()
    for school, has_table in connection.execute(_SCHOOLS).fetchall():
        if not has_table:
            unreadable[school] = OLDER
            continue
        try:
            reports += _of_school(connection, school)
        except ValueError:
            unreadable[school] = _NONSENSE
        except failure as error:
            if connection.closed:
                raise
            state = getattr(error, "sqlstate", None)
            unreadable[school] = OLDER if state == "42703" else f"{_UNREADABLE} ({state})"
    [[at]] = connection.execute(_NOW).fetchall()
    return TrustReports(at, tuple(reports), unreadable)


def _of_school(connection: "Connection[Any]", school: str) -> list[Report]:
    """Read one school.

    Raises:
        ValueError: when something is in there that schoolgate did not write.
        psycopg.Error: when it cannot be read.
    """
    from psycopg import sql  # noqa: PLC0415 - only who has a server needs it

    columns = sql.SQL(", ").join(map(sql.Identifier, _COLUMNS))
    table = sql.Identifier(school, schema.gateway_states.name)
    found = list[Report]()
    with (
        connection.cursor() as cursor,
        cursor.copy(sql.SQL("COPY {} ({}) TO STDOUT").format(table, columns)) as rows,
    ):
        for row in rows.rows():
            if len(found) == _MOST_GATEWAYS:
                raise ValueError(school)
            found.append(_report(school, row))
    return sorted(found, key=lambda report: report.state.gateway)


def _report(school: str, row: Sequence[Any]) -> Report:
    said = dict(zip(_COLUMNS, row, strict=True))
    values = {name: _READERS[name](text) for name, text in said.items()}
    clock, at = values.pop("clock"), values.pop("reported_at")
    # Whose it is says the schema.
    return Report(replace(GatewayState(**values), school=school), clock, at)


def _word(pattern: str) -> Callable[[str | None], str]:
    def read(text: str | None) -> str:
        if text is None or not re.fullmatch(pattern, text):
            raise ValueError(text)
        return text

    return read


def _number(text: str | None) -> int:
    if text is None or len(text) > len(str(_MOST)) or not 0 <= int(text) < _MOST:
        raise ValueError(text)
    return int(text)


def _time(text: str | None) -> datetime:
    found = datetime.fromisoformat((text or "")[:_MOST_LETTERS])
    if found.utcoffset() is None:
        raise ValueError(text)
    return found


def _or_none[T](read: Callable[[str | None], T]) -> Callable[[str | None], T | None]:
    return lambda text: None if text is None else read(text)


def _kinds(text: str | None) -> tuple[str, ...]:
    words = tuple((text or "")[:_MOST_LETTERS].split())
    return tuple(map(_word(r"[a-z-]{1,32}"), words))


_NAME = _word(r"[a-z0-9-]{1,40}")
_READERS: Mapping[str, Callable[[str | None], Any]] = {
    "gateway": _NAME,
    "school": _NAME,
    "program": _word(r"[A-Za-z0-9.+-]{1,40}"),
    "started_at": _time,
    "ring": _word(r"[a-z0-9-]{0,40}"),
    "policy": _word(r"[a-z0-9]{0,16}"),
    **dict.fromkeys(("bundle", "bundle_version", "lists", "kept_requests"), _number),
    **dict.fromkeys(("workers_wanted", "workers_up"), _number),
    "selftest_failures": _or_none(_number),
    **dict.fromkeys(("lists_made", "index_made", "unsent_since"), _or_none(_time)),
    "faults": _kinds,
    **dict.fromkeys(("clock", "reported_at"), _time),
}
