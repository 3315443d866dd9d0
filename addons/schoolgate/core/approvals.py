"""What people in charge have opened or closed by hand: grants and suspensions."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from schoolgate.core.categories import ListEntry
from schoolgate.core.clients import Client
from schoolgate.core.errors import RefusedError
from schoolgate.core.hosts import as_ip
from schoolgate.core.urls import path_covers, path_readings


class Role(StrEnum):
    """The roles of CLAUSES.md that may open or close something."""

    HEADTEACHER = "headteacher"
    SLT = "slt"
    TECHNICIAN = "technician"
    ONLINE_SAFETY_LEAD = "online-safety-lead"


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
        address = as_ip(text)
        if address is not None:
            return cls(SubjectKind.CLIENT, str(address))
        kinds = [k.value for k in SubjectKind if k is not SubjectKind.EVERYONE]
        if not colon or kind not in kinds or not name:
            raise RefusedError(
                f"{text!r} names nobody: write everyone, an IP address, or one of "
                + ", ".join(f"{k}:ID" for k in kinds)
            )
        subject = SubjectKind(kind)
        if subject is SubjectKind.CLIENT:
            address = as_ip(name)
            if address is None:
                raise RefusedError(f"{name!r} is not an IP address")
            name = str(address)
        return cls(subject, name)

    def __str__(self) -> str:
        """Give the form that `parse` reads."""
        return f"{self.kind}:{self.id}" if self.id else self.kind.value

    def concerns(self, client: Client) -> bool:
        """Ask whether a client is meant."""
        match self.kind:
            case SubjectKind.EVERYONE:
                return True
            case SubjectKind.GROUP:
                return self.id == client.group
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

    def in_force(self, client: Client, host: str, path: str, now: datetime) -> bool:
        """Ask whether it opens this page for this client now."""
        return self.in_force_on(client, host, now) and all(
            path_covers(self.entry.path, reading) for reading in path_readings(path)
        )

    def in_force_on(self, client: Client, host: str, now: datetime) -> bool:
        """Ask whether it opens anything on this host for this client now."""
        return (
            self.starts <= now < self.ends
            and (host == self.entry.host or host.endswith("." + self.entry.host))
            and self.subject.concerns(client)
        )


@dataclass(frozen=True, slots=True)
class Suspension:
    """Internet access withdrawn from somebody until a time (W-6.3.1-withdraw)."""

    id: int
    subject: Subject
    starts: datetime
    ends: datetime
    reason: str

    def in_force(self, client: Client, now: datetime) -> bool:
        """Ask whether it stops this client now."""
        return self.starts <= now < self.ends and self.subject.concerns(client)


@dataclass(frozen=True, slots=True)
class Overlay:
    """What was decided by hand, laid over the policy; swapped whole when the store changes."""

    version: int = 0
    grants: tuple[Grant, ...] = ()
    suspensions: tuple[Suspension, ...] = ()

    def suspension_for(self, client: Client, now: datetime) -> Suspension | None:
        """Give the suspension that stops a client now, if any; of several the one that lasts."""
        in_force = [s for s in self.suspensions if s.in_force(client, now)]
        return max(in_force, key=lambda s: s.ends, default=None)

    def grants_for(self, client: Client, host: str, path: str, now: datetime) -> list[Grant]:
        """Give every grant that opens this page for this client now."""
        return [g for g in self.grants if g.in_force(client, host, path, now)]

    def grants_on(self, client: Client, host: str, now: datetime) -> list[Grant]:
        """Give every grant that opens this host or a part of it for this client now."""
        return [g for g in self.grants if g.in_force_on(client, host, now)]


def first[T](items: Iterable[T]) -> T | None:
    """Give the first of some values, or None."""
    return next(iter(items), None)
