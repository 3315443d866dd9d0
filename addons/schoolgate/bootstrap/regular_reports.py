"""Puts the report of a week and of a term into the outbox when it is due."""

import logging
from collections.abc import Iterable
from datetime import date, datetime, timedelta

from sqlalchemy import Engine

from schoolgate.bootstrap.evidence import facts_of
from schoolgate.bootstrap.journal import open_journal
from schoolgate.bootstrap.rules import load_engine
from schoolgate.core.approvals import Role
from schoolgate.core.errors import SchoolgateError
from schoolgate.core.policy import PolicyEngine
from schoolgate.services.regular_periods import Period, last_term, last_week
from schoolgate.services.regular_reports import Kind, text_of
from schoolgate.settings import Settings
from schoolgate.storage import DecisionStore, is_there, open_database
from schoolgate.storage.regular_reports import RegularReports

logger = logging.getLogger(__name__)

_LOOK_PAUSE = timedelta(minutes=30)
_SUBJECTS = {Kind.WEEKLY: "Safeguarding figures of the week", Kind.TERMLY: "Figures of the term"}


class RegularReporting:
    """Makes each report once, however often it is asked and whoever else makes it.

    Args:
        settings: of this machine.
        database: of the school.
    """

    def __init__(self, settings: Settings, database: Engine) -> None:
        self._settings = settings
        self._database = database
        self._store = RegularReports(database)
        self._looked: datetime | None = None

    def report(self, at: datetime) -> int:
        """Make what is due, and give how many; looks every half hour.

        Raises:
            UnavailableError: when the database fails.
        """
        if self._looked is not None and at - self._looked < _LOOK_PAUSE:
            return 0
        self._looked = at
        reports = self._settings.reports
        wanted = {Kind.WEEKLY: self._told(reports.weekly), Kind.TERMLY: self._told(reports.termly)}
        return sum(self._made(kind, roles, at) for kind, roles in wanted.items() if roles)

    def _told(self, roles: Iterable[Role]) -> tuple[Role, ...]:
        return tuple(role for role in roles if self._settings.mail.roles.get(role))

    def _made(self, kind: Kind, roles: tuple[Role, ...], at: datetime) -> bool:
        try:
            engine = load_engine(self._settings)
            period = period_of(self._settings, engine, kind, at)
            if self._store.has(kind, period.id) or not self._was_here(period.span.last):
                return False
            text = text_for(self._settings, engine, self._database, kind, period)
            return self._store.add(kind, period.id, text, _SUBJECTS[kind], roles, at)
        except SchoolgateError as error:
            logger.error("The %s report is not made: %s", kind, error)  # noqa: TRY400
            return False

    def _was_here(self, day: date) -> bool:
        """Ask whether the gateway wrote anything on a day or before it."""
        days = open_journal(self._settings).days()
        return bool(days) and days[0].day <= day


def period_of(settings: Settings, engine: PolicyEngine, kind: Kind, at: datetime) -> Period:
    """Give the last week or term that has ended at a time."""
    hour, timetable = settings.reports.hour, engine.policy.timetable
    if kind is Kind.WEEKLY:
        return last_week(at, hour)
    return last_term(at, hour, timetable.calendar.terms if timetable else ())


def text_for(
    settings: Settings, engine: PolicyEngine, database: Engine | None, kind: Kind, period: Period
) -> str:
    """Give the text of a report.

    The safeguarding lead looks after each matter anyway; governors get no figure about few people.
    """
    least = 1 if kind is Kind.WEEKLY else 0
    span = period.span.first, period.span.last
    facts = facts_of(settings, engine, database, *span, least, held=dict)
    return text_of(kind, period.title, facts)


def regular_report(settings: Settings, kind: Kind, at: datetime) -> str:
    """Give the text of the report of the last week or term, for a command; nothing is sent.

    Raises:
        ConfigurationError: when the policy or a list has faults.
    """
    engine = load_engine(settings)
    period = period_of(settings, engine, kind, at)
    if not is_there(settings.database_url):
        return text_for(settings, engine, None, kind, period)
    database = open_database(settings.database_url)
    try:
        opened = engine.with_overlay(DecisionStore(database).overlay(at))
        return text_for(settings, opened, database, kind, period)
    finally:
        database.dispose()
