"""Requests, delegations and registers: one transaction for all that a person's action brings about."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, String, cast, exists, insert, literal, select, update

from schoolgate.core.approvals import (
    AccessRequest,
    Accident,
    Delegation,
    Grant,
    Opened,
    Outcome,
    ReportBlock,
    SiteReport,
    State,
    Told,
)
from schoolgate.core.categories import ListEntry
from schoolgate.core.errors import RefusedError
from schoolgate.storage import audit, outbox, overlays, schema
from schoolgate.storage.connections import reading, writing
from schoolgate.storage.request_rows import delegation_of, report_of, request_of, request_values
from schoolgate.storage.versions import OVERLAY, raise_version

_LARGEST_ID = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Happening:
    """One line of a request's history."""

    version: int
    at: datetime
    actor: str
    role: str | None
    action: str
    before: str | None
    after: str
    words: Mapping[str, Any]


class Reading:
    """What is kept, as one state of the database shows it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def request(self, number: int) -> AccessRequest:
        """Give a request.

        Raises:
            RefusedError: when there is none of that number.
        """
        row = None
        if 0 < number <= _LARGEST_ID:
            query = select(schema.requests).where(schema.requests.c.id == number)
            row = self._connection.execute(query).one_or_none()
        if row is None:
            raise RefusedError(f"there is no request {number}")
        return request_of(row)

    def submitted_as(self, submission: str) -> AccessRequest | None:
        """Give the request that a form made which was sent already."""
        query = select(schema.requests).where(schema.requests.c.submission == submission)
        row = self._connection.execute(query).one_or_none()
        return request_of(row) if row else None

    def requests(
        self, states: tuple[State, ...] = (), requester: str | None = None, host: str = ""
    ) -> list[AccessRequest]:
        """Give requests, oldest first.

        Args:
            states: as they are kept; all without.
            requester: account; of all without.
            host: of the site; all without.
        """
        table = schema.requests
        query = select(table).order_by(table.c.id)
        if states:
            query = query.where(table.c.state.in_([state.value for state in states]))
        if requester is not None:
            query = query.where(table.c.requester == requester)
        if host:
            query = query.where(table.c.host == host)
        return [request_of(row) for row in self._connection.execute(query)]

    def history(self, number: int) -> list[Happening]:
        """Give what happened to a request, oldest first."""
        table = schema.request_history
        names = [table.c[name] for name in Happening.__dataclass_fields__]
        query = select(*names).where(table.c.request_id == number).order_by(table.c.version)
        return [Happening(**row._mapping) for row in self._connection.execute(query)]

    def grant_of(self, number: int) -> Grant | None:
        """Give the grant that was made on a request; a revoked one ends when it was revoked."""
        query = select(schema.grants).where(schema.grants.c.request_id == number)
        row = self._connection.execute(query).one_or_none()
        return overlays.grant_of(row) if row else None

    def ending(self, now: datetime, until: datetime, subject: str) -> list[Grant]:
        """Give the grants of requests that end by a time, and that no mail of a subject was about."""
        grants, outbox = schema.grants, schema.outbox
        about = literal("request:") + cast(grants.c.request_id, String)
        told = exists().where(outbox.c.about == about, outbox.c.subject == subject)
        live = (grants.c.revoked_at.is_(None), grants.c.ends > now, grants.c.ends <= until)
        query = select(grants).where(*live, grants.c.request_id.is_not(None), ~told)
        return [overlays.grant_of(row) for row in self._connection.execute(query)]

    def delegations(self, now: datetime) -> list[Delegation]:
        """Give the delegations that run or are to come."""
        table = schema.delegations
        live = (table.c.ends > now, table.c.ended_at.is_(None))
        query = select(table).where(*live).order_by(table.c.id)
        return [delegation_of(row) for row in self._connection.execute(query)]

    def report(self, number: int) -> SiteReport:
        """Give a report of a site.

        Raises:
            RefusedError: when there is none of that number.
        """
        row = None
        if 0 < number <= _LARGEST_ID:
            query = select(schema.site_reports).where(schema.site_reports.c.id == number)
            row = self._connection.execute(query).one_or_none()
        if row is None:
            raise RefusedError(f"there is no report {number}")
        return report_of(row)

    def reports(self) -> list[SiteReport]:
        """Give every report of a site, oldest first."""
        query = select(schema.site_reports).order_by(schema.site_reports.c.id)
        return [report_of(row) for row in self._connection.execute(query)]

    def blocks(self) -> list[ReportBlock]:
        """Give every block that was ever made on a report, oldest first."""
        table = schema.site_blocks
        query = select(table).where(table.c.report_id.is_not(None)).order_by(table.c.id)
        return [
            ReportBlock(
                row.id, row.report_id, row.entry, row.created_at, row.lifted_at, row.lifted_reason
            )
            for row in self._connection.execute(query)
        ]

    def accidents(self, since: datetime) -> list[Accident]:
        """Give the accidents recorded from a time on, oldest first."""
        table = schema.accidents
        query = select(table).where(table.c.at >= since).order_by(table.c.id)
        return [Accident(**row._mapping) for row in self._connection.execute(query)]


class Writing(Reading):
    """One transaction that is the only writer; all of it is kept, or nothing."""

    def add_request(self, outcome: Outcome, submission: str | None) -> AccessRequest:
        """Keep a new request and give it with its number."""
        request = outcome.request
        table = schema.requests
        made = insert(table).values(**request_values(request), submission=submission)
        number = self._connection.execute(made.returning(table.c.id)).scalar_one()
        return replace(request, id=number)

    def save_request(self, request: AccessRequest, version: int) -> None:
        """Keep a request in place of its version before.

        Raises:
            RefusedError: when it is not at that version any more.
        """
        table = schema.requests
        chosen = update(table).where(table.c.id == request.id, table.c.version == version)
        done = self._connection.execute(chosen.values(**request_values(request)))
        if done.rowcount != 1:
            raise RefusedError("somebody else has changed this request meanwhile: look at it again")

    def add_history(
        self, outcome: Outcome, at: datetime, actor: str, action: str, words: Mapping[str, Any]
    ) -> None:
        """Keep a line of history and the audit entry of it."""
        line = self._add_line(outcome, at, actor, action, words)
        about = f"request:{outcome.request.id}"
        detail = {name: line[name] for name in ("before", "after", "role", "version", "words")}
        self.record(at, actor, f"request.{action}", about, detail)

    def _add_line(
        self, outcome: Outcome, at: datetime, actor: str, action: str, words: Mapping[str, Any]
    ) -> dict[str, Any]:
        line = {
            "request_id": outcome.request.id,
            "version": outcome.request.version,
            "at": at,
            "actor": actor,
            "role": outcome.role.value if outcome.role else None,
            "action": action,
            "before": outcome.before.value if outcome.before else None,
            "after": outcome.request.state.value,
            "words": dict(words),
        }
        self._connection.execute(insert(schema.request_history).values(**line))
        return line

    def record(
        self, at: datetime, actor: str, action: str, subject: str, detail: Mapping[str, Any]
    ) -> None:
        """Write an audit entry; an actor is an account."""
        who = f"account:{actor}" if actor else "nobody:"
        audit.record(self._connection, at, who, action, subject, detail)

    def open(self, opened: Opened, request: int, now: datetime) -> Grant:
        """Make the grant of an approved request."""
        scope = opened.scope
        values = {
            "entry": scope.entry.text,
            "subject": str(scope.subject),
            "starts": scope.starts,
            "ends": scope.ends,
            "decided_by": opened.decided_by.value,
            "reason": opened.reason,
            "created_at": now,
            "page": scope.page,
            "periods": " ".join(sorted(scope.periods)),
            "networks": " ".join(sorted(scope.networks)),
            "request_id": request,
            "review_on": opened.review_on.isoformat(),
        }
        made = insert(schema.grants).values(**values).returning(schema.grants)
        grant = overlays.grant_of(self._connection.execute(made).one())
        raise_version(self._connection, OVERLAY)
        return grant

    def close(self, request: int, now: datetime, reason: str) -> None:
        """End the grant of a request, where it has not ended."""
        table = schema.grants
        live = (table.c.request_id == request, table.c.revoked_at.is_(None), table.c.ends > now)
        ended = update(table).where(*live).values(revoked_at=now, revoked_reason=reason)
        if self._connection.execute(ended).rowcount:
            raise_version(self._connection, OVERLAY)

    def revoked_by_hand(self, number: int, now: datetime, actor: str, reason: str) -> None:
        """Note on a request that its grant was taken back without it."""
        request = self.request(number)
        changed = replace(
            request, version=request.version + 1, state=State.REVOKED, ended_because=reason
        )
        self.save_request(changed, request.version)
        outcome = Outcome(changed, request.state, None, ())
        self._add_line(outcome, now, actor, "revoked", {"reason": reason})

    def end_when_renewed(self, request: int, at: datetime, now: datetime) -> None:
        """End the grant of a request when the one that renews it begins."""
        table = schema.grants
        running = (table.c.request_id == request, table.c.starts < at, table.c.ends > at)
        if at <= now:
            self.close(request, now, "renewed")
        elif self._connection.execute(update(table).where(*running).values(ends=at)).rowcount:
            raise_version(self._connection, OVERLAY)

    def tell(self, told: Told, about: str, now: datetime) -> None:
        """Put mail into the outbox, for the account or for each of the roles."""
        outbox.put(self._connection, told, about, now)

    def remind(self, told: Told, about: str, now: datetime, pause: timedelta) -> bool:
        """Tell again of what still waits; give whether the last time is so long ago."""
        table = schema.outbox
        late = (table.c.about == about, table.c.created_at > now - pause)
        if self._connection.execute(select(table.c.id).where(*late).limit(1)).first():
            return False
        self.tell(told, about, now)
        return True

    def add_delegation(self, delegation: Delegation, now: datetime) -> Delegation:
        """Keep a delegation and give it with its number."""
        table = schema.delegations
        names = ("delegate", "made_by", "starts", "ends", "reason")
        values = {name: getattr(delegation, name) for name in names}
        made = insert(table).values(**values, created_at=now).returning(table)
        return delegation_of(self._connection.execute(made).one())

    def end_delegation(self, number: int, now: datetime) -> Delegation:
        """Take a delegation back.

        Raises:
            RefusedError: when there is none of that number that runs or is to come.
        """
        table = schema.delegations
        live = (table.c.id == number, table.c.ends > now, table.c.ended_at.is_(None))
        ended = update(table).where(*live).values(ended_at=now).returning(table)
        row = self._connection.execute(ended).one_or_none()
        if row is None:
            raise RefusedError(f"there is no delegation {number} to take back")
        return delegation_of(row)

    def add_report(self, report: SiteReport) -> SiteReport:
        """Keep a report and give it with its number."""
        table = schema.site_reports
        made = insert(table).values(**_values(report)).returning(table)
        return report_of(self._connection.execute(made).one())

    def save_report(self, report: SiteReport) -> None:
        """Keep what became of a report."""
        table = schema.site_reports
        chosen = update(table).where(table.c.id == report.id)
        self._connection.execute(chosen.values(**_values(report)))

    def block(self, entry: ListEntry, reason: str, report: int | None, now: datetime) -> int:
        """Block a site at once; give the number of the block."""
        table = schema.site_blocks
        values = {"entry": entry.text, "reason": reason, "report_id": report, "created_at": now}
        made = insert(table).values(**values).returning(table.c.id)
        number: int = self._connection.execute(made).scalar_one()
        raise_version(self._connection, OVERLAY)
        return number

    def unblock(self, number: int, reason: str, now: datetime) -> tuple[str, int | None]:
        """Take a block back; give the site, and the number of the report that it was made on.

        Raises:
            RefusedError: when there is none of that number in force.
        """
        table = schema.site_blocks
        live = (table.c.id == number, table.c.lifted_at.is_(None))
        lifted = update(table).where(*live).values(lifted_at=now, lifted_reason=reason)
        row = None
        if 0 < number <= _LARGEST_ID:
            made = lifted.returning(table.c.entry, table.c.report_id)
            row = self._connection.execute(made).one_or_none()
        if row is None:
            raise RefusedError(f"there is no block {number} in force")
        raise_version(self._connection, OVERLAY)
        return row.entry, row.report_id

    def add_accident(self, accident: Accident) -> Accident:
        """Keep an accident and give it with its number."""
        table = schema.accidents
        values = {name: getattr(accident, name) for name in _names(accident)}
        made = insert(table).values(**values).returning(table.c.id)
        return replace(accident, id=self._connection.execute(made).scalar_one())


class ApprovalStore:
    """Where requests, delegations and registers are kept.

    Its transactions raise `UnavailableError` when the database fails.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def close(self) -> None:
        """Give the connections back."""
        self._engine.dispose()

    @contextmanager
    def reading(self) -> Iterator[Reading]:
        """Look at one state of the database; blocks nobody."""
        with reading(self._engine) as connection:
            yield Reading(connection)

    @contextmanager
    def writing(self) -> Iterator[Writing]:
        """Be the only writer; commits at the end, and keeps nothing where something is raised."""
        with writing(self._engine) as connection:
            yield Writing(connection)


def _names(kept: SiteReport | Accident) -> list[str]:
    return [name for name in type(kept).__dataclass_fields__ if name != "id"]


def _values(report: SiteReport) -> dict[str, Any]:
    values = {name: getattr(report, name) for name in _names(report)}
    return values | {"state": report.state.value}
