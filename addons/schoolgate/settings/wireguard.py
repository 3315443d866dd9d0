"""The tunnel for the school's devices at home: the section ``wireguard`` of the machine's settings."""

import re
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from schoolgate.core.errors import BadAddressError
from schoolgate.core.hosts import normalise_host
from schoolgate.documents import Strict
from schoolgate.settings.listen import ListenAddress

# Two addresses are the network's and the gateway's own.
_LONGEST4, _LONGEST6 = 30, 126
_ENDPOINT = re.compile(r"(.+):([0-9]{1,5})")


def _endpoint(value: str) -> str:
    if not value:
        return value
    found = _ENDPOINT.fullmatch(value)
    if found is None or not 0 < int(found[2]) < 65_536:
        raise ValueError(f"'{value}' is not of the form vpn.school.example:51820")
    try:
        return f"{normalise_host(found[1])}:{int(found[2])}"
    except BadAddressError as error:
        raise ValueError(str(error)) from error


class WireGuardSettings(Strict):
    """Where devices at home come in, and which addresses they have; without `listen` nowhere."""

    listen: ListenAddress | None = None
    endpoint: Annotated[str, AfterValidator(_endpoint)] = ""
    ranges: Annotated[tuple[IPv4Network | IPv6Network, ...], Field(min_length=1)] = (
        IPv4Network("10.99.0.0/16"),
        IPv6Network("fd00:99::/64"),
    )
    name_server: ListenAddress = "127.0.0.1:53"

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if len({network.version for network in self.ranges}) < len(self.ranges):
            raise ValueError("'ranges' has two of one family; a device has one address of each")
        for network in self.ranges:
            if network.prefixlen > (_LONGEST4 if network.version == 4 else _LONGEST6):
                raise ValueError(f"{network} is too small for the gateway and a device")
        return self

    @property
    def own_addresses(self) -> tuple[IPv4Address | IPv6Address, ...]:
        """The gateway's own addresses within the tunnel: the first of each range."""
        return tuple(network[1] for network in self.ranges)

    def free_addresses(self, taken: frozenset[str]) -> Iterator[IPv4Address | IPv6Address]:
        """Give an address of each range that nobody has.

        Args:
            taken: those that somebody has, in their one form.

        Raises:
            ValueError: when a range has none left.
        """
        for network in self.ranges:
            last = 1 if network.version == 6 else 2
            for number in range(2, min(network.num_addresses, len(taken) + 4)):
                # The last of IPv4 is everybody's.
                is_usable = number <= network.num_addresses - last
                if is_usable and str(network[number]) not in taken:
                    yield network[number]
                    break
            else:
                raise ValueError(f"{network} has no address left")
