"""Host names and addresses in one form, by the WHATWG URL rules; what does not parse is refused."""

import ipaddress
import re
from collections.abc import Sequence
from functools import lru_cache

import ada_url

from schoolgate.core.errors import BadAddressError

type IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
type IpNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network

# A URL parser would take these as the end of the host, as userinfo or as a port, or drop them
# silently, so a bare host that holds one is not a host.
_NOT_IN_A_HOST = re.compile(r"[\x00-\x20/\\?#@<>\x7f]")
# A name has 253 characters (RFC 1035, 2.3.4); escaped or in another script it is longer.
_LONGEST_RAW = 1024
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")  # RFC 6052, the well-known prefix
# Not on the public internet either, but unknown to the standard library or deprecated.
_ALSO_PRIVATE = tuple(
    ipaddress.IPv6Network(network)
    for network in (
        "3fff::/20",  # documentation, RFC 9637
        "5f00::/16",  # segment routing, RFC 9602
        "fec0::/10",  # site-local, RFC 3879
        "::/96",  # IPv4-compatible, RFC 4291
        "::ffff:0:0:0/96",  # IPv4-translated, RFC 2765
    )
)


def normalise_host(raw: str) -> str:
    """Give a host as every comparison here expects it: lower case, punycode, no root dot.

    IPv4 in any spelling (hex, octal, decimal, short) becomes dotted decimal and IPv6 its shortest
    form in brackets, as the WHATWG URL standard (section 3.5, host parsing) says.

    Args:
        raw: a host without port, as it stood in a URL, a Host header or an SNI; IPv6 with or
            without brackets.

    Raises:
        BadAddressError: when it is no host.
    """
    if len(raw) > _LONGEST_RAW:
        # Before it is kept: a cache of long names has no end.
        raise BadAddressError(f"{raw[:200]!r} is not a host name: it is too long")
    return _normalised(raw)


@lru_cache(maxsize=16_384)
def _normalised(raw: str) -> str:
    if not raw or _NOT_IN_A_HOST.search(raw):
        raise BadAddressError(f"{raw[:200]!r} is not a host name")
    bracketed = f"[{raw}]" if raw.count(":") > 1 and not raw.startswith("[") else raw
    if ":" in bracketed and not (bracketed.startswith("[") and bracketed.endswith("]")):
        raise BadAddressError(f"{raw[:200]!r} is not a host name: a port does not belong here")
    try:
        host = ada_url.URL(f"https://{bracketed}/").hostname
    except ValueError as error:
        raise BadAddressError(f"{raw[:200]!r} is not a host name") from error
    host = without_root_dot(host)
    if host.endswith("."):
        raise BadAddressError(f"{raw[:200]!r} is not a host name: it ends in an empty label")
    return host


def without_root_dot(host: str) -> str:
    """Drop the dot of a fully qualified name (``example.com.`` is ``example.com``, RFC 1034, 3.1)."""
    return host[:-1] if len(host) > 1 and host.endswith(".") else host


def as_ip(host: str) -> IpAddress | None:
    """Give the address that a normalised host is, or None for a name."""
    try:
        return ipaddress.ip_address(host.strip("[]").partition("%")[0])
    except ValueError:
        return None


def embedded_ipv4(address: IpAddress) -> IpAddress:
    """Give the IPv4 address that an IPv6 one carries (mapped, NAT64, 6to4), or the address."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address.sixtofour is not None:
            return address.sixtofour
        if address in _NAT64:
            return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    return address


def is_private(address: IpAddress, allowed: Sequence[IpNetwork] = ()) -> bool:
    """Ask whether an address is not on the public internet (IANA special-purpose registries).

    Args:
        address: where a connection would go.
        allowed: networks that the configuration opens although they are private.
    """
    if any(address in network for network in allowed if network.version == address.version):
        return False
    real = embedded_ipv4(address)
    if real is not address:
        return is_private(real, allowed)
    return (
        not address.is_global
        or address.is_multicast
        or any(
            address in network for network in _ALSO_PRIVATE if network.version == address.version
        )
    )
