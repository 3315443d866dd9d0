"""Incidents: what people make of alerts, who may see them, and how they end (T-8-concern, T-5-cpoms)."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from schoolgate.core.safeguarding.themes import Severity


class About(StrEnum):
    """Whom something concerns, as far as it says who is told; strangers count as pupils."""

    PUPILS = "pupils"
    STAFF = "staff"
    HEADTEACHER = "headteacher"


class Outcome(StrEnum):
    """How an incident ended."""

    NONE = ""
    SUPPORTED = "supported"
    REFERRED = "referred"
    PARENTS_TOLD = "parents-told"
    SANCTIONED = "sanctioned"
    FALSE_ALARM = "false-alarm"
    NO_ACTION = "no-action"


OUTCOME_WORDS = {
    Outcome.SUPPORTED: "Support was given in school",
    Outcome.REFERRED: "Referred to others (children's services, police, Prevent, health)",
    Outcome.PARENTS_TOLD: "Parents were told",
    Outcome.SANCTIONED: "Dealt with under the behaviour policy",
    Outcome.FALSE_ALARM: "A false alarm",
    Outcome.NO_ACTION: "No action is needed",
}


@dataclass(frozen=True, slots=True)
class KeptAlert:
    """An alert as it is kept: like ones of the same person within a while are one.

    Attributes:
        id: its number.
        at: of the first.
        last_at: of the last.
        times: how many.
        who: ``user:abc``, ``device:…`` or ``client:…``.
        group: of the policy.
        about: whom it concerns.
        theme: of what, or ``circumvention``.
        severity: how bad.
        source: what showed it.
        host: of the page.
        content: what else is kept: url, search, verdict, clause, category, device, address, phrase_ids.
        incident: number of the incident that it belongs to; 0 for none.
    """

    id: int
    at: datetime
    last_at: datetime
    times: int
    who: str
    group: str
    about: About
    theme: str
    severity: Severity
    source: str
    host: str
    content: dict[str, Any] = field(default_factory=dict)
    incident: int = 0


@dataclass(frozen=True, slots=True)
class Note:
    """A line of an incident's history."""

    at: datetime
    actor: str
    action: str
    words: str


@dataclass(frozen=True, slots=True)
class Incident:
    """Something that a named person looks after until it is closed.

    Attributes:
        id: its number; 0 for a new one.
        opened_at: when.
        opened_by: account, or ``system``.
        origin: ``alert:7``, ``accident:7``, ``report:7`` or ``circumvention``.
        who: whom it concerns, as `KeptAlert.who`; empty for nobody in particular.
        group: theirs.
        about: whom it concerns, for who may see it.
        theme: of what.
        severity: how bad.
        summary: in a few words.
        assigned_to: account; empty for nobody yet.
        closed_at: None while it is open.
        outcome: how it ended.
    """

    id: int
    opened_at: datetime
    opened_by: str
    origin: str
    who: str
    group: str
    about: About
    theme: str
    severity: Severity
    summary: str
    assigned_to: str = ""
    closed_at: datetime | None = None
    outcome: Outcome = Outcome.NONE

    @property
    def is_open(self) -> bool:
        """Whether somebody still has to look after it."""
        return self.closed_at is None


def is_concerned(account: str, who: str, name_of: Callable[[str], str]) -> bool:
    """Ask whether something concerns whoever has an account.

    Args:
        account: its address.
        who: ``user:abc`` or another subject.
        name_of: gives the sign-in name of an address.
    """
    kind, _, name = who.partition(":")
    return kind == "user" and bool(name) and name.lower() in {account.lower(), name_of(account)}


def without_concerned(
    addresses: Iterable[str], who: str, name_of: Callable[[str], str]
) -> tuple[str, ...]:
    """Give the addresses but those of whoever is concerned."""
    return tuple(each for each in addresses if not is_concerned(each, who, name_of))
