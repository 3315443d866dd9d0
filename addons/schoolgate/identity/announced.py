"""The client behind a load balancer that says so before anything else: the PROXY protocol, versions 1 and 2.

(haproxy.org, The PROXY protocol, sections 2.1 and 2.2.) Only listed machines are believed, and they must
speak it: what comes from them without it has no client, and ends.
"""

import re
import socket
from typing import NamedTuple

from schoolgate.core.errors import BadAddressError
from schoolgate.core.people import LoadBalancers
from schoolgate.core.prefixes import Prefixes, client_address, parsed_address

_V1 = re.compile(
    rb"PROXY (?:(UNKNOWN)(?: [ -~]*)?"
    rb"|(TCP4|TCP6) ([0-9A-Fa-f.:]+) ([0-9A-Fa-f.:]+) ([0-9]{1,5}) ([0-9]{1,5}))\r\n"
)
_LAST_PORT = 65_535
_V1_LONGEST = 107
_V2 = b"\r\n\r\n\x00\r\nQUIT\n"
_V2_HEAD = 16
# Addresses and what else it has to say: more is no load balancer's.
MAX_ANNOUNCEMENT_BYTES = 2048
_LOCAL, _PROXIED = 0x20, 0x21
_TCP4, _TCP6 = 0x11, 0x21


class NoAnnouncementError(ValueError):
    """These bytes are not the beginning of a connection that a load balancer announces."""


class Announcement(NamedTuple):
    """Who comes.

    Attributes:
        client: its address in its one form; "" where the load balancer speaks for itself, or does not
            say.
        size: bytes of the announcement.
    """

    client: str
    size: int


class Announcers:
    """The load balancers that announce who comes, compiled once."""

    def __init__(self, load_balancers: LoadBalancers) -> None:
        self._listed = Prefixes((network, True) for network in load_balancers.ranges)

    def announces(self, peer: str) -> bool:
        """Ask whether an address is one of theirs."""
        try:
            return self._listed.longest(parsed_address(client_address(peer))) is not None
        except BadAddressError:
            return False


def read_announcement(data: bytes) -> Announcement | None:
    """Read what a connection begins with; None while it is not whole.

    Raises:
        NoAnnouncementError: when it is none.
    """
    if data.startswith(_V2[: len(data)]):
        return _second(data)
    if data.startswith(b"PROXY "[: len(data)]):
        return _first(data)
    raise NoAnnouncementError("no PROXY protocol")


def _first(data: bytes) -> Announcement | None:
    if b"\r\n" not in data[:_V1_LONGEST]:
        if len(data) >= _V1_LONGEST:
            raise NoAnnouncementError("a line that is too long")
        return None
    found = _V1.match(data[:_V1_LONGEST])
    if found is None:
        raise NoAnnouncementError("a line that cannot be read")
    if found[1]:
        return Announcement("", found.end())
    is_ipv6 = found[2] == b"TCP6"
    if (b":" in found[3], b":" in found[4]) != (is_ipv6, is_ipv6):
        raise NoAnnouncementError("an address of another family")
    if max(int(found[5]), int(found[6])) > _LAST_PORT:
        raise NoAnnouncementError("a port that is none")
    _address(found[4].decode("ascii"))
    return Announcement(_address(found[3].decode("ascii")), found.end())


def _second(data: bytes) -> Announcement | None:
    if len(data) < _V2_HEAD:
        return None
    command, kind, size = data[12], data[13], int.from_bytes(data[14:16])
    if _V2_HEAD + size > MAX_ANNOUNCEMENT_BYTES:
        raise NoAnnouncementError("an announcement that is too long")
    if len(data) < _V2_HEAD + size:
        return None
    if command == _LOCAL:
        return Announcement("", _V2_HEAD + size)
    if command != _PROXIED:
        raise NoAnnouncementError("another version, or another command")
    body = data[_V2_HEAD : _V2_HEAD + size]
    if kind == _TCP4 and size >= 12:
        return Announcement(_address(socket.inet_ntop(socket.AF_INET, body[:4])), _V2_HEAD + size)
    if kind == _TCP6 and size >= 36:
        return Announcement(_address(socket.inet_ntop(socket.AF_INET6, body[:16])), _V2_HEAD + size)
    raise NoAnnouncementError("no TCP")


def _address(text: str) -> str:
    try:
        return client_address(text)
    except BadAddressError as error:
        raise NoAnnouncementError("an address that is none") from error
