"""Looks into one school of many as the trust's portal does: how it stands, and stretches of its register."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    URL,
    ColumnElement,
    Connection,
    Engine,
    NullPool,
    and_,
    column,
    func,
    or_,
    select,
    table,
)
from sqlalchemy.sql.selectable import ScalarSelect

from schoolgate.core.approvals import AccessRequest, Grant, State
from schoolgate.core.errors import UnavailableError
from schoolgate.storage import overlays, schema
from schoolgate.storage.connections import reading
from schoolgate.storage.gateway_states import GatewayStates, Reports
from schoolgate.storage.migrations import REVISIONS
from schoolgate.storage.postgresql import postgresql_engine
from schoolgate.storage.request_rows import request_of

WAITING = (State.SUBMITTED, State.RETURNED, State.REVIEWED)
_CLOSED = (State.DECLINED, State.WITHDRAWN)
_WEEK = timedelta(days=7)
_DECIDED = ("approved", "declined")
# Whatever a school keeps there must not hold a page up.
_PATIENCE = "-c statement_timeout=5s"
_MOST_GATEWAYS = 100
_APPLIED = table("alembic_version", column("version_num"))


class Part(StrEnum):
    """Parts of the register."""

    WAITING = "waiting"
    OPEN = "open"
    ENDED = "ended"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Glance:
    """How a school stands.

    Attributes:
        waiting: requests that are not decided.
        oldest: when the first of these was made; None where there is none.
        decided: decisions of the last seven days.
        open: grants in force.
    """

    waiting: int
    oldest: datetime | None
    decided: int
    open: int


def school_engine(url: URL) -> Engine:
    """Give an engine that keeps no connection: of hundreds of schools few are looked at in a minute.

    Raises:
        UnavailableError: when psycopg is not installed.
    """
    return postgresql_engine(url.update_query_dict({"options": _PATIENCE}), NullPool)


def check_version(connection: Connection) -> None:
    """See that a school has the tables of this code; nothing is changed there.

    Raises:
        UnavailableError: when it has others.
    """
    found = connection.execute(select(_APPLIED.c.version_num).limit(2)).scalars().all()
    if found != [REVISIONS[-1]]:
        said = ", ".join(str(each)[:20] for each in found) or "none"
        raise UnavailableError(
            f"its tables are of version {said} and not {REVISIONS[-1]}: "
            "bring gateway and centre to one version of schoolgate"
        )


class SchoolView:
    """A school as the trust's portal reads it; every method raises `UnavailableError` where that fails.

    Args:
        engine: that comes into this school alone.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def glance(self, now: datetime) -> Glance:
        """Say how it stands."""
        requests, grants = schema.requests, schema.grants
        history = schema.request_history
        waits = requests.c.state.in_([state.value for state in WAITING])
        lately = and_(history.c.action.in_(_DECIDED), history.c.at >= now - _WEEK)
        query = select(
            _count(requests, waits),
            select(func.min(requests.c.submitted_at)).where(waits).scalar_subquery(),
            _count(history, lately),
            _count(grants, and_(_runs(now), grants.c.starts <= now)),
        )
        with reading(self._engine) as connection:
            check_version(connection)
            waiting, oldest, decided, opened = connection.execute(query).one()
        return Glance(waiting, oldest, decided, opened)

    def register(
        self, part: Part, now: datetime, before: int, most: int
    ) -> list[AccessRequest | Grant]:
        """Give some of its register, newest first: requests that wait or came to nothing, or grants.

        Args:
            part: of the register.
            now: the time, aware.
            before: a number that theirs lie below; 0 for no bound.
            most: how many.
        """
        of_grants = part in (Part.OPEN, Part.ENDED)
        source = schema.grants if of_grants else schema.requests
        query = select(source).where(_is_part(part, now)).order_by(source.c.id.desc()).limit(most)
        if before:
            query = query.where(source.c.id < before)
        with reading(self._engine) as connection:
            check_version(connection)
            rows = connection.execute(query).all()
        return [overlays.grant_of(row) if of_grants else request_of(row) for row in rows]

    def gateways(self, school: str) -> Reports:
        """Give what its gateways said last; whatever they call themselves, they are of this school."""
        found = GatewayStates(self._engine).read()
        reports = found.reports[:_MOST_GATEWAYS]
        own = (replace(each, state=replace(each.state, school=school)) for each in reports)
        return Reports(found.at, tuple(own))

    def policy_label(self) -> str:
        """Give the name and version of the policy that a gateway put in force there last; "" for none."""
        versions = schema.versions
        query = select(versions.c.label).where(versions.c.name == "policy")
        with reading(self._engine) as connection:
            check_version(connection)
            label: str = connection.execute(query).scalar_one()
        return label


def _is_part(part: Part, now: datetime) -> ColumnElement[bool]:
    match part:
        case Part.WAITING:
            return schema.requests.c.state.in_([state.value for state in WAITING])
        case Part.CLOSED:
            return schema.requests.c.state.in_([state.value for state in _CLOSED])
        case Part.OPEN:
            return _runs(now)
        case Part.ENDED:
            grants = schema.grants
            return or_(grants.c.revoked_at.is_not(None), grants.c.ends <= now)


def _runs(now: datetime) -> ColumnElement[bool]:
    return and_(schema.grants.c.revoked_at.is_(None), schema.grants.c.ends > now)


def _count(source: Any, where: ColumnElement[bool]) -> ScalarSelect[int]:
    return select(func.count()).select_from(source).where(where).scalar_subquery()
