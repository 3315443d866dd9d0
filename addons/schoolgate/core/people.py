"""What a school wrote down of its networks, devices and people, and of how people sign in."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType

from schoolgate.core.hosts import IpAddress, IpNetwork


@dataclass(frozen=True, slots=True)
class Membership:
    """The groups of a person, a device or a network.

    Attributes:
        group: id of the primary policy group; "" for none.
        also: further groups, such as classes.
    """

    group: str = ""
    also: frozenset[str] = frozenset()


NOBODY = Membership()


@dataclass(frozen=True, slots=True)
class Network:
    """Ranges of addresses that are one network: the wired one, a VLAN, the guests' WiFi.

    Attributes:
        id: its name in the policy.
        ranges: of addresses.
        membership: what a stranger there belongs to.
    """

    id: str
    ranges: tuple[IpNetwork, ...]
    membership: Membership = NOBODY


@dataclass(frozen=True, slots=True)
class Device:
    """A known device; it is recognised by any of its hardware addresses or IP addresses.

    Attributes:
        id: its name.
        kind: what it is, e.g. ``school-mobile``.
        macs: hardware addresses, normalised.
        addresses: IP addresses that are always its own.
        hostname: when given, the name its DHCP lease must carry beside the hardware address.
        user: whose it is, when it has one user alone.
        membership: its groups.
    """

    id: str
    kind: str = ""
    macs: frozenset[str] = frozenset()
    addresses: tuple[IpAddress, ...] = ()
    hostname: str = ""
    user: str = ""
    membership: Membership = NOBODY


@dataclass(frozen=True, slots=True)
class WireGuardPeer:
    """A peer of the tunnel: whose key it is and which addresses the tunnel lets it use.

    WireGuard itself drops a packet whose source is not among its peer's allowed addresses, so such
    an address proves the key.
    """

    public_key: str
    allowed_ips: tuple[IpNetwork, ...]
    user: str = ""
    device: str = ""
    device_kind: str = ""
    membership: Membership = NOBODY


class LeaseKind(StrEnum):
    """Whose file of leases it is."""

    DNSMASQ = "dnsmasq"
    KEA4 = "kea4"
    KEA6 = "kea6"


@dataclass(frozen=True, slots=True)
class LeaseSource:
    """A file of DHCP leases."""

    kind: LeaseKind
    file: Path


class NestedGroups(StrEnum):
    """How groups within groups are found."""

    NONE = "none"
    CHAIN = "chain"  # one question to Active Directory, LDAP_MATCHING_RULE_IN_CHAIN
    WALK = "walk"  # a question for each level, for every other server


@dataclass(frozen=True, slots=True)
class LdapSettings:
    """How passwords are checked and groups are read in a directory.

    Attributes:
        servers: ``ldaps://host:port`` or ``ldap://host:port``; the latter with StartTLS always.
        ca_file: the authority that signed the servers' certificates; no other is trusted.
        bind_dn: the account that searches.
        bind_password_file: its password, readable by schoolgate alone.
        base_dn: where people are.
        user_filter: a filter with ``{user}``.
        user_attribute: where the entry has the name that the person is known by here: a directory may
            take several spellings for one (accents, width, an e-mail address), and a suspension
            must hold for all of them.
        group_base_dn: where groups are; ``base_dn`` where it is empty.
        group_filter: a filter with ``{dn}``, the person or group whose groups are asked for.
        groups: names (DN or CN) of groups of the directory → what they make somebody a member of,
            in order: the first that fits gives the primary group.
        default_group: of people whom no group fits.
        nested: how groups within groups are found.
        timeout_seconds: of each step with a server.
        deadline_seconds: for the whole answer.
        remember_seconds: for how long a right password is not asked for again.
    """

    servers: tuple[str, ...]
    ca_file: Path
    bind_dn: str
    bind_password_file: Path
    base_dn: str
    user_filter: str = "(uid={user})"
    user_attribute: str = "uid"
    group_base_dn: str = ""
    group_filter: str = "(member={dn})"
    groups: tuple[tuple[str, Membership], ...] = ()
    default_group: str = ""
    nested: NestedGroups = NestedGroups.NONE
    timeout_seconds: float = 3.0
    deadline_seconds: float = 8.0
    remember_seconds: float = 600.0


@dataclass(frozen=True, slots=True)
class KerberosSettings:
    """How tickets are accepted.

    Attributes:
        keytab: the key of the service.
        service: its principal, ``HTTP/proxy.school.example``.
        realm: whose people are meant; those of other realms are refused.
    """

    keytab: Path
    service: str
    realm: str


@dataclass(frozen=True, slots=True)
class RadiusSettings:
    """Whose accounting is believed.

    Attributes:
        listen: ``address:port``.
        clients: network of a NAS → file of its shared secret.
        user_names_verified: whether User-Name is what the RADIUS server verified. In EAP it is by
            default the outer identity, which the device makes up as it likes.
        classes: value of the Class attribute, which the RADIUS server sets → groups.
        default_group: of sessions whose class says nothing.
        silence_seconds: a session that was not heard of for so long has ended.
    """

    listen: str
    clients: tuple[tuple[IpNetwork, Path], ...]
    user_names_verified: bool = False
    classes: Mapping[str, Membership] = field(default_factory=lambda: MappingProxyType({}))
    default_group: str = ""
    silence_seconds: float = 1800.0


class ForwardedHeader(StrEnum):
    """In which header the load balancers write the client's address, or that they say it before all."""

    X_FORWARDED_FOR = "x-forwarded-for"
    FORWARDED = "forwarded"
    PROXY_PROTOCOL = "proxy-protocol"


