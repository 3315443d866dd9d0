"""Programs that trust one certificate only: what failed handshakes say of a site, and who decided on it."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

# One device may be out of order, and one day something else may be.
ENOUGH_CLIENTS = 2
ENOUGH_DAYS = 2


class Failure(NamedTuple):
    """A kind of handshake that failed after the gateway had shown its certificate.

    Attributes:
        host: that was asked for.
        device_kind: of the client; empty when unknown.
        client: a pseudonym of it.
        day: of the school's calendar.
    """

    host: str
    device_kind: str
    client: str
    day: date


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of a site on one kind of device.

    Attributes:
        host: of the site.
        device_kind: empty when unknown.
        failures: handshakes that failed.
        clients: how many different ones; each had trusted the gateway on another site before.
        days: on how many different ones.
        last: the last of these.
    """

    host: str
    device_kind: str
    failures: int
    clients: int
    days: int
    last: date

    @property
    def is_enough(self) -> bool:
        """Whether it can hardly be chance."""
        return self.clients >= ENOUGH_CLIENTS and self.days >= ENOUGH_DAYS


@dataclass(frozen=True, slots=True)
class PinDecision:
    """What a person decided on a site.

    Attributes:
        host: of the site.
        is_accepted: whether it is passed unread from then on.
        at: when.
        actor: who.
        reason: for people.
    """

    host: str
    is_accepted: bool
    at: datetime
    actor: str
    reason: str
