"""Finds out what a review wants to know: from the rules in force, the database, the journal and the files."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import Engine

from schoolgate.core import canaries
from schoolgate.core.approvals import USUAL_ROLES, Grant, Role, SubjectKind
from schoolgate.core.clients import Client
from schoolgate.core.errors import SchoolgateError
from schoolgate.core.policy import Enforcement, Policy, PolicyEngine, Verdict, WebRequest
from schoolgate.core.policy.model import Review
from schoolgate.core.safeguarding.incidents import About
from schoolgate.core.urls import parse_url
from schoolgate.lists import read_local_file
from schoolgate.lists.local_lists import ALLOW, BLOCK, PASS
from schoolgate.monitoring.journal_events import event_count
from schoolgate.monitoring.journal_store import JournalStore
from schoolgate.services.access_figures import access_figures
from schoolgate.services.evidence.facts import (
    ClauseState,
    Facts,
    FeedAge,
    KindOfSite,
    LockedState,
    OpenedByHand,
    OwnLine,
    ReviewDue,
    RoleHeld,
    Tests,
    TestState,
)
from schoolgate.services.evidence.setup import setup_of
from schoolgate.services.feeds import states_of
from schoolgate.services.figures import SCHOOL, check_days, figures_of
from schoolgate.services.incidents import roles_for
from schoolgate.services.safeguarding_figures import safeguarding_figures
from schoolgate.services.selftest import personas
from schoolgate.services.selftest_results import read_round
from schoolgate.settings import Settings
from schoolgate.storage import ApprovalStore, AuditTrail, DecisionStore, IncidentStore

_STATES = {
    Enforcement.ENFORCED: "yes",
    Enforcement.PARTLY: "partly",
    Enforcement.NOT_YET: "not yet",
}
_DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class Sources:
    """Where things are found out.

    Attributes:
        settings: of this machine.
        engine: the rules in force.
        database: what people decided; None where nothing was ever kept.
        journal: what happened.
        held: gives how many open accounts have each role; raises `SchoolgateError` where it cannot.
    """

    settings: Settings
    engine: PolicyEngine
    database: Engine | None
    journal: JournalStore
    held: Callable[[], Mapping[Role, int]]


@dataclass
class _Asking:
    """Asks for one thing after the other, and notes what cannot be found out."""

    unknown: list[str] = field(default_factory=list)

    def __call__[T](self, what: str, find: Callable[[], T]) -> T | None:
        try:
            return find()
        except SchoolgateError as error:
            self.unknown.append(f"{what}: {error}")
            return None


def gather(
    sources: Sources, since: date, until: date, now: datetime, least_people: int = 0
) -> Facts:
    """Find everything out.

    Args:
        sources: where.
        since: the first day, of the school's zone.
        until: the last day.
        now: when, aware.
        least_people: about fewer no figure is given; as the settings have it where it is 0.

    Raises:
        RefusedError: when the days are none.
    """
    check_days(since, until)
    settings, engine, ask = sources.settings, sources.engine, _Asking()
    policy, least = engine.policy, least_people or settings.journal.least_people
    starts = datetime.combine(since, time(), SCHOOL)
    ends = datetime.combine(until + timedelta(days=1), time(), SCHOOL)
    kept = _Kept(sources.database, starts, ends, now)
    requests = ask("requests", kept.requests)
    built = engine.catalogue.sites.catalogue.get("built")
    held = ask("accounts", sources.held)
    return Facts(
        school=policy.school,
        gateway=settings.gateway,
        policy=policy.id,
        document=policy.document,
        policy_version=ask("version of the policy", lambda: kept.version("policy")) or policy.version,
        lists_version=ask("version of the lists", lambda: kept.version("lists"))
        or engine.catalogue.version,
        made_at=now,
        since=since,
        until=until,
        setup=setup_of(settings, engine, ask("signatures", kept.signatures)),
        roles=tuple(_roles(settings, policy, held)),
        clauses=tuple(
            ClauseState(one.id, one.title, _STATES[one.enforcement], one.by, one.missing)
            for one in policy.clauses.values()
        ),
        reviews=tuple(review_due(one, now.astimezone(SCHOOL).date()) for one in policy.reviews),
        opened=ask("grants", kept.opened),
        own_lines=ask("own lists", lambda: tuple(_own_lines(settings))),
        kinds=tuple(_kinds(engine, now)),
        built=datetime.fromisoformat(built) if built else None,
        feeds=ask("lists of others", lambda: tuple(_feeds(settings, now))),
        locked=tuple(_locked(settings, engine, now)),
        tests=_tests(sources, ask, starts, ends, now),
        figures=ask("journal", lambda: figures_of(sources.journal, since, until, least, requests or ())),
        safeguarding=ask("alerts", lambda: kept.safeguarding(least)),
        access=access_figures(requests, starts, ends) if requests is not None else None,
        changes=ask("audit trail", kept.changes),
        trail_fault=ask("audit trail", kept.trail_fault),
        reported=ask("reports", kept.reported),
        unknown=tuple(dict.fromkeys(ask.unknown)),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Kept:
    """What people decided; where there is no database nobody decided anything."""

    database: Engine | None
    starts: datetime
    ends: datetime
    now: datetime

    def requests(self) -> list[Any]:
        if self.database is None:
            return []
        with ApprovalStore(self.database).reading() as kept:
            return kept.requests()

    def reported(self) -> int:
        if self.database is None:
            return 0
        with ApprovalStore(self.database).reading() as kept:
            return sum(self.starts <= one.at < self.ends for one in kept.reports())

    def version(self, name: str) -> str:
        if self.database is None:
            return ""
        label = DecisionStore(self.database).recorded_label(name)
        return label and f"{label} (change {DecisionStore(self.database).recorded_number(name)})"

    def signatures(self) -> list[Any]:
        return [] if self.database is None else DecisionStore(self.database).signatures()

    def opened(self) -> tuple[OpenedByHand, ...]:
        if self.database is None:
            return ()
        every = DecisionStore(self.database).grants(self.now, include_ended=True)
        return tuple(
            _opened(one, self.now)
            for one in every
            if one.ends > self.starts and one.starts < max(self.ends, self.now)
        )

    def safeguarding(self, least: int) -> Any:
        span = self.starts, self.ends
        if self.database is None:
            return safeguarding_figures([], [], *span, least)
        store = IncidentStore(self.database)
        found = store.alerts_within(*span), store.incidents_within(*span)
        return safeguarding_figures(*found, *span, least)

    def changes(self) -> dict[str, int]:
        if self.database is None:
            return {}
        return AuditTrail(self.database).counts(self.starts, self.ends)

    def trail_fault(self) -> str:
        if self.database is None:
            return ""
        return AuditTrail(self.database).verify().fault or ""


def _opened(grant: Grant, now: datetime) -> OpenedByHand:
    whom = {
        SubjectKind.EVERYONE: "everyone",
        SubjectKind.GROUP: f"group {grant.subject.id}",
        SubjectKind.USER: "one person",
    }.get(grant.subject.kind, "one device")
    return OpenedByHand(
        grant.site, whom, grant.starts, grant.ends, grant.decided_by.value, grant.reason,
        grant.request or 0, grant.ends > now,
    )  # fmt: skip


def review_due(review: Review, today: date) -> ReviewDue:
    """Say when something must be looked at again.

    Args:
        review: what, with the day of the last one.
        today: in school.
    """
    months = review.last.year * 12 + review.last.month - 1 + review.every_months
    year, month = divmod(months, 12)
    # The last day of a month that is shorter.
    day = next(
        date(year, month + 1, number)
        for number in range(review.last.day, 0, -1)
        if _is_day(year, month + 1, number)
    )
    return ReviewDue(review.title, review.clause, review.owner.value, review.last, day, day < today)


def _is_day(year: int, month: int, day: int) -> bool:
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True


def _roles(
    settings: Settings, policy: Policy, held: Mapping[Role, int] | None
) -> Iterator[RoleHeld]:
    duties = policy.roles or USUAL_ROLES
    told = roles_for(policy, About.PUPILS)
    for role in Role:
        does = (
            ("reviews requests", role in duties.reviews),
            ("decides requests", role in duties.decides),
            ("deputises", role in duties.deputises),
            ("is told of alerts about pupils", role in told),
            ("alone permits ways round the filter", role in duties.bypass),
            *((f"owns: {one.title}", one.owner is role) for one in policy.reviews),
        )
        found = tuple(words for words, is_so in does if is_so)
        addresses = settings.mail.roles.get(role, ())
        number = None if held is None else held.get(role, 0)
        if found or addresses or number:
            yield RoleHeld(role.value, number, addresses, found)


def _own_lines(settings: Settings) -> Iterator[OwnLine]:
    for name in (ALLOW, BLOCK, PASS):
        for line in read_local_file(settings.lists.local, name).lines:
            yield OwnLine(name, line.written, line.remark)


def _kinds(engine: PolicyEngine, now: datetime) -> Iterator[KindOfSite]:
    counts = engine.catalogue.sites.counts
    groups = engine.policy.groups
    for category in engine.catalogue.categories.values():
        url = parse_url(f"http://{canaries.host_of(category.id)}/")
        closed: list[str] = []
        is_open: list[str] = []
        for id_, group in groups.items():
            answer = engine.decide(WebRequest(url, Client("", id_)), now)
            (closed if answer.verdict is Verdict.BLOCK else is_open).append(group.title)
        sites = counts.get(category.id, 0)
        yield KindOfSite(category.id, category.title, sites, tuple(closed), tuple(is_open))


def _feeds(settings: Settings, now: datetime) -> Iterator[FeedAge]:
    for one in states_of(settings):
        days = None if one.fetched_at is None else one.age_seconds(now) / _DAY_SECONDS
        yield FeedAge(one.feed, one.domains, days, one.held, bool(one.failed))


def _locked(settings: Settings, engine: PolicyEngine, now: datetime) -> Iterator[LockedState]:
    lists = {one.by.name: one.by for one in engine.locked.lists}
    for name in sorted({*lists, *engine.locked.refused, *settings.lists.locked_required}):
        by = lists.get(name)
        fault = engine.locked.fault(name, now)
        yield LockedState(name, by.version if by else "", by.digest if by else "", fault)


def _tests(
    sources: Sources, ask: _Asking, starts: datetime, ends: datetime, now: datetime
) -> Tests:
    policy = sources.engine.policy
    asked = personas(sources.engine, 1, 0)
    groups = [policy.groups[one.group].title for one in asked]
    networks = [policy.networks.get(one.network, one.network) for one in asked if one.network]
    failed = ask(
        "self-test in the journal",
        lambda: event_count(sources.journal, starts, ends, "selftest.failed"),
    )
    last = read_round(sources.settings.selftest_file)
    if not sources.settings.selftest.enabled:
        state = TestState.OFF
    elif last is None:
        state = TestState.NEVER
    else:
        state = TestState.LATE if last.is_late(now) else TestState.RUNNING
    return Tests(
        state,
        last.at if last else None,
        last.results if last else (),
        tuple(dict.fromkeys(groups)),
        tuple(dict.fromkeys(networks)),
        failed,
    )
