"""Writes the audit trail in the transaction of what it tells of, verifies it, and erases a person from it."""

import secrets
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Engine, Row, delete, func, insert, or_, select, update

from schoolgate.core.approvals import Told
from schoolgate.core.approvals.audit import (
    FIRST,
    AuditEntry,
    Beside,
    broken_at,
    commitment,
    sealed,
)
from schoolgate.storage import schema
from schoolgate.storage.connections import reading, writing
from schoolgate.storage.outbox import put

# Kinds of subjects and actors that stand for a person or lead to one.
_PERSONAL = ("user", "device", "client", "cli", "account")


@dataclass(frozen=True, slots=True)
class TrailState:
    """What a verification found.

    Attributes:
        entries: how many there should be.
        erased: of how many names and texts were erased.
        head: hash of the last one, to be noted elsewhere.
        fault: where the chain is broken, in words; None where it is whole.
    """

    entries: int
    erased: int
    head: str
    fault: str | None


def record(
    connection: Connection,
    at: datetime,
    actor: str,
    action: str,
    subject: str,
    detail: Mapping[str, Any],
) -> None:
    """Write an entry; the transaction must be one of `writing`.

    Args:
        connection: of the transaction.
        at: when.
        actor: name or account of who did it; kept beside the chain.
        action: what was done.
        subject: whom or what it concerns, as ``kind:id``.
        detail: what else is known; kept beside the chain.
    """
    number, previous = _head(connection)
    facts = {name: _plain(value) for name, value in detail.items()}
    content = {"actor": actor, "subject": subject, "detail": facts}
    beside = Beside(secrets.token_hex(16), content)
    who, whom = pseudonym_of(connection, actor), pseudonym_of(connection, subject)
    entry = sealed(number + 1, at, who, action, whom, commitment(beside), previous)
    values = {name: getattr(entry, name) for name in AuditEntry.__dataclass_fields__}
    connection.execute(insert(schema.audit).values(**values))
    kept = {"audit_id": entry.id, "salt": beside.salt, "content": content}
    connection.execute(insert(schema.audit_details).values(**kept))
    chosen = update(schema.versions).where(schema.versions.c.name == "audit")
    connection.execute(chosen.values(version=entry.id, label=entry.hash))


def pseudonym_of(connection: Connection, name: str) -> str:
    """Give what stands for a name in the chain, made on first use; what names nobody is as it is."""
    kind, colon, _ = name.partition(":")
    if name == "everyone" or (colon and kind not in _PERSONAL):
        return name
    table = schema.pseudonyms
    known = connection.execute(select(table.c.pseudonym).where(table.c.name == name)).scalar()
    if known is None:
        known = f"p-{secrets.token_hex(8)}"
        connection.execute(insert(table).values(name=name, pseudonym=known))
    return str(known)


class AuditTrail:
    """The trail as a whole. Every method raises `UnavailableError` when the database fails."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(
        self,
        at: datetime,
        actor: str,
        action: str,
        subject: str,
        detail: Mapping[str, Any],
        told: Iterable[Told] = (),
    ) -> None:
        """Write an entry about a change whose effect is kept elsewhere (accounts, roles, files).

        Args:
            at: when.
            actor: who does it.
            action: what is done.
            subject: whom or what it concerns; mail leads to the page of it.
            detail: what else is known.
            told: who is to be told of it, by mail in the same transaction.
        """
        with writing(self._engine) as connection:
            record(connection, at, actor, action, subject, detail)
            for one in told:
                # The page of it is for those in charge.
                put(connection, one, subject if one.roles else "", at)

    def verify(self) -> TrailState:
        """Go through the whole chain."""
        with reading(self._engine) as connection:
            return verified(connection)

    def told(
        self, subject: str = "", limit: int = 1000, action: str = ""
    ) -> list[tuple[AuditEntry, dict[str, Any]]]:
        """Give the latest entries, oldest first, with what is kept beside them.

        Args:
            subject: of these alone, as ``request:7`` or ``user:abc``; empty for all.
            limit: how many.
            action: of these alone, by how they begin, as ``account.``; empty for all.
        """
        audit, details = schema.audit, schema.audit_details
        query = select(audit, details.c.content).outerjoin(
            details, details.c.audit_id == audit.c.id
        )
        with reading(self._engine) as connection:
            if subject:
                table = schema.pseudonyms
                asked = select(table.c.pseudonym).where(table.c.name == subject)
                known = connection.execute(asked).scalar() or subject
                query = query.where(audit.c.subject == known)
            if action:
                query = query.where(audit.c.action.startswith(action, autoescape=True))
            rows = connection.execute(query.order_by(audit.c.id.desc()).limit(limit)).all()
        return [(_entry(row), row.content or {}) for row in reversed(rows)]

    def counts(self, since: datetime, until: datetime) -> dict[str, int]:
        """Give how many entries there are of each action in a time, by whomever."""
        table = schema.audit
        query = select(table.c.action, func.count().label("number")).group_by(table.c.action)
        with reading(self._engine) as connection:
            rows = connection.execute(query.where(table.c.at >= since, table.c.at < until)).all()
        return {str(row.action): int(row.number) for row in rows}

    def erase(self, name: str, now: datetime, actor: str, reason: str) -> int | None:
        """Delete a person's name and every text of entries by or about them.

        The chain stays whole. That somebody was erased is an entry of its own, without the name.

        Args:
            name: as it was recorded, e.g. ``user:abc``.
            now: when.
            actor: who does it.
            reason: on what ground.

        Returns:
            Of how many entries; None where the name is not known.
        """
        table, audit = schema.pseudonyms, schema.audit
        with writing(self._engine) as connection:
            asked = select(table.c.pseudonym).where(table.c.name == name)
            known = connection.execute(asked).scalar()
            if known is None:
                return None
            theirs = select(audit.c.id).where(or_(audit.c.actor == known, audit.c.subject == known))
            gone = delete(schema.audit_details).where(schema.audit_details.c.audit_id.in_(theirs))
            count = connection.execute(gone).rowcount
            connection.execute(delete(table).where(table.c.name == name))
            detail = {"entries": count, "reason": reason}
            record(connection, now, actor, "person.erased", f"erased:{known}", detail)
        return count


def verified(connection: Connection) -> TrailState:
    """Go through the whole chain as one transaction sees it."""
    number, head = _head(connection)
    fault = broken_at(_entries(connection), number, head)
    kept = select(schema.audit_details.c.audit_id)
    erased = number - len(connection.execute(kept).all())
    return TrailState(number, erased, head, fault)


def _head(connection: Connection) -> tuple[int, str]:
    versions = schema.versions
    query = select(versions.c.version, versions.c.label).where(versions.c.name == "audit")
    number, head = connection.execute(query).one()
    return number, head or FIRST


def _entries(connection: Connection) -> Iterator[tuple[AuditEntry, Beside | None]]:
    audit, details = schema.audit, schema.audit_details
    query = select(audit, details.c.salt, details.c.content).outerjoin(
        details, details.c.audit_id == audit.c.id
    )
    for row in connection.execute(query.order_by(audit.c.id)):
        beside = None if row.salt is None else Beside(row.salt, row.content)
        yield _entry(row), beside


def _entry(row: Row[Any]) -> AuditEntry:
    return AuditEntry(**{name: getattr(row, name) for name in AuditEntry.__dataclass_fields__})


def _plain(value: object) -> object:
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value
