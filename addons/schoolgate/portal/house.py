"""What the pages work with: made by `bootstrap`, one for each process that serves the portal."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol

from django.conf import settings as django_settings

from schoolgate.core.approvals import Role
from schoolgate.core.clients import Client
from schoolgate.core.errors import Fault
from schoolgate.core.people import People
from schoolgate.core.policy import PolicyEngine
from schoolgate.identity import Answer, SignIns
from schoolgate.monitoring.journal_store import JournalStore
from schoolgate.portal.remembered import Memory
from schoolgate.services.approvals import Approvals
from schoolgate.services.evidence import Facts
from schoolgate.services.gateway_drift import Finding
from schoolgate.services.incidents import Incidents
from schoolgate.services.kept_requests import KeptRequests
from schoolgate.services.probing import Examination
from schoolgate.services.tickets import Tickets
from schoolgate.services.trust_overview import Overview, Seen
from schoolgate.settings import Settings
from schoolgate.storage import AuditTrail, DecisionStore, Digests, Outbox, StreamAccounts
from schoolgate.storage.assignments import Assignments
from schoolgate.storage.school_glance import SchoolView


class Directory(Protocol):
    """Where names and passwords of the school are known."""

    def check(self, user: str, password: str) -> Answer:
        """Check a password; waits for the directory, for a few seconds at most."""


@dataclass(frozen=True, slots=True)
class Keeping:
    """What the pages for the keepers of the gateway look at.

    Attributes:
        people_faults: gives what is wrong with people.yaml as it is now.
        outbox: the mail that waits.
        examination: looks at what `schoolgate doctor` looks at.
    """

    people_faults: Callable[[], Sequence[Fault]]
    outbox: Outbox
    examination: Examination


@dataclass(frozen=True, slots=True)
class Within:
    """What the pages of one school of a trust work with; all of it comes into that school's data alone.

    Attributes:
        engine: gives the school's rules.
        people: gives who is known there.
        approvals: the service that its requests go through.
        decisions: its grants.
        trail: its audit trail.
    """

    engine: Callable[[], PolicyEngine]
    people: Callable[[], People]
    approvals: Approvals
    decisions: DecisionStore
    trail: AuditTrail


@dataclass(frozen=True, slots=True)
class Trust:
    """What the pages for the schools of a trust work with, at its centre.

    Attributes:
        overview: how they stand.
        view: gives how one of them is read.
        assignments: who may see and approve where.
        trail: gives the audit trail of one of them.
        within: gives what its pages work with; raises `RefusedError` where its rules are not here.
        drift: says what of the gateways of schools is not as it should be.
    """

    overview: Overview
    view: Callable[[str], SchoolView]
    assignments: Assignments
    trail: Callable[[str], AuditTrail]
    within: Callable[[str], Within]
    drift: Callable[[Sequence[Seen]], Sequence[Finding]]


@dataclass(frozen=True, slots=True)
class House:
    """What the pages work with.

    Attributes:
        settings: of this machine.
        engine: gives the engine in force.
        now: gives the time, aware.
        mac_at: gives the hardware address of the device at an address, "" where it is not known.
        sign_ins: makes and ends sign-ins of devices.
        membership: gives what people.yaml says of somebody who proved who they are.
        directory: gives the school's directory; None where people.yaml names none.
        domains: gives the endings that are dropped from sign-in names.
        trail: the audit trail.
        approvals: the service that requests go through.
        decisions: the grants.
        people: gives who is known.
        journal: gives the lines of the journal that a preview looks at.
        tickets: gives what reads the tickets of block pages.
        keeping: for the pages of those who keep the gateway.
        digests: who wants one mail a day.
        client_at: gives who is at an address, as the proxy sees them.
        history: the journal, for a person's record and figures.
        accounts: what everybody was given of audio and video today.
        incidents: alerts and incidents.
        evidence: gives what a review wants to know of some days, from the first to the last; None for the
            usual ones. Raises `SchoolgateError`.
        kept: requests that were made while the store was out of reach.
        is_store_near: tells whether the store answered a moment ago.
        trust: the schools of the trust whose centre this is; None elsewhere.
        memory: who signed in of late.
    """

    settings: Settings
    engine: Callable[[], PolicyEngine]
    now: Callable[[], datetime]
    mac_at: Callable[[str], str]
    sign_ins: SignIns
    membership: Callable[[Answer], Answer]
    directory: Callable[[], Directory | None]
    domains: Callable[[], tuple[str, ...]]
    trail: AuditTrail
    approvals: Approvals
    decisions: DecisionStore
    people: Callable[[], People]
    journal: Callable[[], Iterable[str]]
    tickets: Callable[[], Tickets]
    keeping: Keeping
    digests: Digests
    client_at: Callable[[str], Client]
    history: JournalStore
    accounts: StreamAccounts
    incidents: Incidents
    evidence: Callable[[date | None, date | None], Facts]
    kept: KeptRequests
    is_store_near: Callable[[], bool]
    trust: Trust | None = None
    memory: Memory = field(default_factory=Memory)


@dataclass(frozen=True, slots=True)
class Inside:
    """In which school of the trust a page is made.

    Attributes:
        school: its name.
        house: what its pages work with.
        roles: of who asks, there.
        pages: names of the pages that are each school's own.
    """

    school: str
    house: House
    roles: frozenset[Role]
    pages: frozenset[str]


_INSIDE: ContextVar[Inside | None] = ContextVar("inside", default=None)


def house() -> House:
    """Give what the page works with: of this process, or of the school of the trust that it is made in."""
    within = _INSIDE.get()
    if within is not None:
        return within.house
    given: House = django_settings.SCHOOLGATE_HOUSE
    return given


def inside() -> Inside | None:
    """Give the school of the trust in which this page is made; None for a page of this process's own."""
    return _INSIDE.get()


@contextmanager
def entered(school: Inside | None) -> Iterator[None]:
    """Make what is made within this block in a school of the trust; in none with None."""
    before = _INSIDE.set(school)
    try:
        yield
    finally:
        _INSIDE.reset(before)
