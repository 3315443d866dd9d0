"""The form of `config/local/people.yaml`: which keys there are, and what one value may be."""

import re
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field

from schoolgate.core.errors import BadAddressError
from schoolgate.core.hardware import normalise_mac
from schoolgate.core.people import ForwardedHeader, LeaseKind, NestedGroups, Unsigned
from schoolgate.core.prefixes import network_in_one_form
from schoolgate.documents import Strict
from schoolgate.settings.listen import ListenAddress

_ID = re.compile(r"[A-Za-z0-9]+([._-][A-Za-z0-9]+)*")
_WIREGUARD_KEY = re.compile(r"[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=")


def _listed(value: Any) -> Any:
    """Let one value stand where a list may."""
    return value if isinstance(value, list) else [value]


def _mac(value: Any) -> str:
    # YAML 1.1 reads 00:11:22:33:44:55 as a number to the base of 60.
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is not a hardware address; put it in quotation marks")  # noqa: TRY004
    try:
        return normalise_mac(value)
    except BadAddressError as error:
        raise ValueError(str(error)) from error


def is_id(value: str) -> bool:
    """Ask whether a text may be the id of a device."""
    return _ID.fullmatch(value) is not None


def _id(value: str) -> str:
    if not is_id(value):
        raise ValueError(f"'{value}' is not of the form some-words")
    return value


def _key(value: str) -> str:
    if not _WIREGUARD_KEY.fullmatch(value):
        raise ValueError("is not a WireGuard public key")
    return value


def _server(value: str) -> str:
    try:
        parts = urlsplit(value)
        usable = parts.scheme in {"ldap", "ldaps"} and parts.hostname and (parts.port or 1) > 0
    except ValueError:
        usable = False
    if not usable or parts.path.strip("/") or parts.query or parts.username:
        raise ValueError(f"'{value}' is not an address such as ldaps://dc1.school.example")
    return value


def _user_filter(value: str) -> str:
    return _filter(value, "{user}")


def _group_filter(value: str) -> str:
    return _filter(value, "{dn}" if "{dn}" in value else "{user}")


def _filter(value: str, needed: str) -> str:
    balanced = (
        value.count("(") == value.count(")") and value.startswith("(") and value.endswith(")")
    )
    if not balanced or needed not in value:
        raise ValueError(f"'{value}' is not a filter in brackets with {needed} in it")
    return value


def _principal(value: str) -> str:
    service, slash, host = value.partition("/")
    if not (service and slash and host) or "@" in value:
        raise ValueError(f"'{value}' is not a service such as HTTP/proxy.school.example")
    return value


type Many[T] = Annotated[tuple[T, ...], BeforeValidator(_listed)]
Id = Annotated[str, AfterValidator(_id)]
Name = Annotated[str, Field(min_length=1, max_length=256)]
Mac = Annotated[str, BeforeValidator(_mac)]
Range = Annotated[IPv4Network | IPv6Network, AfterValidator(network_in_one_form)]
Seconds = Annotated[float, Field(gt=0, le=60)]


class MemberText(Strict):
    """The primary group and further ones."""

    group: str = ""
    also: tuple[Name, ...] = ()


class NetworkText(MemberText):
    """Ranges of addresses that are one network, and what a stranger there belongs to."""

    ranges: Many[Range] = Field(min_length=1)


class DeviceText(MemberText):
    """A device: how it is recognised, what it is and whose."""

    kind: str = ""
    mac: Many[Mac] = ()
    address: Many[IPv4Address | IPv6Address] = ()
    hostname: str = ""
    user: str = ""


class PeerText(MemberText):
    """A WireGuard peer."""

    public_key: Annotated[str, AfterValidator(_key)]
    allowed_ips: Many[Range] = Field(min_length=1)
    user: str = ""
    device: str = ""
    kind: str = ""


class LeaseText(Strict):
    """A file of leases."""

    kind: LeaseKind
    file: Path


class LoadBalancersText(Strict):
    """Who may say that a request is another's."""

    ranges: Many[Range] = ()
    header: ForwardedHeader = ForwardedHeader.X_FORWARDED_FOR


class LdapText(Strict):
    """The school's directory."""

    servers: Many[Annotated[str, AfterValidator(_server)]] = Field(min_length=1)
    ca_file: Path
    bind_dn: Name
    bind_password_file: Path
    base_dn: Name
    user_filter: Annotated[str, AfterValidator(_user_filter)] = "(uid={user})"
    user_attribute: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9-]*$")] = ""
    group_base_dn: str = ""
    group_filter: Annotated[str, AfterValidator(_group_filter)] = "(member={dn})"
    groups: dict[Name, MemberText] = Field(default_factory=dict)
    default_group: str = ""
    nested: NestedGroups = NestedGroups.NONE
    timeout_seconds: Seconds = 3
    deadline_seconds: Seconds = 8
    remember_minutes: float = Field(default=10, ge=0, le=24 * 60)


class KerberosText(Strict):
    """The key with which tickets are accepted."""

    keytab: Path
    service: Annotated[str, AfterValidator(_principal)]
    realm: Name


class RadiusText(Strict):
    """Whose accounting is believed."""

    listen: ListenAddress
    clients: dict[Range, Path] = Field(min_length=1)
    user_names_verified: bool = False
    classes: dict[Name, MemberText] = Field(default_factory=dict)
    default_group: str = ""
    silence_minutes: float = Field(default=30, ge=1, le=24 * 60)


class SignInText(Strict):
    """How people may sign in."""

    hours: float = Field(default=8, gt=0, le=24 * 7)
    domains: Many[Name] = ()
    basic: bool = False
    unsigned: Unsigned = Unsigned.ASKED
    ldap: LdapText | None = None
    kerberos: KerberosText | None = None
    radius: RadiusText | None = None


class PeopleText(Strict):
    """The whole file."""

    networks: dict[Id, NetworkText] = Field(default_factory=dict)
    devices: dict[Id, DeviceText] = Field(default_factory=dict)
    people: dict[Name, MemberText] = Field(default_factory=dict)
    wireguard: tuple[PeerText, ...] = ()
    leases: tuple[LeaseText, ...] = ()
    neighbours: bool = True
    load_balancers: LoadBalancersText = LoadBalancersText()
    sign_in: SignInText = SignInText()
