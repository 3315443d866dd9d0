"""Makes and undoes what is decided by hand, each change with its audit entry in one transaction."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Row, delete, func, insert, select, update

from schoolgate.core.approvals import (
    Acceptance,
    Grant,
    Overlay,
    Role,
    Signature,
    Subject,
    Supervision,
    Suspension,
    Told,
    school_day,
)
from schoolgate.core.approvals.requests import checked_text
from schoolgate.core.categories import ListEntry
from schoolgate.core.errors import RefusedError
from schoolgate.storage import overlays, schema
from schoolgate.storage.approvals import Writing
from schoolgate.storage.audit import record
from schoolgate.storage.connections import reading, writing
from schoolgate.storage.outbox import put
from schoolgate.storage.versions import OVERLAY, raise_version, version_of

_LARGEST_ID = 2**63 - 1
# Of one day; far more than a school clicks through, and little to read.
MOST_ACCEPTANCES = 20_000


class DecisionStore:
    """What people decided, in the database; every time is an aware argument.

    Each method is one transaction. Each change of a grant or suspension also writes an audit
    entry and raises the version of the overlay. Every method raises `UnavailableError` when the
    database fails.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add_grant(
        self,
        entry: ListEntry,
        subject: Subject,
        starts: datetime,
        ends: datetime,
        decided_by: Role,
        *,
        reason: str,
        actor: str,
        now: datetime,
    ) -> Grant:
        """Open a site or a part of it for somebody from ``starts`` until before ``ends``.

        Args:
            entry: what is opened; whether it is too wide is for the caller to judge.
            subject: for whom.
            starts: when it begins.
            ends: when it is over, exclusive.
            decided_by: the role in which it was decided.
            reason: shown to people.
            actor: who did it, for the audit trail.
            now: when it was decided.

        Raises:
            RefusedError: when there is no reason, the end is not after the start, or the entry
                holds what PostgreSQL keeps in no text.
        """
        [grant] = self.add_grants(
            [entry], subject, starts, ends, decided_by, reason=reason, actor=actor, now=now
        )
        return grant

    def add_grants(
        self,
        entries: Sequence[ListEntry],
        subject: Subject,
        starts: datetime,
        ends: datetime,
        decided_by: Role,
        *,
        reason: str,
        actor: str,
        now: datetime,
    ) -> list[Grant]:
        """Open several sites, all of them or none; otherwise as `add_grant`."""
        terms = _terms(subject, starts, ends, reason) | {"decided_by": decided_by.value}
        made = insert(schema.grants).returning(schema.grants)
        with writing(self._engine) as connection:
            grants = []
            for entry in entries:
                if "\0" in entry.text:
                    raise RefusedError(f"{entry.text!r} is no site: it holds a NUL character")
                values = {**terms, "entry": entry.text}
                row = connection.execute(made.values(**values, created_at=now)).one()
                grants.append(overlays.grant_of(row))
                _record(connection, now, actor, "grant.added", {"grant": row.id, **values})
        return grants

    def grants(self, now: datetime, include_ended: bool = False) -> list[Grant]:
        """Give the grants not yet ended or revoked at a time, oldest first.

        Args:
            now: the time.
            include_ended: all ever made instead; a revoked one ends when it was revoked.
        """
        with reading(self._engine) as connection:
            if include_ended:
                return overlays.read_every_grant(connection)
            return overlays.read_grants(connection, now)

    def revoke_grant(self, grant_id: int, now: datetime, actor: str, reason: str = "") -> None:
        """Take a grant back from now on.

        Raises:
            RefusedError: when there is none of that number, it was revoked or has ended, or the
                reason is no text.
        """
        reason = checked_text(reason, "a reason") if reason.strip() else ""
        with writing(self._engine) as connection:
            row = _live_grant(connection, grant_id, now)
            chosen = schema.grants.c.id == grant_id
            values = {"revoked_at": now, "revoked_reason": reason}
            connection.execute(update(schema.grants).where(chosen).values(**values))
            if row.request_id is not None:
                work = Writing(connection)
                work.revoked_by_hand(row.request_id, now, actor, reason)
            detail = {"grant": grant_id, "entry": row.entry, "reason": reason}
            _record(connection, now, actor, "grant.revoked", {"subject": row.subject, **detail})

    def suspend(
        self,
        subject: Subject,
        starts: datetime,
        ends: datetime,
        reason: str,
        actor: str,
        *,
        now: datetime,
        told: Iterable[Told] = (),
    ) -> Suspension:
        """Withdraw internet access from somebody from ``starts`` until before ``ends``.

        Args:
            subject: from whom.
            starts: when it begins.
            ends: when it is over, exclusive.
            reason: shown to people.
            actor: who did it, for the audit trail.
            now: when it was decided.
            told: who is to be told of it.

        Raises:
            RefusedError: when there is no reason or the end is not after the start.
        """
        terms = _terms(subject, starts, ends, reason)
        table = schema.suspensions
        made = insert(table).values(**terms, created_at=now).returning(table)
        with writing(self._engine) as connection:
            suspension = overlays.suspension_of(connection.execute(made).one())
            detail = {"suspension": suspension.id, **terms}
            _record(connection, now, actor, "suspension.added", detail)
            _tell(connection, told, now)
        return suspension

    def unsuspend(
        self,
        subject: Subject,
        now: datetime,
        actor: str,
        reason: str = "",
        told: Iterable[Told] = (),
    ) -> int:
        """Lift every suspension of somebody that runs or is still to come; give how many.

        Raises:
            RefusedError: when there is none.
        """
        table = schema.suspensions
        live = (table.c.subject == str(subject), table.c.lifted_at.is_(None), table.c.ends > now)
        with writing(self._engine) as connection:
            lift = update(table).where(*live).values(lifted_at=now).returning(table.c.id)
            lifted = sorted(connection.execute(lift).scalars())
            if not lifted:
                raise RefusedError(f"{subject} is not suspended")
            said = {"reason": reason.strip()} if reason.strip() else {}
            detail = {"subject": str(subject), "suspensions": lifted, **said}
            _record(connection, now, actor, "suspension.lifted", detail)
            _tell(connection, told, now)
        return len(lifted)

    def supervise(
        self,
        subject: Subject,
        starts: datetime,
        ends: datetime,
        reason: str,
        actor: str,
        *,
        now: datetime,
    ) -> Supervision:
        """Let somebody whose access is withdrawn work under a colleague's eyes for a time.

        Raises:
            RefusedError: when there is no reason or the end is not after the start.
        """
        terms = _terms(subject, starts, ends, reason)
        table = schema.supervisions
        made = insert(table).values(**terms, created_at=now).returning(table)
        with writing(self._engine) as connection:
            supervision = overlays.supervision_of(connection.execute(made).one())
            detail = {"supervision": supervision.id, **terms}
            _record(connection, now, actor, "supervision.added", detail)
        return supervision

    def suspensions(self, now: datetime) -> list[Suspension]:
        """Give the suspensions not yet ended or lifted at a time, oldest first."""
        with reading(self._engine) as connection:
            return overlays.read_suspensions(connection, now)

    def sign(
        self,
        person: str,
        version: str,
        actor: str,
        *,
        now: datetime,
        words: Mapping[str, str] | None = None,
    ) -> Signature:
        """Put down that somebody has signed a version of the declaration (W-8).

        Args:
            person: sign-in name.
            version: of the declaration.
            actor: who puts it down.
            now: when.
            words: what else the audit trail is to keep of it.

        Raises:
            RefusedError: when they have already.
        """
        table = schema.signatures
        values = {"person": person, "version": version, "signed_at": now}
        made = insert(table).values(**values).returning(table)
        with writing(self._engine) as connection:
            if connection.execute(select(table.c.id).where(*_counts(person, version))).first():
                raise RefusedError(f"{person} has signed {version} already")
            signature = overlays.signature_of(connection.execute(made).one())
            detail = {"subject": f"user:{person}", "version": version, **(words or {})}
            _record(connection, now, actor, "declaration.signed", detail)
        return signature

    def withdraw_signature(
        self, person: str, version: str, actor: str, reason: str, *, now: datetime
    ) -> None:
        """Put down that a signature does not count; the register still shows it.

        Raises:
            RefusedError: when there is none, or no reason.
        """
        if not reason.strip():
            raise RefusedError("give a reason: it is what people are shown later")
        chosen = update(schema.signatures).where(*_counts(person, version))
        with writing(self._engine) as connection:
            if not connection.execute(chosen.values(withdrawn_at=now)).rowcount:
                raise RefusedError(f"{person} has not signed {version}")
            detail = {"subject": f"user:{person}", "version": version, "reason": reason.strip()}
            _record(connection, now, actor, "declaration.withdrawn", detail)

    def signatures(self) -> list[Signature]:
        """Give the register of declarations, oldest first, with what was withdrawn."""
        with reading(self._engine) as connection:
            return overlays.read_signatures(connection)

    def keep_acceptances(
        self, accepted: Collection[Acceptance], now: datetime
    ) -> frozenset[Acceptance]:
        """Keep that warnings were clicked through, and sweep those of past days.

        They are no decisions of somebody in charge: the journal has them, and not the audit.

        Returns:
            Those that were kept before.
        """
        table, today = schema.acceptances, school_day(now)
        with writing(self._engine) as connection:
            connection.execute(delete(table).where(table.c.day < today))
            count = connection.execute(select(func.count()).select_from(table)).scalar_one()
            room = [each for each in accepted if each.day >= today][: MOST_ACCEPTANCES - count]
            # The only writer: what is not there now nobody puts there meanwhile.
            kept = overlays.read_acceptances(connection, now)
            known = kept.intersection(room)
            added = [each._asdict() for each in dict.fromkeys(room) if each not in known]
            if added:
                connection.execute(insert(table), added)
                raise_version(connection, OVERLAY)
        return known

    def raise_overlay(self) -> int:
        """Have every process read grants and suspensions again, of which none changes; give their number."""
        with writing(self._engine) as connection:
            raise_version(connection, OVERLAY)
            return version_of(connection, OVERLAY)

    def overlay(self, now: datetime) -> Overlay:
        """Give what is in force at a time or later, with its version."""
        with reading(self._engine) as connection:
            return overlays.read_overlay(connection, now)

    def record_version(self, name: str, label: str) -> int:
        """Note which ``policy`` or ``lists`` is now in force; give the number of this version.

        The number rises only when the label is another one, so that every worker may call this.

        Raises:
            ValueError: when it is the version of something else.
        """
        if name not in ("policy", "lists"):
            raise ValueError(f"{name!r} is not a version to record here")
        table = schema.versions
        chosen = update(table).where(table.c.name == name, table.c.label != label)
        with writing(self._engine) as connection:
            connection.execute(chosen.values(label=label, version=table.c.version + 1))
            query = select(table.c.version).where(table.c.name == name)
            number: int = connection.execute(query).scalar_one()
        return number

    def recorded_label(self, name: str) -> str:
        """Give the label last recorded for ``policy`` or ``lists``; empty before the first."""
        query = select(schema.versions.c.label).where(schema.versions.c.name == name)
        with reading(self._engine) as connection:
            label: str = connection.execute(query).scalar_one()
        return label

    def recorded_number(self, name: str) -> int:
        """Give how often ``policy`` or ``lists`` has changed."""
        with reading(self._engine) as connection:
            return version_of(connection, name)


