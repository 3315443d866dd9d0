"""Reports that were made for a week or a term: each once, in one transaction with the mail of it."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, Engine, insert, select

from schoolgate.core.approvals import Role, Told
from schoolgate.core.errors import RefusedError
from schoolgate.storage import schema
from schoolgate.storage.connections import reading, writing
from schoolgate.storage.outbox import put

# Of the mail that a report has in the outbox, before its number.
ABOUT = "figures"


class RegularReports:
    """The reports of the database. Every method raises `UnavailableError` when the database fails."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def has(self, kind: str, period: str) -> bool:
        """Ask whether the report of a period was made."""
        with reading(self._engine) as connection:
            return _is_there(connection, kind, period)

    def add(
        self, kind: str, period: str, text: str, subject: str, roles: Iterable[Role], now: datetime
    ) -> bool:
        """Keep a report and have it sent; nothing happens where it was made already.

        Args:
            kind: ``weekly`` or ``termly``.
            period: its id.
            text: of the mail.
            subject: of the mail.
            roles: whom to.
            now: when.

        Returns:
            whether it was kept.
        """
        table = schema.regular_reports
        with writing(self._engine) as connection:
            if _is_there(connection, kind, period):
                return False
            values = {"kind": kind, "period": period, "text": text, "made_at": now}
            made = insert(table).values(**values).returning(table.c.id)
            number = connection.execute(made).scalar_one()
            put(connection, Told(subject, roles=tuple(roles)), f"{ABOUT}:{number}", now)
        return True

    def text(self, number: int) -> str:
        """Give the text of one.

        Raises:
            RefusedError: when there is none of that number.
        """
        table = schema.regular_reports
        with reading(self._engine) as connection:
            found = connection.execute(select(table.c.text).where(table.c.id == number)).scalar()
        if found is None:
            raise RefusedError(f"there is no report {number}")
        return str(found)


def _is_there(connection: Connection, kind: str, period: str) -> bool:
    table = schema.regular_reports
    query = select(table.c.id).where(table.c.kind == kind, table.c.period == period)
    return connection.execute(query).first() is not None
