"""What people have opened or closed by hand: grants, suspensions, warnings that they accepted."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from zoneinfo import ZoneInfo

from schoolgate.core.categories import ListEntry
from schoolgate.core.clients import Client
from schoolgate.core.errors import BadAddressError, RefusedError
from schoolgate.core.prefixes import client_address
from schoolgate.core.urls import path_covers, path_readings

_LONDON = ZoneInfo("Europe/London")


class Role(StrEnum):
    """Who somebody is at the school: the words of policies and of the portal."""

    HEADTEACHER = "headteacher"
    DEPUTY = "deputy"
    SLT = "slt"
    TECHNICIAN = "technician"
    ONLINE_SAFETY_LEAD = "online-safety-lead"
    DSL = "dsl"
    TEACHER = "teacher"
    STAFF = "staff"
    CHAIR_OF_GOVERNORS = "chair-of-governors"
    GOVERNOR = "governor"


# Those that may open a site for others; what a teacher may open is for a lesson only.
OPENING = (
    Role.HEADTEACHER, Role.DEPUTY, Role.SLT, Role.TECHNICIAN, Role.ONLINE_SAFETY_LEAD,
)  # fmt: skip


class SubjectKind(StrEnum):
    """What a grant or a suspension is about."""

    EVERYONE = "everyone"
    GROUP = "group"
    USER = "user"
    DEVICE = "device"
    CLIENT = "client"


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a grant or a suspension concerns: ``group:staff``, ``user:abc``, ``client:10.0.0.7``."""

    kind: SubjectKind
    id: str = ""

    @classmethod
    def parse(cls, text: str) -> "Subject":
        """Read ``everyone``, ``kind:id`` or a bare IP address.

        Raises:
            RefusedError: when it names nobody.
        """
        kind, colon, name = text.partition(":")
        if text == SubjectKind.EVERYONE:
            return cls(SubjectKind.EVERYONE)
        address = _address(text)
        if address:
            return cls(SubjectKind.CLIENT, address)
        kinds = [k.value for k in SubjectKind if k is not SubjectKind.EVERYONE]
        if not colon or kind not in kinds or not name:
            raise RefusedError(
                f"{text!r} names nobody: write everyone, an IP address, or one of "
                + ", ".join(f"{k}:ID" for k in kinds)
            )
        subject = SubjectKind(kind)
        if subject is SubjectKind.CLIENT:
            address = _address(name)
            if not address:
                raise RefusedError(f"{name!r} is not an IP address")
            name = address
        return cls(subject, name)

    @classmethod
    def nearest(cls, client: Client) -> "Subject":
        """Give the person of a client; where nobody is known the device, and else the address."""
        if client.user:
            return cls(SubjectKind.USER, client.user)
        if client.device:
            return cls(SubjectKind.DEVICE, client.device)
        return cls(SubjectKind.CLIENT, client.address)

    def __str__(self) -> str:
        """Give the form that `parse` reads."""
        return f"{self.kind}:{self.id}" if self.id else self.kind.value

    def concerns(self, client: Client, groups: frozenset[str]) -> bool:
        """Ask whether a client is meant; ``groups`` are all it is in, with those around them."""
        match self.kind:
            case SubjectKind.EVERYONE:
                return True
            case SubjectKind.GROUP:
                return self.id in groups
            case SubjectKind.USER:
                return self.id == client.user != ""
            case SubjectKind.DEVICE:
                return self.id == client.device != ""
            case SubjectKind.CLIENT:
                return self.id == client.address


@dataclass(frozen=True, slots=True)
class Grant:
    """A site opened for somebody for a time; times are aware, ``ends`` is exclusive."""

    id: int
    entry: ListEntry
    subject: Subject
    starts: datetime
    ends: datetime
    decided_by: Role
    reason: str

    def in_force(
        self, client: Client, groups: frozenset[str], host: str, path: str, now: datetime
    ) -> bool:
        """Ask whether it opens this page for this client now."""
        return self.in_force_on(client, groups, host, now) and all(
            path_covers(self.entry.path, reading) for reading in path_readings(path)
        )

    def in_force_on(self, client: Client, groups: frozenset[str], host: str, now: datetime) -> bool:
        """Ask whether it opens anything on this host for this client now."""
        return (
            self.starts <= now < self.ends
            and (host == self.entry.host or host.endswith("." + self.entry.host))
            and self.subject.concerns(client, groups)
        )


@dataclass(frozen=True, slots=True)
class Suspension:
    """Internet access withdrawn from somebody until a time (W-6.3.1-withdraw)."""

    id: int
    subject: Subject
    starts: datetime
    ends: datetime
    reason: str

    def in_force(self, client: Client, groups: frozenset[str], now: datetime) -> bool:
        """Ask whether it stops this client now."""
        return self.starts <= now < self.ends and self.subject.concerns(client, groups)


@dataclass(frozen=True, slots=True)
class Supervision:
    """Somebody whose access is withdrawn works under a colleague's eyes for a time (T-9-circumvent)."""

    id: int
    subject: Subject
    starts: datetime
    ends: datetime
    reason: str

    def in_force(self, client: Client, groups: frozenset[str], now: datetime) -> bool:
        """Ask whether this client is supervised now."""
        return self.starts <= now < self.ends and self.subject.concerns(client, groups)


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
    return f"{now.astimezone(_LONDON):%Y-%m-%d}"


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


@dataclass(frozen=True, slots=True)
class Overlay:
    """What was decided by hand, laid over the policy; swapped whole when the store changes."""

    version: int = 0
    grants: tuple[Grant, ...] = ()
    suspensions: tuple[Suspension, ...] = ()
    supervisions: tuple[Supervision, ...] = ()
    acceptances: frozenset[Acceptance] = frozenset()
    signed: frozenset[Signed] = frozenset()

    def suspension_for(
        self, client: Client, groups: frozenset[str], now: datetime
    ) -> Suspension | None:
        """Give the suspension that stops a client now, if any; of several the one that lasts.

        None stops whoever is supervised.
        """
        if any(s.in_force(client, groups, now) for s in self.supervisions):
            return None
        in_force = [s for s in self.suspensions if s.in_force(client, groups, now)]
        return max(in_force, key=lambda s: s.ends, default=None)

    def grants_for(
        self, client: Client, groups: frozenset[str], host: str, path: str, now: datetime
    ) -> list[Grant]:
        """Give every grant that opens this page for this client now."""
        return [g for g in self.grants if g.in_force(client, groups, host, path, now)]

    def grants_on(
        self, client: Client, groups: frozenset[str], host: str, now: datetime
    ) -> list[Grant]:
        """Give every grant that opens this host or a part of it for this client now."""
        return [g for g in self.grants if g.in_force_on(client, groups, host, now)]


def first[T](items: Iterable[T]) -> T | None:
    """Give the first of some values, or None."""
    return next(iter(items), None)


def _address(text: str) -> str:
    """Give an address as clients are known by it, or nothing."""
    try:
        return client_address(text)
    except BadAddressError:
        return ""
