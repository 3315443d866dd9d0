"""How the gateway stands in the school's network: the section ``network`` of the machine's settings."""

import re
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from schoolgate.core.errors import BadAddressError
from schoolgate.core.hosts import normalise_host
from schoolgate.documents import Strict

# linux/if.h: 15 bytes; of those that the kernel takes, the ones that mean nothing to nft or dnsmasq.
_INTERFACE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,14}")
# What the filter decides on goes through the filter.
_FILTERED_PORTS = frozenset({53, 80, 443, 853})

type Address = IPv4Address | IPv6Address
type Network = IPv4Network | IPv6Network


def _interface(value: str) -> str:
    if not _INTERFACE.fullmatch(value):
        raise ValueError(f"'{value}' is not an interface such as eth1 or eth1.20")
    return value


def _domain(value: str) -> str:
    if not value:
        return value
    try:
        return normalise_host(value)
    except BadAddressError as error:
        raise ValueError(str(error)) from error


def _some(value: Network) -> Network:
    if value.prefixlen == 0:
        raise ValueError(f"{value} is everybody; name the networks")
    return value


def _range(value: object) -> object:
    """Split ``10.20.0.50-10.20.0.250``."""
    return tuple(value.split("-")) if isinstance(value, str) else value


def _filtered(value: int) -> int:
    if value in _FILTERED_PORTS:
        raise ValueError(
            f"port {value} goes through the filter; a device goes round it by 'bypass'"
        )
    return value


Interface = Annotated[str, AfterValidator(_interface)]
Domain = Annotated[str, AfterValidator(_domain)]
SomeNetwork = Annotated[Network, AfterValidator(_some)]
OpenPort = Annotated[int, Field(gt=0, lt=65_536), AfterValidator(_filtered)]
Range = Annotated[tuple[IPv4Address, IPv4Address], BeforeValidator(_range)]


class OpenSettings(Strict):
    """What every device may reach without the filter, such as Apple's push service."""

    to: Annotated[tuple[SomeNetwork, ...], Field(min_length=1)]
    tcp: tuple[OpenPort, ...] = ()
    udp: tuple[OpenPort, ...] = ()


class NetworkSettings(Strict):
    """Interfaces, addresses, and what goes round the filter; without `inside` nothing of it is used."""

    inside: tuple[Interface, ...] = ()
    outside: tuple[Interface, ...] = ()
    addresses: tuple[Address, ...] = ()
    clients: tuple[SomeNetwork, ...] = ()
    administration: tuple[SomeNetwork, ...] = ()
    pair: tuple[Address, ...] = ()
    bypass: tuple[SomeNetwork, ...] = ()
    open: tuple[OpenSettings, ...] = ()
    masquerade: bool = False
    name_servers: tuple[Address, ...] = ()
    domain: Domain = ""
    leases: tuple[Range, ...] = ()
    direct: tuple[Domain, ...] = ()
    counters_file: Path = Path("/run/schoolgate/counters.json")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        both = set(self.inside) & set(self.outside)
        if both:
            raise ValueError(f"{', '.join(sorted(both))} is both inside and outside")
        if self.inside and not self.addresses:
            raise ValueError(
                "'inside' needs 'addresses': those of this gateway on these interfaces"
            )
        for first, last in self.leases:
            if first > last:
                raise ValueError(f"the leases {first}-{last} end before they begin")
        return self

    @property
    def is_used(self) -> bool:
        """Whether this machine is a gateway at all."""
        return bool(self.inside)

    @property
    def forwards_ipv4(self) -> bool:
        """Whether packets of IPv4 must be let through; the filter itself needs none of it."""
        return any(network.version == 4 for network in self._round_the_filter())

    @property
    def forwards_ipv6(self) -> bool:
        """Whether the kernel must be a router of IPv6.

        A host that forwards nothing says in its neighbour advertisements that it is no router, and
        devices then drop the default route that they have from it (RFC 4861, 7.2.5).
        """
        routes = any(address.version == 6 for address in self.addresses)
        return routes or any(network.version == 6 for network in self._round_the_filter())

    def _round_the_filter(self) -> tuple[Network, ...]:
        return (*self.bypass, *(network for part in self.open for network in part.to))
