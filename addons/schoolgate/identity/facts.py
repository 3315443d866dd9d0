"""What the live sources say: leases, neighbours and sessions, as plain values."""

from dataclasses import dataclass
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
