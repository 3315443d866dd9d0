"""What the pages work with: made by `bootstrap`, one for each process that serves the portal."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol

from django.conf import settings as django_settings

from schoolgate.core.clients import Client
from schoolgate.core.errors import Fault
from schoolgate.core.people import People
from schoolgate.core.policy import PolicyEngine
from schoolgate.identity import Answer, SignIns
from schoolgate.monitoring.journal_store import JournalStore
from schoolgate.portal.remembered import Memory
from schoolgate.services.approvals import Approvals
from schoolgate.services.evidence import Facts
from schoolgate.services.incidents import Incidents
from schoolgate.services.kept_requests import KeptRequests
from schoolgate.services.probing import Examination
from schoolgate.services.tickets import Tickets
from schoolgate.settings import Settings
from schoolgate.storage import AuditTrail, DecisionStore, Digests, Outbox, StreamAccounts


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
    memory: Memory = field(default_factory=Memory)


def house() -> House:
    """Give the house of this process."""
    given: House = django_settings.SCHOOLGATE_HOUSE
    return given
