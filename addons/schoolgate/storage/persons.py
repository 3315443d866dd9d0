"""Everything in the database that names a person: given out, or deleted so that no byte of it is left."""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Engine, MetaData, Row, Table, delete, select, text

from schoolgate.storage.connections import explained, is_postgresql, place_of, writing
from schoolgate.storage.versions import BINDINGS, OVERLAY, raise_version

# Tables of rows that are about a person, with the columns that say about whom: such a row is deleted. In
# all others the names alone are taken out, since they tell of what the school decided.
_OWN = {
    "acceptances": ("who",),
    "accidents": ("person",),
    "bindings": ("user",),
    "delegations": ("delegate", "made_by"),
    "digest_lines": ("account",),
    "digest_readers": ("account",),
    "grants": ("subject",),
    "journal_holds": ("subject",),
    "signatures": ("person",),
    "stream_accounts": ("who",),
    "outbox": ("audience",),
    "supervisions": ("subject",),
    "suspensions": ("subject",),
    "accounts_person": ("email",),
    "account_emailaddress": ("email",),
    "socialaccount_socialaccount": ("uid", "extra_data"),
}
# Append only, and without a name; migrations.
_LEFT = ("audit", "alembic_version", "django_migrations", "sqlite_sequence")
# Rows that go with an account, by the column that has its number, and sessions by the key that it names.
_OF_ACCOUNT = (
    ("account_emailaddress", "user_id"), ("mfa_authenticator", "user_id"),
    ("socialaccount_socialaccount", "user_id"), ("usersessions_usersession", "user_id"),
)  # fmt: skip
ERASED = "erased"


class Names:
    """What a person is called, wherever it stands as a word of its own.

    Args:
        names: sign-in names, addresses and names, without those that stand for others, too.
        kinds: ``user:NAME`` and the like, which are found even where the name alone is not looked for.
    """

    def __init__(self, names: Iterable[str], kinds: Iterable[str]) -> None:
        spelled = sorted({*names, *kinds} - {""}, key=len, reverse=True)
        # As JSON spells them, too.
        spelled += [s for s in (json.dumps(name)[1:-1] for name in spelled) if s not in spelled]
        either = "|".join(re.escape(name) for name in spelled)
        self._pattern = re.compile(rf"(?<![\w@.\-:])(?:{either})(?![\w@\-]|\.\w)", re.IGNORECASE)
        self._exact = {name.lower() for name in spelled}

    def are_in(self, value: object) -> bool:
        """Ask whether any stands in a text."""
        return isinstance(value, str) and self._pattern.search(value) is not None

    def are(self, value: object) -> bool:
        """Ask whether a text is one of them."""
        return isinstance(value, str) and value.lower() in self._exact

    def without(self, value: str) -> str:
        """Give a text without them."""
        return self._pattern.sub(ERASED, value)


def rows_about(engine: Engine, names: Names) -> dict[str, list[dict[str, Any]]]:
    """Give every row that names somebody, by table; secrets are left out.

    Raises:
        UnavailableError: when the database fails.
    """
    with explained(place_of(engine.url)), engine.connect() as connection:
        found: dict[str, list[dict[str, Any]]] = {}
        for table in _tables(connection):
            rows = [_shown(row) for row in _rows(connection, table) if _is_about(row, names)]
            if rows:
                found[table.name] = rows
    return found


def erase_rows(engine: Engine, names: Names) -> int:
    """Delete every row about somebody, and their names from all others; give how many rows changed.

    The audit trail loses what was written beside the entries that name them, and its chain holds.

    Raises:
        UnavailableError: when the database fails; nothing is changed then.
    """
    on_server = is_postgresql(engine.url)
    with writing(engine) as connection:
        if not on_server:
            connection.execute(text("PRAGMA secure_delete = ON"))
        tables = _tables(connection)
        accounts = _account_numbers(connection, tables, names)
        count = _erase_accounts(connection, tables, accounts) if accounts else 0
        for table in tables:
            count += sum(_erase(connection, table, row, names) for row in _rows(connection, table))
        if count:
            raise_version(connection, OVERLAY)
            raise_version(connection, BINDINGS)
    return count


