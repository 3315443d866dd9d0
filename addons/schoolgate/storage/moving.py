"""Copies every row of one database into another, of either kind, and compares what came of it."""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from graphlib import TopologicalSorter
from itertools import batched
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    Connection,
    Engine,
    MetaData,
    Table,
    Text,
    Uuid,
    cast,
    column,
    delete,
    func,
    insert,
    inspect,
    select,
    table,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import INET
from sqlalchemy.types import NullType, TypeEngine

from schoolgate.core.errors import RefusedError, UnavailableError
from schoolgate.storage.audit import verified
from schoolgate.storage.connections import (
    explained,
    is_postgresql,
    place_of,
    sqlite_engine,
    sqlite_path,
    writing,
)
from schoolgate.storage.migrations import HALF_MOVED, REVISIONS
from schoolgate.storage.migrations.running import run_all
from schoolgate.storage.moved_values import canonical, comparable, for_file, for_server, kind
from schoolgate.storage.postgresql import postgresql_engine

_APPLIED = table("alembic_version", column("version_num"))
_COUNTERS = table("sqlite_sequence", column("name"), column("seq"))
_ROWS_AT_ONCE = 500
_HASH_SIZE = 2**256
_TEXTS = (JSON, Uuid, INET)

type Said = Callable[[str, int], None]


@dataclass(frozen=True, slots=True)
class Copied:
    """One table that was compared.

    Attributes:
        table: its name.
        rows: how many there are on both sides.
        digest: of all of them in any order, hexadecimal.
    """

    table: str
    rows: int
    digest: str


@contextmanager
def held(url: str) -> Iterator[Connection]:
    """Open the source as one state that nobody changes meanwhile; writes nothing.

    Raises:
        RefusedError: when it is not of this schoolgate's schema.
        UnavailableError: when it cannot be used.
    """
    engine = _engine(url)
    try:
        with explained(place_of(url)):
            with engine.connect() as looking:
                _check_newest(looking, url)
                names = sorted(inspect(looking).get_table_names())
            one_state = _as_one_state(engine)
            with one_state.begin() as connection:
                if is_postgresql(url):
                    quote = connection.dialect.identifier_preparer.quote
                    # Before the first look, so that the state is the one that is held.
                    tables = ", ".join(quote(name) for name in names)
                    connection.execute(text(f"LOCK TABLE {tables} IN SHARE MODE"))
                yield connection
    finally:
        engine.dispose()


def _as_one_state(engine: Engine) -> Engine:
    if is_postgresql(engine.url):
        return engine.execution_options(isolation_level="REPEATABLE READ")
    return engine.execution_options(schoolgate_begin="IMMEDIATE")


def _engine(url: str) -> Engine:
    if is_postgresql(url):
        return postgresql_engine(url)
    path = sqlite_path(url)
    if not path.exists():
        raise UnavailableError(f"there is no database {path}")
    return sqlite_engine(path)


def _check_newest(connection: Connection, url: str) -> None:
    found = applied(connection)
    if found != REVISIONS[-1]:
        raise RefusedError(
            f"the database {place_of(url)} is not of this version of schoolgate "
            f"(revision {found or 'none'}): start the gateway on it once, stop it, and try again"
        )


def applied(connection: Connection) -> str:
    """Give the revision of a database; "" where it holds nothing at all.

    Raises:
        RefusedError: when it holds tables of somebody else.
    """
    names = inspect(connection).get_table_names()
    if _APPLIED.name in names:
        return str(connection.execute(select(_APPLIED.c.version_num)).scalar_one())
    if names:
        raise RefusedError(f"the database {place_of(connection.engine.url)} holds other tables")
    return ""


def check_empty(engine: Engine) -> None:
    """See that nothing is in the target, or what a move left there that was cut off.

    Raises:
        RefusedError: when something is.
        UnavailableError: when it cannot be used.
    """
    with explained(place_of(engine.url)), engine.connect() as connection:
        if applied(connection) not in ("", HALF_MOVED):
            raise RefusedError(
                f"the database {place_of(engine.url)} is not empty: name an empty one, or move what "
                "is there away"
            )