@dataclass(frozen=True, slots=True)
class LoadBalancers:
    """Who may say that a request is another's, and in which header."""

    ranges: tuple[IpNetwork, ...] = ()
    header: ForwardedHeader = ForwardedHeader.X_FORWARDED_FOR


class Unsigned(StrEnum):
    """What whoever sends the proxy no name and password, nor a ticket, is."""

    ASKED = "asked"  # nothing else until they sign in
    STRICTEST = "strictest"  # in the strictest group, and asked where that is refused


@dataclass(frozen=True, slots=True)
class SignInSettings:
    """How people may sign in.

    Attributes:
        longest_seconds: how long a sign-in on the page may last.
        domains: endings that are dropped from sign-in names (``school.example``, ``SCHOOL``).
        basic: whether the proxy takes user name and password, over TLS or from this machine.
        unsigned: what whoever does not sign in to the proxy is, where anybody can.
    """

    longest_seconds: float = 8 * 3600.0
    domains: tuple[str, ...] = ()
    basic: bool = False
    unsigned: Unsigned = Unsigned.ASKED
    ldap: LdapSettings | None = None
    kerberos: KerberosSettings | None = None
    radius: RadiusSettings | None = None


@dataclass(frozen=True, slots=True)
class People:
    """All of `config/local/people.yaml`; nothing of it is required."""

    networks: tuple[Network, ...] = ()
    devices: tuple[Device, ...] = ()
    people: Mapping[str, Membership] = field(default_factory=lambda: MappingProxyType({}))
    wireguard: tuple[WireGuardPeer, ...] = ()
    leases: tuple[LeaseSource, ...] = ()
    neighbours: bool = True
    load_balancers: LoadBalancers = LoadBalancers()
    sign_in: SignInSettings = SignInSettings()


def sign_in_name(raw: str, domains: tuple[str, ...] = ()) -> str:
    r"""Give a sign-in name in the one form that policies, journal and suspensions know it by.

    Names are compared without regard to case and to the width of letters, as directories do.
    Of ``SCHOOL\jsmith`` and
    ``jsmith@school.example`` the domain is dropped when it is one of the school's own; a name of
    another domain stays whole, so that it is never taken for ours.
    """
    name = unicodedata.normalize("NFKC", raw).strip().lower()
    ours = {domain.lower() for domain in domains}
    before, backslash, after = name.partition("\\")
    if backslash and before in ours:
        return after
    user, at, domain = name.rpartition("@")
    if at and domain in ours:
        return user
    return name
