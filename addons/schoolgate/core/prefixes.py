"""Client addresses in one form, and which of many networks holds one (the longest prefix)."""

import ipaddress
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from schoolgate.core.errors import BadAddressError
from schoolgate.core.hosts import IpAddress, IpNetwork

# The longest text of an address (39 characters, or 45 with an embedded IPv4) and a zone.
_LONGEST = 80


def client_address(raw: str) -> str:
    """Give the address of a client in its one form: shortest IPv6, no zone, mapped IPv4 as IPv4.

    A socket for both families shows an IPv4 client as ``::ffff:10.0.0.7``; it is the same client.

    Raises:
        BadAddressError: when it is no IP address.
    """
    return str(parsed_address(raw))


def parsed_address(raw: str) -> IpAddress:
    """Give what `client_address` gives, as a value.

    Raises:
        BadAddressError: when it is no IP address.
    """
    if len(raw) > _LONGEST:
        raise BadAddressError(f"{raw[:100]!r} is not an IP address")
    try:
        address = ipaddress.ip_address(raw.partition("%")[0])
    except ValueError as error:
        raise BadAddressError(f"{raw[:100]!r} is not an IP address") from error
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def network_in_one_form(network: IpNetwork) -> IpNetwork:
    """Give a network as `client_address` would write its addresses: mapped IPv4 as IPv4."""
    if isinstance(network, ipaddress.IPv6Network) and network.prefixlen >= 96:
        mapped = network.network_address.ipv4_mapped
        if mapped is not None:
            return ipaddress.IPv4Network((int(mapped), network.prefixlen - 96))
    return network


class Prefixes[T]:
    """An immutable table from networks to what belongs to them.

    One dictionary for each length of prefix that occurs, asked from the longest to the shortest:
    a look-up costs as many dictionary accesses as there are different lengths, however many
    networks there are.
    """

    __slots__ = ("_by_length", "_count")

    def __init__(self, entries: Iterable[tuple[IpNetwork, T]]) -> None:
        """Build the table; of two entries for one network the first stays."""
        tables: dict[tuple[int, int], dict[int, T]] = {}
        count = 0
        for raw, value in entries:
            network = network_in_one_form(raw)
            bits = network.max_prefixlen - network.prefixlen
            table = tables.setdefault((network.version, bits), {})
            table.setdefault(int(network.network_address) >> bits, value)
            count += 1
        self._count = count
        self._by_length: Mapping[int, tuple[tuple[int, dict[int, T]], ...]] = MappingProxyType(
            {
                version: tuple(
                    (bits, tables[v, bits]) for v, bits in sorted(tables) if v == version
                )
                for version in (4, 6)
            }
        )

    def __len__(self) -> int:
        """Give how many entries were handed in."""
        return self._count

    def longest(self, address: IpAddress) -> T | None:
        """Give what belongs to the smallest network that holds an address, or None."""
        number = int(address)
        for bits, table in self._by_length[address.version]:
            found = table.get(number >> bits)
            if found is not None:
                return found
        return None
