"""Where a redirected connection was going before the gateway's packet filter turned it here."""

import socket
import struct
from typing import NamedTuple

# linux/netfilter_ipv4.h and linux/netfilter_ipv6/ip6_tables.h; both are 80.
SO_ORIGINAL_DST = IP6T_SO_ORIGINAL_DST = 80
_SOL_IPV6 = 41
# struct sockaddr_in and struct sockaddr_in6.
_IPV4, _IPV6 = struct.Struct("=H2s4s8x"), struct.Struct("=H2sI16sI")


class Place(NamedTuple):
    """An address and a port.

    Attributes:
        address: of IPv4 or IPv6, as text.
        port: of TCP.
    """

    address: str
    port: int


def original_destination(connection: socket.socket) -> Place:
    """Give where a client connected to; the address is its choice, and nothing may rest on it.

    Raises:
        OSError: when the connection was not redirected, or came straight to the port that those are
            redirected to.
    """
    if connection.family == socket.AF_INET6:
        raw = connection.getsockopt(_SOL_IPV6, IP6T_SO_ORIGINAL_DST, _IPV6.size)
        _, port, _, packed, _ = _IPV6.unpack(raw)
        found = Place(socket.inet_ntop(socket.AF_INET6, packed), int.from_bytes(port))
    else:
        raw = connection.getsockopt(socket.SOL_IP, SO_ORIGINAL_DST, _IPV4.size)
        _, port, packed = _IPV4.unpack(raw)
        found = Place(socket.inet_ntop(socket.AF_INET, packed), int.from_bytes(port))
    if found.port == connection.getsockname()[1]:
        # Whatever it asks for, it would come here again.
        raise ConnectionRefusedError("the connection was not redirected")
    return found
