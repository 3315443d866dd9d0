"""What people themselves agreed to: warnings that they clicked through, declarations that they signed."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from schoolgate.core.approvals.subjects import Subject
from schoolgate.core.clients import Client

_LONDON = ZoneInfo("Europe/London")


class Acceptance(NamedTuple):
    """A warning that was clicked through, which holds for one rule and one day.

    Attributes:
        who: the `Subject.nearest` of whoever clicked, as text.
        rule: id of the rule that warns.
        day: of the calendar in school, ``2026-11-23``.
    """

    who: str
    rule: str
    day: str


def acceptance(client: Client, rule: str, now: datetime) -> Acceptance:
    """Give what a client accepts by clicking through a rule's warning at a time, aware."""
    return Acceptance(str(Subject.nearest(client)), rule, school_day(now))


def school_day(now: datetime) -> str:
    """Give the day that it is in school at a time, aware: ``2026-11-23``."""
    return now.astimezone(_LONDON).isoformat()[:10]


@dataclass(frozen=True, slots=True)
class Signature:
    """A line of the register of a declaration (W-8, H-11.3).

    Attributes:
        person: sign-in name.
        version: of the declaration.
        signed_at: when, aware.
        withdrawn_at: when it was found not to count; None where it does.
    """

    person: str
    version: str
    signed_at: datetime
    withdrawn_at: datetime | None = None


class Signed(NamedTuple):
    """That a person has signed a version of the declaration."""

    person: str
    version: str
