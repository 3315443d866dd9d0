"""Mail that waits to be sent: taken by one process at a time, tried again, given up at last."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Row, insert, select, update

from schoolgate.core.approvals import Told
from schoolgate.storage import schema
from schoolgate.storage.connections import reading, writing

# Of the audience that is no person but a program, before its name.
WEBHOOK = "webhook"


@dataclass(frozen=True, slots=True)
class Waiting:
    """One mail of the outbox.

    Attributes:
        id: its number.
        audience: ``role:headteacher``, ``account:abc``, ``digest:abc`` or ``webhook:abc``.
        subject: one line.
        about: ``request:7``, ``alert:7`` or the like, the ``kind:name`` of a page, or empty.
        created_at: when it was written.
        attempts: how often it was tried, this time included.
    """

    id: int
    audience: str
    subject: str
    about: str
    created_at: datetime
    attempts: int


def put(connection: Connection, told: Told, about: str, now: datetime) -> None:
    """Put mail into the outbox, for the account or each of the roles; commits with what it tells of."""
    audiences = [f"role:{role.value}" for role in told.roles]
    if told.account:
        audiences.append(f"account:{told.account}")
    for audience in audiences:
        _put(connection, audience, told.subject, about, now)


def put_for_webhook(
    connection: Connection, name: str, subject: str, about: str, now: datetime
) -> None:
    """Put what a webhook is told into the outbox; commits with what it tells of."""
    _put(connection, f"{WEBHOOK}:{name}", subject, about, now)


def _put(connection: Connection, audience: str, subject: str, about: str, now: datetime) -> None:
    values = {"audience": audience, "subject": subject, "about": about}
    when = {"created_at": now, "due_at": now, "attempts": 0, "last_error": ""}
    connection.execute(insert(schema.outbox).values(**values, **when))


@dataclass(frozen=True, slots=True)
class OutboxState:
    """How the outbox is.

    Attributes:
        waiting: mails that are to be sent.
        due_since: since when one of them could have been sent; None where none could.
        trouble: what the last of them that failed met, "" where none did.
        gave_up: mails of late that are not tried again, oldest first, each with what it met.
    """

    waiting: int
    due_since: datetime | None
    trouble: str
    gave_up: tuple[tuple[Waiting, str], ...]


class Outbox:
    """The mail of the database. Every method raises `UnavailableError` when the database fails.

    Args:
        engine: of the database.
        webhook: name of the webhook whose letters it is about; without it about mail.
    """

    def __init__(self, engine: Engine, webhook: str = "") -> None:
        self._engine = engine
        audience = schema.outbox.c.audience
        self._own = audience == f"{WEBHOOK}:{webhook}" if webhook else is_mail()

    def take(self, now: datetime, most: int, lease: timedelta) -> list[Waiting]:
        """Give what is due, oldest first, and keep others from it for a time.

        Whoever took it and is killed before it says more leaves it to the next after that time.
        """
        table = schema.outbox
        due = (
            self._own,
            table.c.sent_at.is_(None),
            table.c.gave_up_at.is_(None),
            table.c.due_at <= now,
        )
        with writing(self._engine) as connection:
            query = select(table).where(*due).order_by(table.c.id).limit(most)
            rows = connection.execute(query).all()
            taken = update(table).where(table.c.id.in_([row.id for row in rows]))
            later = {"due_at": now + lease, "attempts": table.c.attempts + 1}
            connection.execute(taken.values(**later))
        return [waiting_of(row, row.attempts + 1) for row in rows]

    def sent(self, number: int, now: datetime) -> None:
        """Note that a mail was handed over."""
        self._note(number, sent_at=now, last_error="")

    def failed(self, number: int, error: str, again: datetime) -> None:
        """Note that a mail is to be tried again at a time."""
        self._note(number, due_at=again, last_error=error)

    def gave_up(self, number: int, error: str, now: datetime) -> None:
        """Note that a mail is not tried again."""
        self._note(number, gave_up_at=now, last_error=error)

    def unsent(self) -> list[tuple[Waiting, str]]:
        """Give what was not sent, with the last error: waiting or given up."""
        table = schema.outbox
        query = select(table).where(self._own, table.c.sent_at.is_(None)).order_by(table.c.id)
        with reading(self._engine) as connection:
            rows = connection.execute(query).all()
        return [(waiting_of(row, row.attempts), row.last_error) for row in rows]

    def state(self, since: datetime) -> OutboxState:
        """Give how it is; of what was given up, that from a time on."""
        table = schema.outbox
        query = select(table).where(self._own, table.c.sent_at.is_(None)).order_by(table.c.id)
        with reading(self._engine) as connection:
            rows = connection.execute(query).all()
        waiting = [row for row in rows if row.gave_up_at is None]
        tried = [row.last_error for row in waiting if row.last_error]
        return OutboxState(
            len(waiting),
            min((row.due_at for row in waiting), default=None),
            tried[-1] if tried else "",
            tuple(
                (waiting_of(row, row.attempts), row.last_error)
                for row in rows
                if row.gave_up_at is not None and row.gave_up_at >= since
            ),
        )

    def _note(self, number: int, **values: object) -> None:
        table = schema.outbox
        with writing(self._engine) as connection:
            connection.execute(update(table).where(table.c.id == number).values(**values))


def is_mail() -> ColumnElement[bool]:
    """Give the condition that a row of the outbox is mail."""
    return schema.outbox.c.audience.not_like(f"{WEBHOOK}:%")


def waiting_of(row: Row[Any], attempts: int) -> Waiting:
    """Give a mail from its row."""
    return Waiting(row.id, row.audience, row.subject, row.about, row.created_at, attempts)
