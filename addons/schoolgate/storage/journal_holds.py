"""Keeps what of the journal is held as evidence and must not be deleted (W-7.2.4)."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Engine, insert, select, update

from schoolgate.core.approvals import Subject, SubjectKind
from schoolgate.core.errors import RefusedError
from schoolgate.storage import schema
from schoolgate.storage.audit import record
from schoolgate.storage.connections import reading, writing


@dataclass(frozen=True, slots=True)
class JournalHold:
    """What is held.

    Attributes:
        id: its number.
        subject: whose lines; everyone's where it is ``everyone``.
        since: the first day of them (UTC).
        until: the last day; None where it goes on.
        reason: why.
        made_by: by whom.
        made_at: when.
    """

    id: int
    subject: Subject
    since: date
    until: date | None
    reason: str
    made_by: str
    made_at: datetime


class JournalHolds:
    """Holds in the database; each call is one transaction.

    Every method raises `UnavailableError` when the database fails.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(
        self,
        subject: Subject,
        since: date,
        until: date | None,
        reason: str,
        actor: str,
        now: datetime,
    ) -> int:
        """Hold lines; give the number of the hold.

        Raises:
            RefusedError: when it holds nothing, or there is no reason.
        """
        if subject.kind is SubjectKind.GROUP:
            raise RefusedError("name everyone, a user, a device or an address: a group changes")
        if until is not None and until < since:
            raise RefusedError("the last day comes before the first")
        if not reason.strip():
            raise RefusedError("give a reason: it is what keeps the lines from being deleted")
        with writing(self._engine) as connection:
            values = {
                "subject": str(subject), "since": since.isoformat(),
                "until": until.isoformat() if until else None, "reason": reason.strip(),
            }  # fmt: skip
            made = {"made_by": actor, "made_at": now}
            done = connection.execute(insert(schema.journal_holds).values(**values, **made))
            [number] = done.inserted_primary_key or (0,)
            record(connection, now, actor, "hold.made", str(subject), {"hold": number, **values})
        return number

    def lift(self, number: int, reason: str, actor: str, now: datetime) -> None:
        """End a hold: what is due is deleted the next time.

        Raises:
            RefusedError: when there is none of that number, or no reason.
        """
        if not reason.strip():
            raise RefusedError("give a reason: lines may be deleted that were evidence")
        table = schema.journal_holds
        chosen = (table.c.id == number) & table.c.lifted_at.is_(None)
        with writing(self._engine) as connection:
            subject = connection.execute(select(table.c.subject).where(chosen)).scalar()
            if subject is None:
                raise RefusedError(f"there is no hold {number}")
            connection.execute(update(table).where(chosen).values(lifted_at=now))
            detail = {"hold": number, "reason": reason.strip()}
            record(connection, now, actor, "hold.lifted", subject, detail)

    def standing(self) -> list[JournalHold]:
        """Give the holds that are not lifted, the oldest first."""
        table = schema.journal_holds
        query = select(table).where(table.c.lifted_at.is_(None)).order_by(table.c.id)
        with reading(self._engine) as connection:
            return [
                JournalHold(
                    row.id, Subject.parse(row.subject), date.fromisoformat(row.since),
                    date.fromisoformat(row.until) if row.until else None,
                    row.reason, row.made_by, row.made_at,
                )
                for row in connection.execute(query)
            ]  # fmt: skip
