"""Keeps alerts and incidents; each change is one transaction with its audit entry and its mail."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, Row, and_, func, insert, or_, select, update

from schoolgate.core.approvals import Role, Told
from schoolgate.core.errors import RefusedError
from schoolgate.core.safeguarding import Severity
from schoolgate.core.safeguarding.alerts import QUIET
from schoolgate.core.safeguarding.incidents import About, Incident, KeptAlert, Note, Outcome
from schoolgate.storage import schema
from schoolgate.storage.audit import record
from schoolgate.storage.connections import reading, writing
from schoolgate.storage.outbox import put, put_for_webhook

MOST_LISTED = 500
_WORST_FIRST = {severity.value: -severity.rank for severity in Severity}


@dataclass(frozen=True, slots=True)
class Audience:
    """Who is told of an alert.

    Attributes:
        accounts: addresses.
        roles: where no address is known, so that it shows that nobody is.
        webhooks: names of the programs that are told as well.
    """

    accounts: tuple[str, ...] = ()
    roles: tuple[Role, ...] = ()
    webhooks: tuple[str, ...] = ()


class IncidentStore:
    """Alerts and incidents in the database; every method raises `UnavailableError` when it fails."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def keep(
        self, alerts: Sequence[KeptAlert], told: Callable[[KeptAlert], Audience], now: datetime
    ) -> None:
        """Keep alerts and tell of them; like ones of late are added to, and told of no more.

        One of danger opens an incident, or joins the one that is open for the same person and theme.
        """
        with writing(self._engine) as connection:
            for alert in alerts:
                if _added(connection, alert):
                    continue
                number = _insert_alert(connection, alert)
                if alert.severity is Severity.DANGER:
                    _raise_incident(connection, number, alert, now)
                _tell(connection, told(alert), number, alert, now)

    def alerts(self, *, most: int = MOST_LISTED) -> list[KeptAlert]:
        """Give the alerts, the newest first."""
        query = select(schema.alerts).order_by(schema.alerts.c.id.desc()).limit(most)
        with reading(self._engine) as connection:
            return [_alert_of(row) for row in connection.execute(query)]

    def alert(self, number: int) -> KeptAlert:
        """Give one.

        Raises:
            RefusedError: when there is none of that number.
        """
        query = select(schema.alerts).where(schema.alerts.c.id == number)
        with reading(self._engine) as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            raise RefusedError(f"there is no alert {number}")
        return _alert_of(row)

    def incidents(self, *, closed: bool = False, most: int = MOST_LISTED) -> list[Incident]:
        """Give the incidents: the open ones, the worst and newest first; or those that are closed."""
        table = schema.incidents
        which = table.c.closed_at.is_not(None) if closed else table.c.closed_at.is_(None)
        query = select(table).where(which).order_by(table.c.id.desc()).limit(most)
        with reading(self._engine) as connection:
            found = [_incident_of(row) for row in connection.execute(query)]
        return sorted(found, key=lambda each: _WORST_FIRST[each.severity])

    def incident(self, number: int) -> tuple[Incident, list[Note], list[KeptAlert]]:
        """Give an incident with its notes and its alerts, the oldest first.

        Raises:
            RefusedError: when there is none of that number.
        """
        notes, alerts = schema.incident_notes, schema.alerts
        with reading(self._engine) as connection:
            found = _find(connection, number)
            lines = select(notes).where(notes.c.incident_id == number).order_by(notes.c.id)
            signs = select(alerts).where(alerts.c.incident_id == number).order_by(alerts.c.id)
            return (
                found,
                [Note(r.at, r.actor, r.action, r.words) for r in connection.execute(lines)],
                [_alert_of(row) for row in connection.execute(signs)],
            )

    def alerts_within(self, since: datetime, until: datetime) -> list[KeptAlert]:
        """Give every alert that was first raised in a time, the oldest first."""
        table = schema.alerts
        query = select(table).where(table.c.at >= since, table.c.at < until).order_by(table.c.id)
        with reading(self._engine) as connection:
            return [_alert_of(row) for row in connection.execute(query)]

    def incidents_within(self, since: datetime, until: datetime) -> list[Incident]:
        """Give every incident that was opened or closed in a time, or is open now, the oldest first."""
        table = schema.incidents
        which = or_(
            table.c.closed_at.is_(None),
            and_(table.c.opened_at >= since, table.c.opened_at < until),
            and_(table.c.closed_at >= since, table.c.closed_at < until),
        )
        query = select(table).where(which).order_by(table.c.id)
        with reading(self._engine) as connection:
            return [_incident_of(row) for row in connection.execute(query)]

    def open(self, incident: Incident, alert: int = 0) -> Incident:
        """Open an incident, by hand.

        Args:
            incident: new.
            alert: number of the alert that it is made of; 0 for none.

        Raises:
            RefusedError: when the alert belongs to one already.
        """
        with writing(self._engine) as connection:
            number = _insert_incident(connection, incident)
            if alert:
                table = schema.alerts
                free = update(table).where(table.c.id == alert, table.c.incident_id.is_(None))
                if connection.execute(free.values(incident_id=number)).rowcount != 1:
                    raise RefusedError(f"there is no alert {alert} without an incident")
            return _find(connection, number)

    def note(self, number: int, words: str, actor: str, now: datetime) -> None:
        """Write down what was done or said.

        Raises:
            RefusedError: when there is nothing to note, or no such incident is open.
        """
        if not words.strip():
            raise RefusedError("there is nothing to note")
        with self._changing(number, "noted", words.strip(), actor, now):
            pass

    def assign(self, number: int, account: str, actor: str, now: datetime) -> None:
        """Give an incident to somebody.

        Raises:
            RefusedError: when no such incident is open.
        """
        with self._changing(number, "assigned", account, actor, now) as connection:
            _set(connection, number, assigned_to=account)

    def close(self, number: int, outcome: Outcome, words: str, actor: str, now: datetime) -> None:
        """End an incident.

        Raises:
            RefusedError: when there is no outcome, or no such incident is open.
        """
        if outcome is Outcome.NONE:
            raise RefusedError("say how it ended")
        said = f"{outcome.value}: {words.strip()}" if words.strip() else outcome.value
        with self._changing(number, "closed", said, actor, now) as connection:
            _set(connection, number, closed_at=now, outcome=outcome.value)

    def exported(self, number: int, how: str, actor: str, now: datetime) -> None:
        """Write into the audit trail that an incident was taken elsewhere."""
        with writing(self._engine) as connection:
            record(connection, now, actor, "incident.exported", f"incident:{number}", {"as": how})

    def open_counts(self) -> dict[Severity, int]:
        """Give how many are open, by severity."""
        table = schema.incidents
        query = select(table.c.severity, func.count()).where(table.c.closed_at.is_(None))
        with reading(self._engine) as connection:
            rows = connection.execute(query.group_by(table.c.severity)).all()
        return dict.fromkeys(Severity, 0) | {Severity(name): count for name, count in rows}

    @contextmanager
    def _changing(
        self, number: int, action: str, words: str, actor: str, now: datetime
    ) -> Iterator[Connection]:
        with writing(self._engine) as connection:
            if not _find(connection, number).is_open:
                raise RefusedError(f"incident {number} is closed")
            yield connection
            _note(connection, number, Note(now, actor, action, words))


