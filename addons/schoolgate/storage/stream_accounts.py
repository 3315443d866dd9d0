"""Keeps what each person was given of audio and video, for the day alone."""

from collections.abc import Mapping

from sqlalchemy import Engine, delete, insert, select, tuple_

from schoolgate.core.media.metering import Standing
from schoolgate.core.media.viewing import Viewing
from schoolgate.storage import schema
from schoolgate.storage.connections import reading, writing

# SQLite takes so many values in one question; two of them are of each account.
_AT_ONCE = 400


class StreamAccounts:
    """The accounts in the database; each call is one transaction.

    Every method raises `UnavailableError` when the database fails.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def keep(self, day: str, viewings: Mapping[str, Viewing]) -> None:
        """Keep some accounts of a day in the place of what was kept of them, and forget other days.

        Args:
            day: of school, ``2026-11-23``.
            viewings: by the `Subject.nearest` of whose they are, as text.
        """
        table = schema.stream_accounts
        rows = [
            {
                "who": who,
                "day": day,
                "milliseconds": viewing.milliseconds,
                "size": viewing.size,
                "streams": viewing.state(),
            }
            for who, viewing in viewings.items()
        ]
        keys = [(who, day) for who in viewings]
        with writing(self._engine) as connection:
            connection.execute(delete(table).where(table.c.day < day))
            for at in range(0, len(rows), _AT_ONCE):
                same = tuple_(table.c.who, table.c.day).in_(keys[at : at + _AT_ONCE])
                connection.execute(delete(table).where(same))
                connection.execute(insert(table), rows[at : at + _AT_ONCE])

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