def mark_half_moved(engine: Engine) -> None:
    """Make the tables of ours in an empty target, and mark it: nothing opens it until it is whole.

    Raises:
        RefusedError: when it is not empty.
        UnavailableError: when it cannot be used.
    """
    check_empty(engine)
    with writing(engine) as connection:
        if applied(connection) == HALF_MOVED:
            return
        run_all(connection)
        connection.execute(update(_APPLIED).values(version_num=HALF_MOVED))


def copy_all(source: Connection, target: Engine, say: Said) -> list[Copied]:
    """Copy every row into a marked target and compare, in one transaction: all of it, or nothing.

    Args:
        source: as `held` gives it.
        target: as `mark_half_moved` left it, with the tables of the portal where the source has them.
        say: told of each table and its rows when it was copied.

    Raises:
        RefusedError: when the two differ in their tables, or what was copied is not what was there.
        UnavailableError: when a database fails.
    """
    with writing(target) as connection:
        if applied(connection) != HALF_MOVED:
            raise RefusedError("somebody else has used the target meanwhile: nothing was moved")
        pairs = _pairs(source, connection)
        for pair in reversed(pairs):
            pair.empty(connection)
        wanted = []
        for pair in pairs:
            wanted.append(pair.copy(source, connection))
            say(pair.name, wanted[-1].rows)
        connection.execute(update(_APPLIED).values(version_num=REVISIONS[-1]))
        found = [pair.look(connection, at_source=False) for pair in pairs]
        for before, after in zip(wanted, found, strict=True):
            if before != after:
                raise RefusedError(
                    f"{before.table} differs after it was copied ({before.rows} rows and {after.rows}): "
                    "nothing was moved"
                )
        state = verified(connection)
        if state.fault is not None:
            raise RefusedError(f"the audit trail is broken: {state.fault}. Nothing was moved.")
    return wanted


def look_through(source: Connection) -> list[Copied]:
    """Count and hash every table of a database; changes nothing."""
    return [pair.look(source, at_source=True) for pair in _pairs(source, source)]


def check_same(source: Connection, copy: Connection) -> list[Copied]:
    """Count and hash every table on both sides; changes nothing.

    Raises:
        RefusedError: when a table of the source is another now than in the copy.
    """
    pairs = _pairs(source, copy)
    found = [pair.look(source, at_source=True) for pair in pairs]
    for before, pair in zip(found, pairs, strict=True):
        after = pair.look(copy, at_source=False)
        if before != after:
            raise RefusedError(
                f"{before.table} is another than in the copy ({before.rows} rows and {after.rows})"
            )
    return found


# -- tables --------------------------------------------------------------------------------------


def _pairs(source: Connection, target: Connection) -> "list[_Pair]":
    """Give the tables that both have, each after those that it refers to."""
    there, here = inspect(source), inspect(target)
    names = set(here.get_table_names())
    if names != set(there.get_table_names()):
        differing = ", ".join(sorted(names ^ set(there.get_table_names())))
        raise RefusedError(
            f"the two databases differ in their tables ({differing}): start the gateway with its "
            "portal on the source once, stop it, and try again"
        )
    above = {
        name: {key["referred_table"] for key in here.get_foreign_keys(name)} - {name}
        for name in sorted(names - {_APPLIED.name})
    }
    order = TopologicalSorter(above).static_order()
    return [_Pair(name, _columns(there, name), _columns(here, name)) for name in order]


def _columns(inspector: Any, name: str) -> dict[str, TypeEngine[Any]]:
    return {each["name"]: each["type"] for each in inspector.get_columns(name)}