def _terms(subject: Subject, starts: datetime, ends: datetime, reason: str) -> dict[str, Any]:
    if not reason.strip():
        raise RefusedError("give a reason: it is what people are shown later")
    if ends <= starts:
        raise RefusedError(f"the end ({ends}) must lie after the start ({starts})")
    # Parsed, so that what is stored can be read back and `unsuspend` finds it.
    whom = str(Subject.parse(str(subject)))
    return {"subject": whom, "starts": starts, "ends": ends, "reason": reason.strip()}


def _counts(person: str, version: str) -> tuple[ColumnElement[bool], ...]:
    table = schema.signatures
    return table.c.person == person, table.c.version == version, table.c.withdrawn_at.is_(None)


def _live_grant(connection: Connection, grant_id: int, now: datetime) -> Row[Any]:
    row = None
    if 0 < grant_id <= _LARGEST_ID:
        query = select(schema.grants).where(schema.grants.c.id == grant_id)
        row = connection.execute(query).one_or_none()
    if row is None:
        raise RefusedError(f"there is no grant {grant_id}")
    if row.revoked_at is not None:
        raise RefusedError(f"grant {grant_id} was revoked already")
    if row.ends <= now:
        raise RefusedError(f"grant {grant_id} has ended already")
    return row


def _record(
    connection: Connection, at: datetime, actor: str, action: str, detail: Mapping[str, Any]
) -> None:
    """Write the audit entry of a change and raise the overlay's version with it."""
    facts = {name: value for name, value in detail.items() if name != "subject"}
    record(connection, at, actor, action, detail["subject"], facts)
    raise_version(connection, OVERLAY)


def _tell(connection: Connection, told: Iterable[Told], now: datetime) -> None:
    for one in told:
        put(connection, one, "suspension:", now)
