"""Two small registers: sites that people report (T-9-report), and accidents (W-6.3.1-accident)."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from schoolgate.core.approvals.requests import LONGEST_URL, checked_text
from schoolgate.core.approvals.roles import Actor, Role, Roles
from schoolgate.core.errors import RefusedError


class ReportState(StrEnum):
    """What became of a report."""

    OPEN = "open"
    BLOCKED = "blocked"
    DISMISSED = "dismissed"


@dataclass(frozen=True, slots=True)
class SiteReport:
    """Somebody found a site that should be blocked.

    Attributes:
        id: its number; 0 before it is kept.
        url: as given.
        host: of it, normalised.
        words: what the person says.
        reporter: account; empty where nobody signed in.
        at: when.
        state: what became of it.
        handled_by: account.
        handled_at: when.
        note: why.
    """

    id: int
    url: str
    host: str
    words: str
    reporter: str
    at: datetime
    state: ReportState = ReportState.OPEN
    handled_by: str = ""
    handled_at: datetime | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class ReportBlock:
    """A block that was made on a report.

    Attributes:
        id: its number.
        report: number of the report.
        site: that is blocked.
        at: when it was made.
        lifted_at: when it was taken back; None while it is in force.
        lifted_because: why; empty while it is in force.
    """

    id: int
    report: int
    site: str
    at: datetime
    lifted_at: datetime | None = None
    lifted_because: str = ""


@dataclass(frozen=True, slots=True)
class Accident:
    """Somebody came upon a prohibited site by accident and says so: a genuine mistake on the record.

    Attributes:
        id: its number; 0 before it is kept.
        url: that was blocked.
        host: of it, normalised.
        words: what the person says, if anything.
        person: account or, where nobody signed in, the address of the device.
        at: when.
    """

    id: int
    url: str
    host: str
    words: str
    person: str
    at: datetime


def report_site(url: str, host: str, words: str, actor: Actor, now: datetime) -> SiteReport:
    """Make a report of a site.

    Raises:
        RefusedError: when nothing is said of it, or not as text.
    """
    url = checked_text(url, "the address of the site", LONGEST_URL)
    return SiteReport(0, url, host, checked_text(words, "what is wrong with it"), actor.id, now)


def report_accident(url: str, host: str, words: str, person: str, now: datetime) -> Accident:
    """Record that somebody came upon a site by accident; words are welcome and not asked for.

    Raises:
        RefusedError: when something is no text.
    """
    url = checked_text(url, "the address of the site", LONGEST_URL)
    said = checked_text(words, "what happened") if words.strip() else ""
    return Accident(0, url, host, said, person, now)


def handle(
    report: SiteReport, state: ReportState, note: str, actor: Actor, now: datetime, roles: Roles
) -> tuple[SiteReport, Role]:
    """Block a reported site, or leave it; give the report afterwards and the role that did it.

    Raises:
        RefusedError: when it is not for this person, or was done before.
    """
    role = blocking_role(actor, roles)
    if report.state is not ReportState.OPEN:
        raise RefusedError(f"this report was handled already: {report.state.value}")
    note = checked_text(note, "a reason")
    return (
        replace(report, state=state, handled_by=actor.id, handled_at=now, note=note),
        role,
    )


def blocking_role(actor: Actor, roles: Roles) -> Role:
    """Give the role in which somebody blocks a site at once.

    Raises:
        RefusedError: when they have none.
    """
    role = actor.first_of((Role.ONLINE_SAFETY_LEAD, *roles.reviews, Role.DSL, *roles.decides))
    if role is None or not actor.id:
        raise RefusedError("sites are blocked by the online safety lead or who reviews requests")
    return role