def leave_no_byte(engine: Engine) -> None:
    """Write the database anew, so that nothing of what was deleted is left in its files.

    Raises:
        UnavailableError: when it fails; to be done again.
    """
    with explained(place_of(engine.url)):
        alone = engine.raw_connection()
        try:
            if is_postgresql(engine.url):
                alone.driver_connection.autocommit = True  # type: ignore[union-attr]
                # The statistics of the tables hold what is frequent in them.
                for step in ("ANALYZE", "VACUUM FULL"):
                    alone.cursor().execute(step)
                return
            cursor = alone.cursor()
            for step in (
                "PRAGMA secure_delete = ON", "VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)",
            ):  # fmt: skip
                cursor.execute(step)
                cursor.fetchall()
        finally:
            alone.close()


def _tables(connection: Connection) -> list[Table]:
    known = MetaData()
    known.reflect(connection)
    # Those that others lead to come last.
    return [table for table in reversed(known.sorted_tables) if table.name not in _LEFT]


def _rows(connection: Connection, table: Table) -> Iterator[Row[Any]]:
    # As it is kept: what a type makes of it cannot be searched for bytes.
    yield from connection.execute(text(f'SELECT * FROM "{table.name}"')).all()  # noqa: S608 - as reflected


def _is_about(row: Row[Any], names: Names) -> bool:
    return any(names.are_in(_text(value)) for value in row)


def _text(value: object) -> object:
    """Give what is searched: JSON comes as a value."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else value


def _shown(row: Row[Any]) -> dict[str, Any]:
    secret = ("password", "data", "salt", "session_key", "session_data")
    return {name: value for name, value in row._mapping.items() if name not in secret}


def _account_numbers(connection: Connection, tables: Sequence[Table], names: Names) -> list[int]:
    for table in tables:
        if table.name == "accounts_person":
            return [row.id for row in _rows(connection, table) if names.are(row.email)]
    return []


def _erase_accounts(connection: Connection, tables: Sequence[Table], accounts: list[int]) -> int:
    """Delete what goes with accounts, sessions first."""
    by_name, count = {table.name: table for table in tables}, 0
    sessions, kept = by_name.get("usersessions_usersession"), by_name.get("django_session")
    if sessions is not None and kept is not None:
        keys = select(sessions.c.session_key).where(sessions.c.user_id.in_(accounts))
        count += connection.execute(delete(kept).where(kept.c.session_key.in_(keys))).rowcount
    for name, column in _OF_ACCOUNT:
        if name in by_name:
            table = by_name[name]
            gone = delete(table).where(table.c[column].in_(accounts))
            count += connection.execute(gone).rowcount
    return count


def _erase(connection: Connection, table: Table, row: Row[Any], names: Names) -> bool:
    """Delete a row, or take names out of it; tell whether there was something."""
    values = row._mapping
    keys = [column.name for column in table.primary_key]
    here = " AND ".join(f'"{name}" = :key_{name}' for name in keys)
    found = {f"key_{name}": values[name] for name in keys}
    is_own = any(names.are_in(_text(values[name])) for name in _OWN.get(table.name, ()))
    beside = table.name in ("audit_details", "pseudonyms") and _is_about(row, names)
    if is_own or beside:
        connection.execute(text(f'DELETE FROM "{table.name}" WHERE {here}'), found)  # noqa: S608
        return True
    changed = {}
    for name, value in values.items():
        told = _text(value)
        if isinstance(told, str) and names.are_in(told):
            changed[name] = names.without(told)
    if changed:
        chosen = ", ".join(f'"{name}" = :{name}' for name in changed)
        changing = text(f'UPDATE "{table.name}" SET {chosen} WHERE {here}')  # noqa: S608
        connection.execute(changing, {**changed, **found})
    return bool(changed)