class _Pair:
    """One table on both sides; what either knows of a column's type says how its values compare."""

    def __init__(
        self,
        name: str,
        source: Mapping[str, TypeEngine[Any]],
        target: Mapping[str, TypeEngine[Any]],
    ) -> None:
        if source.keys() != target.keys():
            raise RefusedError(f"the table {name} has other columns in the target")
        self.name = name
        self._types = (source, target)
        self._kinds = {each: kind(source[each], target[each]) for each in sorted(target)}
        self._table = Table(name, MetaData(), *(Column(each, NullType()) for each in self._kinds))

    def empty(self, target: Connection) -> None:
        """Take out what migrations put in."""
        if target.execute(select(func.count()).select_from(self._table)).scalar_one():
            target.execute(delete(self._table))

    def copy(self, source: Connection, target: Connection) -> Copied:
        """Copy all rows; give what they are at the source."""
        counted = _Sum(self.name)
        fit = for_server if target.dialect.name == "postgresql" else for_file
        for rows in batched(self._rows(source, at_source=True), _ROWS_AT_ONCE):
            fitted = []
            for row in rows:
                counted.add(row, self._kinds)
                fitted.append({name: fit(kind, row[name]) for name, kind in self._kinds.items()})
            try:
                target.execute(insert(self._table), fitted)
            except ValueError as error:
                raise RefusedError(f"a row of {self.name} does not fit: {error}") from error
        _carry_counter(self.name, self._types[1], source, target)
        return counted.copied

    def look(self, connection: Connection, *, at_source: bool) -> Copied:
        """Count and hash what is there."""
        counted = _Sum(self.name)
        for row in self._rows(connection, at_source=at_source):
            counted.add(row, self._kinds)
        return counted.copied

    def _rows(self, connection: Connection, *, at_source: bool) -> Iterator[dict[str, Any]]:
        types = self._types[0 if at_source else 1]
        on_server = connection.dialect.name == "postgresql"
        columns = [
            # As the server writes it: a JSON null is another thing than none.
            cast(self._table.c[name], Text)
            if on_server and isinstance(types[name], _TEXTS)
            else self._table.c[name]
            for name in self._kinds
        ]
        found = connection.execution_options(yield_per=_ROWS_AT_ONCE).execute(select(*columns))
        for row in found:
            yield {
                name: canonical(kind, value)
                for (name, kind), value in zip(self._kinds.items(), row, strict=True)
            }


class _Sum:
    """A count and a hash over rows in any order: the databases sort texts differently."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._rows = 0
        self._sum = 0

    def add(self, row: Mapping[str, Any], kinds: Mapping[str, str]) -> None:
        said = json.dumps([comparable(kind, row[name]) for name, kind in kinds.items()])
        digest = hashlib.sha256(said.encode()).digest()
        self._sum = (self._sum + int.from_bytes(digest)) % _HASH_SIZE
        self._rows += 1

    @property
    def copied(self) -> Copied:
        return Copied(self._name, self._rows, f"{self._sum:064x}")


# -- numbers --------------------------------------------------------------------------------------


def _carry_counter(
    name: str, columns: Mapping[str, TypeEngine[Any]], source: Connection, target: Connection
) -> None:
    """Let the next row get a number that none had at the source, deleted ones included."""
    if "id" not in columns:
        return
    last = max(_counter(source, name), _counter(target, name))
    if last == 0:
        return
    if target.dialect.name != "postgresql":
        if inspect(target).has_table(_COUNTERS.name):
            target.execute(update(_COUNTERS).where(_COUNTERS.c.name == name).values(seq=last))
        return
    sequence = _sequence(target, name)
    if sequence is not None:
        target.execute(select(func.setval(sequence, last)))


def _counter(connection: Connection, name: str) -> int:
    """Give the highest number that a table is known to have given."""
    known: Sequence[int | None]
    quoted = connection.dialect.identifier_preparer.quote(name)
    highest = connection.execute(text(f"SELECT max(id) FROM {quoted}")).scalar()  # noqa: S608 - a name that the database gave
    if not isinstance(highest, int):
        return 0
    if connection.dialect.name == "postgresql":
        sequence = _sequence(connection, name)
        known = [] if sequence is None else [_last(connection, sequence)]
    elif inspect(connection).has_table(_COUNTERS.name):
        asked = select(_COUNTERS.c.seq).where(_COUNTERS.c.name == name)
        known = [connection.execute(asked).scalar()]
    else:
        known = []
    return max(highest, *(each or 0 for each in known), 0)


def _sequence(connection: Connection, name: str) -> str | None:
    quoted = connection.dialect.identifier_preparer.quote(name)
    found: str | None = connection.execute(
        select(func.pg_get_serial_sequence(quoted, "id"))
    ).scalar()
    return found


def _last(connection: Connection, sequence: str) -> int:
    return int(connection.execute(text(f"SELECT last_value FROM {sequence}")).scalar_one())  # noqa: S608 - as above
