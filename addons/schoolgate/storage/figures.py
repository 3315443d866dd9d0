"""Counts of what is kept, for the metrics; never who asked, or for what page."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine, case, func, select

from schoolgate.core.approvals import State
from schoolgate.storage import schema
from schoolgate.storage.connections import reading
from schoolgate.storage.outbox import is_mail

_WAITING = (State.SUBMITTED, State.RETURNED, State.REVIEWED)
_OUTCOMES = (State.APPROVED, State.DECLINED)


@dataclass(frozen=True, slots=True)
class Decided:
    """One request that was decided.

    Attributes:
        line: number of its line of history; later ones have higher numbers.
        host: of the page that was asked for.
        outcome: approved or declined.
        seconds: from when it was sent until it was decided.
    """

    line: int
    host: str
    outcome: State
    seconds: float


@dataclass(frozen=True, slots=True)
class Told:
    """How telling one program of alerts stands.

    Attributes:
        waiting: alerts that it is still to be told of.
        since: when the oldest of them was raised; None where none waits.
        sent: alerts that it was told of.
        gave_up: alerts that it will never be told of.
    """

    waiting: int = 0
    since: datetime | None = None
    sent: int = 0
    gave_up: int = 0


@dataclass(frozen=True, slots=True)
class Kept:
    """How what is kept stands at a time.

    Attributes:
        waiting: how many requests wait in each state, and since when the oldest does.
        decided: what was decided after the line that was asked from.
        ending: how many grants end within a day and within a week.
        mail_waiting: mails that are to be sent.
        mail_due_since: since when one of them could have been sent; None where none could.
        mail_sent: mails that were handed over.
        mail_gave_up: mails that are not tried again.
        webhooks: how each webhook stands that there was ever something for, by its name.
    """

    waiting: dict[State, tuple[int, datetime | None]]
    decided: tuple[Decided, ...]
    ending: tuple[int, int]
    mail_waiting: int
    mail_due_since: datetime | None
    mail_sent: int
    mail_gave_up: int
    webhooks: dict[str, Told] = field(default_factory=dict)


class Figures:
    """Reads the counts. Its method raises `UnavailableError` when the database fails."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def read(self, now: datetime, after: int = 0) -> Kept:
        """Give them as they are at a time, in one state of the database.

        Args:
            now: the time, aware.
            after: number of the last line of history that is known already.
        """
        with reading(self._engine) as connection:
            day, week = (_ending(connection, now, timedelta(days=days)) for days in (1, 7))
            outbox = schema.outbox.c
            unsent = (is_mail(), outbox.sent_at.is_(None), outbox.gave_up_at.is_(None))
            oldest, count = func.min(outbox.due_at), func.count(outbox.id)
            waiting, due = connection.execute(select(count, oldest).where(*unsent)).one()
            filled = select(func.count(outbox.sent_at), func.count(outbox.gave_up_at))
            sent, gave_up = connection.execute(filled.where(is_mail())).one()
            return Kept(
                _waiting(connection, now),
                tuple(_decided(connection, after)),
                (day, week),
                waiting,
                due if due is not None and due <= now else None,
                sent,
                gave_up,
                _webhooks(connection),
            )


def granted_after(engine: Engine, known: int) -> list[tuple[int, datetime]]:
    """Give number and time of decision of each grant with a higher number than one that is known.

    Raises:
        UnavailableError: when the database fails.
    """
    grants = schema.grants.c
    query = select(grants.id, grants.created_at).where(grants.id > known).order_by(grants.id)
    with reading(engine) as connection:
        return [(row.id, row.created_at) for row in connection.execute(query)]


def last_grant(engine: Engine) -> int:
    """Give the highest number of a grant; 0 where there is none.

    Raises:
        UnavailableError: when the database fails.
    """
    with reading(engine) as connection:
        return connection.execute(select(func.max(schema.grants.c.id))).scalar() or 0


def _waiting(connection: Connection, now: datetime) -> dict[State, tuple[int, datetime | None]]:
    requests = schema.requests.c
    query = (
        select(requests.state, func.count(), func.min(requests.submitted_at))
        # Nobody need decide one whose time is over.
        .where(requests.state.in_([state.value for state in _WAITING]), requests.ends > now)
        .group_by(requests.state)
    )
    found = {State(state): (count, oldest) for state, count, oldest in connection.execute(query)}
    return {state: found.get(state, (0, None)) for state in _WAITING}


def _decided(connection: Connection, after: int) -> list[Decided]:
    lines, requests = schema.request_history.c, schema.requests.c
    outcomes = [state.value for state in _OUTCOMES]
    query = (
        select(lines.id, lines.at, lines.after, requests.host, requests.submitted_at)
        .join(schema.requests, requests.id == lines.request_id)
        .where(lines.id > after, lines.after.in_(outcomes), lines.before.not_in(outcomes))
        .order_by(lines.id)
    )
    return [
        Decided(
            row.id,
            row.host,
            State(row.after),
            max(0.0, (row.at - row.submitted_at).total_seconds()),
        )
        for row in connection.execute(query)
    ]


def _webhooks(connection: Connection) -> dict[str, Told]:
    outbox = schema.outbox.c
    is_open = outbox.sent_at.is_(None) & outbox.gave_up_at.is_(None)
    raised = case((is_open, outbox.created_at))
    query = (
        select(
            outbox.audience,
            func.count(raised).label("waiting"),
            func.min(raised).label("since"),
            func.count(outbox.sent_at).label("sent"),
            func.count(outbox.gave_up_at).label("gave_up"),
        )
        .where(~is_mail())
        .group_by(outbox.audience)
    )
    return {
        row.audience.partition(":")[2]: Told(row.waiting, row.since, row.sent, row.gave_up)
        for row in connection.execute(query)
    }


def _ending(connection: Connection, now: datetime, within: timedelta) -> int:
    grants = schema.grants.c
    query = select(func.count()).where(
        grants.revoked_at.is_(None), grants.ends > now, grants.ends <= now + within
    )
    return connection.execute(query).scalar_one()
