"""The client behind a load balancer: X-Forwarded-For, or Forwarded (RFC 7239), of listed ones alone.

Each hop appends who spoke to it, so that the list is true from the right for as far as the hops are
ours. The first from the right that is not one of ours is the client; what stands left of it is what
the client itself wrote, and is not looked at. Where the true part cannot be read, nobody knows who
asks: the address is "", the strictest group, and not the load balancer's own, which might be in a
network that may do more.
"""

import re
from collections.abc import Iterator, Sequence

from schoolgate.core.errors import BadAddressError
from schoolgate.core.people import ForwardedHeader, LoadBalancers
from schoolgate.core.prefixes import Prefixes, client_address, parsed_address

_LONGEST = 8192
_MOST_HOPS = 32
_IPV4_PORT = re.compile(r"([0-9.]{7,15})(?::[0-9]{1,5})?")
_IPV6_PORT = re.compile(r"\[([0-9A-Fa-f:.]{2,45})\](?::[0-9]{1,5})?")
# RFC 7239, 4: token "=" (token / quoted-string), as RFC 9110 defines them.
_PAIR = re.compile(
    r"[ \t]*([!#$%&'*+.^_`|~0-9A-Za-z-]+)="
    r"(?:([!#$%&'*+.^_`|~0-9A-Za-z-]+)|\"((?:[^\"\\\x00-\x08\x0a-\x1f\x7f]|\\[\t\x20-\x7e])*)\")[ \t]*"
)


class ForwardedBy:
    """The load balancers that are believed, compiled once."""

    def __init__(self, load_balancers: LoadBalancers) -> None:
        self._trusted = Prefixes((network, True) for network in load_balancers.ranges)
        self._read = (
            _x_forwarded_for
            if load_balancers.header is ForwardedHeader.X_FORWARDED_FOR
            else _forwarded
        )
        self.header = load_balancers.header.value

    def trusts(self, peer: str) -> bool:
        """Ask whether an address is a listed load balancer's."""
        try:
            return self._is_listed(client_address(peer))
        except BadAddressError:
            return False

    def client(self, peer: str, values: Sequence[str]) -> str:
        """Give the address of the client in its one form, or "" where it cannot be known.

        Args:
            peer: address that the connection came from.
            values: of every header named `header` of the request, in their order. Of anybody but a
                listed load balancer they are not read.
        """
        try:
            own = client_address(peer)
            if not self._is_listed(own):
                return own
            return self._nearest_stranger(values)
        except BadAddressError:
            return ""

    def _nearest_stranger(self, values: Sequence[str]) -> str:
        if not values or sum(map(len, values)) > _LONGEST:
            return ""
        address = ""
        for hops, hop in enumerate(self._read(", ".join(values))):
            if hops == _MOST_HOPS:
                return ""
            address = _node(hop)
            if not address or not self._is_listed(address):
                return address
        return address  # all of them are ours: a load balancer asks for itself

    def _is_listed(self, address: str) -> bool:
        return self._trusted.longest(parsed_address(address)) is not None


def _x_forwarded_for(text: str) -> Iterator[str]:
    """Give the hops from the right."""
    yield from (part.strip(" \t") for part in reversed(text.split(",")))


def _forwarded(text: str) -> Iterator[str]:
    """Give ``for=`` of each element from the right; a list with any fault has none that is true.

    A quoted text may hold commas, so the elements can be told apart from the left only, where the
    client may have written: an open quotation mark there would swallow what a load balancer added.
    """
    elements: list[str] = []
    at, found = 0, ""
    while at < len(text):
        pair = _PAIR.match(text, at)
        if pair is None:
            yield ""
            return
        if pair[1].lower() == "for":
            if found:
                yield ""
                return
            found = pair[2] if pair[3] is None else re.sub(r"\\(.)", r"\1", pair[3])
        at = pair.end()
        if at == len(text) or text[at] == ",":
            elements.append(found)
            found = ""
        elif text[at] != ";":
            yield ""
            return
        at += 1
    if text.endswith((",", ";")):
        yield ""
        return
    yield from reversed(elements)


def _node(text: str) -> str:
    """Give the address of a hop, with or without a port; "unknown" and "_hidden" have none."""
    found = _IPV4_PORT.fullmatch(text) or _IPV6_PORT.fullmatch(text)
    try:
        return client_address(found[1] if found else text) if text else ""
    except BadAddressError:
        return ""
