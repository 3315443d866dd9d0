"""What the live sources say: leases, neighbours, sessions and bindings, as plain values."""

from dataclasses import dataclass
from enum import StrEnum
from math import inf

from schoolgate.core.hosts import IpNetwork


@dataclass(frozen=True, slots=True)
class Lease:
    """An address that a DHCP server lent out.

    Attributes:
        address: in its one form.
        mac: of the device, normalised; "" where the server did not say.
        hostname: as the device calls itself, lower case.
        until: seconds since 1970; infinite for a lease without end.
    """

    address: str
    mac: str
    hostname: str = ""
    until: float = inf


@dataclass(frozen=True, slots=True)
class Neighbour:
    """An address seen on a network beside this machine.

    Attributes:
        address: in its one form.
        mac: of the device that answered for it.
        confirmed: whether it was so a moment ago; else it is what was last known.
    """

    address: str
    mac: str
    confirmed: bool = False


class BindingState(StrEnum):
    """What became of a binding."""

    IN_FORCE = "in force"
    ENDED = "ended"
    BANNED = "banned"


@dataclass(frozen=True, slots=True)
class Binding:
    """That a person is at an address or device for a while: what the sign-in page makes.

    Attributes:
        id: of the binding.
        user: sign-in name in its one form.
        group: id of the primary policy group.
        also: further groups.
        address: from which the person signed in, in its one form.
        mac: of the device there, when it was known; then the binding is the device's.
        since: seconds since 1970.
        until: seconds since 1970.
        state: ended and banned ones are kept for the record.
    """

    id: str
    user: str
    group: str
    also: frozenset[str]
    address: str
    mac: str
    since: float
    until: float
    state: BindingState = BindingState.IN_FORCE


@dataclass(frozen=True, slots=True)
class Session:
    """A session that a network access server (NAS) accounts for.

    Attributes:
        nas: address of the server that sent it.
        id: Acct-Session-Id.
        user: User-Name in its one form, where it was verified; else "".
        group: id of the primary policy group.
        also: further groups.
        mac: Calling-Station-Id, normalised, or "".
        addresses: Framed-IP-Address and Framed-IPv6-Address, in their one form.
        prefixes: Framed-IPv6-Prefix.
        since: seconds since 1970.
        until: seconds since 1970 from which on silence means that it ended.
    """

    nas: str
    id: str
    user: str
    group: str
    also: frozenset[str]
    mac: str
    addresses: tuple[str, ...]
    prefixes: tuple[IpNetwork, ...]
    since: float
    until: float