def _added(connection: Connection, alert: KeptAlert) -> bool:
    """Count an alert with a like one of late, where there is one that is as bad."""
    table = schema.alerts
    like = (
        select(table)
        .where(
            table.c.who == alert.who,
            table.c.theme == alert.theme,
            table.c.last_at > alert.at - QUIET,
        )
        .order_by(table.c.id.desc())
    )
    for row in connection.execute(like):
        if Severity(row.severity).rank >= alert.severity.rank:
            more = {"last_at": max(row.last_at, alert.last_at), "times": row.times + alert.times}
            connection.execute(update(table).where(table.c.id == row.id).values(**more))
            return True
    return False


def _insert_alert(connection: Connection, alert: KeptAlert) -> int:
    table = schema.alerts
    names = (
        "at", "last_at", "times", "who", "group", "about", "theme", "severity", "source", "host", "content",
    )  # fmt: skip
    values = {name: getattr(alert, name) for name in names}
    made = insert(table).values(**values).returning(table.c.id)
    return int(connection.execute(made).scalar_one())


def _raise_incident(connection: Connection, number: int, alert: KeptAlert, now: datetime) -> None:
    table = schema.incidents.c
    query = select(table.id).where(
        table.who == alert.who, table.theme == alert.theme, table.closed_at.is_(None)
    )
    incident = connection.execute(query.order_by(table.id.desc())).scalar()
    if incident is None:
        incident = _insert_incident(
            connection,
            Incident(
                0, now, "system", f"alert:{number}", alert.who, alert.group, alert.about, alert.theme,
                alert.severity, summary_of(alert),
            ),
        )  # fmt: skip
    joined = update(schema.alerts).where(schema.alerts.c.id == number)
    connection.execute(joined.values(incident_id=incident))


