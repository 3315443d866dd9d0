"""Keeps what each person was given of audio and video, for the day alone."""

from collections.abc import Mapping, Sequence

from sqlalchemy import ColumnElement, Connection, Engine, and_, delete, insert, select

from schoolgate.core.media.metering import Standing
from schoolgate.core.media.viewing import Viewing
from schoolgate.storage import schema
from schoolgate.storage.connections import reading, writing

# SQLite takes no more than a thousand values in one question.
_AT_ONCE = 400


class StreamAccounts:
    """The accounts in the database; each call is one transaction.

    Every method raises `UnavailableError` when the database fails.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def join(self, day: str, since: Mapping[str, Viewing]) -> dict[str, Viewing]:
        """Count what was delivered since on top of what is kept, whoever kept it, and forget other days.

        Args:
            day: of school, ``2026-11-23``.
            since: by the `Subject.nearest` of whose they are, as text.

        Returns:
            What is kept of the same accounts now.
        """
        table = schema.stream_accounts
        names, joined = list(since), dict[str, Viewing]()
        with writing(self._engine) as connection:
            connection.execute(delete(table).where(table.c.day < day))
            for at in range(0, len(names), _AT_ONCE):
                these = names[at : at + _AT_ONCE]
                kept = _of(connection, day, these)
                for who in these:
                    joined[who] = kept.get(who) or Viewing()
                    joined[who].join(since[who])
                connection.execute(delete(table).where(_same(day, these)))
                rows = [_row(day, who, joined[who]) for who in these]
                connection.execute(insert(table), rows)
        return joined

    def others(self, day: str, known: Mapping[str, tuple[int, int]]) -> dict[str, Viewing]:
        """Give the accounts that are not as they are known.

        Args:
            day: of school.
            known: whose they are → milliseconds and bytes.
        """
        table = schema.stream_accounts
        names, found = list(known), dict[str, Viewing]()
        query = select(table.c.who, table.c.milliseconds, table.c.size)
        with reading(self._engine) as connection:
            for at in range(0, len(names), _AT_ONCE):
                rows = connection.execute(query.where(_same(day, names[at : at + _AT_ONCE])))
                changed = [r.who for r in rows if known[r.who] != (r.milliseconds, r.size)]
                found |= _of(connection, day, changed)
        return found

    def of_day(self, day: str) -> dict[str, Viewing]:
        """Give all accounts of a day, by whose they are."""
        table = schema.stream_accounts
        with reading(self._engine) as connection:
            rows = connection.execute(select(table).where(table.c.day == day))
            return {
                row.who: Viewing.of_state(row.milliseconds, row.size, row.streams) for row in rows
            }

    def standing(self, who: str, day: str) -> Standing:
        """Give where an account stood when it was kept last."""
        table = schema.stream_accounts
        query = select(table.c.milliseconds, table.c.size).where(
            table.c.who == who, table.c.day == day
        )
        with reading(self._engine) as connection:
            row = connection.execute(query).one_or_none()
        return Standing(day) if row is None else Standing(day, row.milliseconds / 1000, row.size)


def _of(connection: Connection, day: str, names: Sequence[str]) -> dict[str, Viewing]:
    if not names:
        return {}
    rows = connection.execute(select(schema.stream_accounts).where(_same(day, names)))
    return {row.who: Viewing.of_state(row.milliseconds, row.size, row.streams) for row in rows}


def _same(day: str, names: Sequence[str]) -> ColumnElement[bool]:
    table = schema.stream_accounts
    return and_(table.c.day == day, table.c.who.in_(names))


def _row(day: str, who: str, viewing: Viewing) -> dict[str, object]:
    return {
        "who": who,
        "day": day,
        "milliseconds": viewing.milliseconds,
        "size": viewing.size,
        "streams": viewing.state(),
    }
