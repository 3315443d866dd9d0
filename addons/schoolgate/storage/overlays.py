"""Reads what people decided back from the tables, as the values of core."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, Table, select

from schoolgate.core.approvals import (
    Acceptance,
    Grant,
    Overlay,
    Role,
    Signature,
    Signed,
    SiteBlock,
    Subject,
    Supervision,
    Suspension,
    school_day,
)
from schoolgate.core.categories import ListEntry, Reach
from schoolgate.core.errors import RefusedError, UnavailableError
from schoolgate.storage import schema
from schoolgate.storage.versions import OVERLAY, version_of


def read_overlay(connection: Connection, now: datetime) -> Overlay:
    """Give what is in force at a time or later, with its version.

    Args:
        connection: in a transaction, so that version and content are of one state.
        now: what has ended by then is left out.

    Raises:
        UnavailableError: when a row is not one that schoolgate wrote.
    """
    return Overlay(
        version=version_of(connection, OVERLAY),
        grants=tuple(read_grants(connection, now)),
        suspensions=tuple(read_suspensions(connection, now)),
        supervisions=tuple(read_supervisions(connection, now)),
        acceptances=read_acceptances(connection, now),
        signed=read_signed(connection),
        blocks=tuple(read_blocks(connection)),
    )


def read_grants(connection: Connection, now: datetime) -> list[Grant]:
    """Give the grants that are neither revoked nor ended at a time, oldest first."""
    live = (schema.grants.c.revoked_at.is_(None), schema.grants.c.ends > now)
    query = select(schema.grants).where(*live).order_by(schema.grants.c.id)
    return [grant_of(row) for row in connection.execute(query)]


def read_every_grant(connection: Connection) -> list[Grant]:
    """Give all grants ever made, oldest first; a revoked one ends when it was revoked."""
    query = select(schema.grants).order_by(schema.grants.c.id)
    return [grant_of(row) for row in connection.execute(query)]


def read_suspensions(connection: Connection, now: datetime) -> list[Suspension]:
    """Give the suspensions that are neither lifted nor ended at a time, oldest first."""
    rows = connection.execute(_live(schema.suspensions, now))
    return [suspension_of(row) for row in rows]


def read_supervisions(connection: Connection, now: datetime) -> list[Supervision]:
    """Give the supervisions that are neither lifted nor ended at a time, oldest first."""
    rows = connection.execute(_live(schema.supervisions, now))
    return [supervision_of(row) for row in rows]


def read_acceptances(connection: Connection, now: datetime) -> frozenset[Acceptance]:
    """Give the warnings that were clicked through on the day of a time."""
    table = schema.acceptances
    query = select(table.c.who, table.c.rule, table.c.day).where(table.c.day >= school_day(now))
    return frozenset(Acceptance(*row) for row in connection.execute(query))


def read_signed(connection: Connection) -> frozenset[Signed]:
    """Give who has signed which version of the declaration."""
    table = schema.signatures
    query = select(table.c.person, table.c.version).where(table.c.withdrawn_at.is_(None))
    return frozenset(Signed(*row) for row in connection.execute(query))


def read_signatures(connection: Connection) -> list[Signature]:
    """Give the register of declarations, oldest first, with what was withdrawn."""
    query = select(schema.signatures).order_by(schema.signatures.c.id)
    return [signature_of(row) for row in connection.execute(query)]


def signature_of(row: Row[Any]) -> Signature:
    """Give the line of the register that a row of `signatures` stands for."""
    return Signature(row.person, row.version, row.signed_at, row.withdrawn_at)


def read_blocks(connection: Connection) -> list[SiteBlock]:
    """Give the sites that are blocked at once, oldest first."""
    table = schema.site_blocks
    query = select(table).where(table.c.lifted_at.is_(None)).order_by(table.c.id)
    return [
        SiteBlock(row.id, entry_of(row.entry, "report"), row.reason)
        for row in connection.execute(query)
    ]


def grant_of(row: Row[Any]) -> Grant:
    """Give the grant that a row of `grants` stands for.

    Raises:
        UnavailableError: when the row is not one that schoolgate wrote.
    """
    try:
        return Grant(
            id=row.id,
            entry=entry_of(row.entry),
            subject=Subject.parse(row.subject),
            starts=row.starts,
            ends=row.ends if row.revoked_at is None else min(row.ends, row.revoked_at),
            decided_by=Role(row.decided_by),
            reason=row.reason,
            page=row.page,
            periods=frozenset(row.periods.split()),
            networks=frozenset(row.networks.split()),
            request=row.request_id,
        )
    except (RefusedError, ValueError) as error:
        raise _unreadable("grant", row, error) from error


def suspension_of(row: Row[Any]) -> Suspension:
    """Give the suspension that a row of `suspensions` stands for.

    Raises:
        UnavailableError: when the row is not one that schoolgate wrote.
    """
    return Suspension(row.id, _subject("suspension", row), row.starts, row.ends, row.reason)


def supervision_of(row: Row[Any]) -> Supervision:
    """Give the supervision that a row of `supervisions` stands for.

    Raises:
        UnavailableError: when the row is not one that schoolgate wrote.
    """
    return Supervision(row.id, _subject("supervision", row), row.starts, row.ends, row.reason)


def _live(table: Table, now: datetime) -> Select[Any]:
    live = (table.c.lifted_at.is_(None), table.c.ends > now)
    return select(table).where(*live).order_by(table.c.id)


def _subject(what: str, row: Row[Any]) -> Subject:
    try:
        return Subject.parse(row.subject)
    except RefusedError as error:
        raise _unreadable(what, row, error) from error


def entry_of(text: str, by: str = "grant") -> ListEntry:
    """Give the entry that `ListEntry.text` stands for.

    Not parsed again: that would undo percent-encoding twice and widen what was granted.
    """
    host, slash, path = text.partition("/")
    reach = Reach.HOST if host.startswith("=") else Reach.SITE
    return ListEntry(host.removeprefix("="), slash + path or "/", by, by, reach)


def _unreadable(what: str, row: Row[Any], error: Exception) -> UnavailableError:
    # Leaving it out instead would lift a suspension without anybody having decided so.
    return UnavailableError(
        f"{what} {row.id} in the database cannot be read ({error}): restore a back-up"
    )