def summary_of(alert: KeptAlert) -> str:
    """Say what an alert is, without a word that anybody typed."""
    return f"{alert.theme.replace('-', ' ').capitalize()} ({alert.source} on {alert.host})"


def _insert_incident(connection: Connection, incident: Incident) -> int:
    table = schema.incidents
    names = (
        "opened_at", "opened_by", "origin", "who", "group", "about", "theme", "severity", "summary",
        "assigned_to", "closed_at", "outcome",
    )  # fmt: skip
    values = {name: getattr(incident, name) for name in names}
    made = insert(table).values(**values).returning(table.c.id)
    number = int(connection.execute(made).scalar_one())
    _note(
        connection, number,
        Note(incident.opened_at, incident.opened_by, "opened", incident.summary), origin=incident.origin,
    )  # fmt: skip
    return number


def _note(connection: Connection, number: int, note: Note, **more: str) -> None:
    values = {"at": note.at, "actor": note.actor, "action": note.action, "words": note.words}
    connection.execute(insert(schema.incident_notes).values(incident_id=number, **values))
    detail = {"words": note.words, **more}
    action, subject = f"incident.{note.action}", f"incident:{number}"
    record(connection, note.at, note.actor, action, subject, detail)


def _tell(
    connection: Connection, audience: Audience, number: int, alert: KeptAlert, now: datetime
) -> None:
    # Nothing that somebody typed, and nobody's name, goes through the mail.
    subject = (
        f"Safeguarding alert {number}: {alert.severity.value}, {alert.theme.replace('-', ' ')}"
    )
    for account in audience.accounts:
        put(connection, Told(subject, account=account), f"alert:{number}", now)
    if audience.roles:
        put(connection, Told(subject, roles=audience.roles), f"alert:{number}", now)
    for name in audience.webhooks:
        put_for_webhook(connection, name, subject, f"alert:{number}", now)


def _find(connection: Connection, number: int) -> Incident:
    query = select(schema.incidents).where(schema.incidents.c.id == number)
    row = connection.execute(query).one_or_none()
    if row is None:
        raise RefusedError(f"there is no incident {number}")
    return _incident_of(row)


def _set(connection: Connection, number: int, **values: object) -> None:
    chosen = update(schema.incidents).where(schema.incidents.c.id == number)
    connection.execute(chosen.values(**values))


def _alert_of(row: Row[Any]) -> KeptAlert:
    return KeptAlert(
        row.id, row.at, row.last_at, row.times, row.who, row.group, About(row.about), row.theme,
        Severity(row.severity), row.source, row.host, dict(row.content), row.incident_id or 0,
    )  # fmt: skip


def _incident_of(row: Row[Any]) -> Incident:
    return Incident(
        row.id, row.opened_at, row.opened_by, row.origin, row.who, row.group, About(row.about), row.theme,
        Severity(row.severity), row.summary, row.assigned_to, row.closed_at, Outcome(row.outcome),
    )  # fmt: skip
