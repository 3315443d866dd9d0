"""What would open: shown to who decides on a request before they sign."""

import json
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from schoolgate.core.approvals import Grant, Overlay, Role, Scope, Subject, SubjectKind
from schoolgate.core.approvals.grants import covers_host
from schoolgate.core.clients import Client
from schoolgate.core.errors import BadAddressError
from schoolgate.core.hosts import normalise_host
from schoolgate.core.people import People
from schoolgate.core.policy import Decision, PolicyEngine, Reason, Verdict, WebRequest
from schoolgate.core.timetable import Timetable
from schoolgate.core.urls import Url
from schoolgate.services.scopes import categories_of, groups_reached

LOOKED_BACK = timedelta(days=30)
# A page asks for what belongs to it within this time.
_BELONGS = timedelta(seconds=10)
_MOST_HOSTS = 100
_MOST_WAITING = 10_000
_DECIDED = ("request.decided", "tls.decided")


@dataclass(frozen=True, slots=True)
class HostOpened:
    """One host of the scope, and what becomes of it.

    Attributes:
        host: of the scope itself, or seen below it in the journal.
        categories: that lists put it in.
        opens: whether somebody who is meant is let through who is not now.
        stays: the clause that still stops it for somebody; empty for none.
    """

    host: str
    categories: tuple[str, ...]
    opens: bool
    stays: str


@dataclass(frozen=True, slots=True)
class ThirdParty:
    """A host that was asked for along with the site, and whether it is let through now."""

    host: str
    requests: int
    passes: bool


@dataclass(frozen=True, slots=True)
class Preview:
    """What an approval would bring about.

    Attributes:
        hosts: that the scope covers.
        categories: of all that it covers.
        others: groups that would get it and are not among those it is asked for.
        third_parties: that the site was seen with, the most frequent first.
        attempts: at the site in the last 30 days that were stopped.
        people: how many people or devices made them.
    """

    hosts: tuple[HostOpened, ...]
    categories: tuple[str, ...]
    others: tuple[str, ...]
    third_parties: tuple[ThirdParty, ...]
    attempts: int
    people: int


def what_would_open(
    engine: PolicyEngine,
    people: People,
    asked: Scope,
    given: Scope,
    decided_by: Role,
    journal: Iterable[str],
    now: datetime,
) -> Preview:
    """Say what an approval would bring about, before it is given.

    Args:
        engine: the rules in force.
        people: who is known.
        asked: what was asked for.
        given: what is to be approved.
        decided_by: the role in which it would be.
        journal: lines of the last 30 days, in their order; those of other days do no harm.
        now: when, aware.
    """
    seen = _Seen(given, now)
    for line in journal:
        seen.take(line)
    reached = groups_reached(engine.policy, people, given.subject)
    wanted = groups_reached(engine.policy, people, asked.subject)
    hosts = [given.entry.host, *sorted(seen.below - {given.entry.host})][:_MOST_HOSTS]
    at = _moment(engine.policy.timetable, given)
    after = engine.with_overlay(Overlay(1, grants=(_grant(given, decided_by),)))
    clients = [Client("", g, network=min(given.networks, default="")) for g in sorted(reached)]
    return Preview(
        tuple(_opened(engine, after, given, host, clients, at) for host in hosts),
        tuple(sorted(categories_of(engine, given))),
        tuple(sorted(reached - wanted)),
        tuple(
            ThirdParty(host, count, _passes(engine, host, clients, at))
            for host, count in seen.beside.most_common(_MOST_HOSTS)
        ),
        seen.attempts,
        len(seen.who),
    )


class _Seen:
    """What the journal says of a site."""

    def __init__(self, scope: Scope, now: datetime) -> None:
        self.below: set[str] = set()
        self.beside: Counter[str] = Counter()
        self.attempts = 0
        self.who: set[str] = set()
        self._entry = scope.entry
        self._since, self._now = now - LOOKED_BACK, now
        # Who was at the site a moment ago.
        self._at_site: dict[str, datetime] = {}
        self._order: deque[str] = deque()

    def take(self, line: str) -> None:
        try:
            record = json.loads(line)
            at = datetime.fromisoformat(record["ts"])
            if record["event"] not in _DECIDED or not self._since <= at <= self._now:
                return
            host, client = normalise_host(record["host"]), str(record["client"])
            verdict = str(record["verdict"])
            who = str(record.get("user") or record.get("device") or client)
        except (ValueError, KeyError, TypeError, RecursionError, BadAddressError):
            return
        if covers_host(self._entry, host):
            self.below.add(host)
            self._note(client, at)
            if verdict == Verdict.BLOCK:
                self.attempts += 1
                self.who.add(who)
        elif client in self._at_site and timedelta() <= at - self._at_site[client] <= _BELONGS:
            self.beside[host] += 1

    def _note(self, client: str, at: datetime) -> None:
        if client not in self._at_site:
            self._order.append(client)
            if len(self._order) > _MOST_WAITING:
                del self._at_site[self._order.popleft()]
        self._at_site[client] = at


def _grant(scope: Scope, decided_by: Role) -> Grant:
    everyone = Subject(SubjectKind.EVERYONE)
    limits = (scope.page, scope.periods, scope.networks)
    return Grant(0, scope.entry, everyone, scope.starts, scope.ends, decided_by, "", *limits)


def _moment(timetable: Timetable | None, scope: Scope) -> datetime:
    """Give a time at which the scope is open, where there is one."""
    at: datetime | None = scope.starts
    while timetable and scope.periods and at is not None and at < scope.ends:
        if (timetable.period_at(at) or "none") in scope.periods:
            return at
        at = timetable.next_change(at)
    return scope.starts


def _opened(
    before: PolicyEngine,
    after: PolicyEngine,
    scope: Scope,
    host: str,
    clients: list[Client],
    at: datetime,
) -> HostOpened:
    path, _, query = scope.page.partition("?")
    url = Url("https", host, 443, path or scope.entry.path, query)
    pairs = list(_answers(before, after, url, clients, at))
    sites = before.catalogue.sites
    stopped = [new for _, new in pairs if new.verdict is Verdict.BLOCK]
    firm = [new for new in stopped if new.reason in (Reason.LOCKED, Reason.PARENT)]
    return HostOpened(
        host,
        sites.categories(sites.get(host, url.path)),
        any(new.verdict.passes and not old.verdict.passes for old, new in pairs),
        next((decision.clause for decision in (*firm, *stopped)), ""),
    )


def _answers(
    before: PolicyEngine, after: PolicyEngine, url: Url, clients: list[Client], at: datetime
) -> Iterator[tuple[Decision, Decision]]:
    for client in clients:
        request = WebRequest(url, client)
        yield before.decide(request, at), after.decide(request, at)


def _passes(engine: PolicyEngine, host: str, clients: list[Client], at: datetime) -> bool:
    url = Url("https", host, 443, "/")
    return all(engine.decide(WebRequest(url, client), at).verdict.passes for client in clients)
