"""Hosts files (hosts(5)): an address that leads nowhere, and the names that are to have it."""

from collections.abc import Iterable

from schoolgate.core.errors import BadAddressError
from schoolgate.lists.formats.lines import HOST, LineFormat, NotUsed, site, usual

_NOWHERE = frozenset({"0.0.0.0", "127.0.0.1", "::", "::1", "0", "255.255.255.255"})  # noqa: S104 - nothing is opened
# Every hosts file begins with them, and with names such as ip6-loopback.
_OF_THE_MACHINE = frozenset({"localhost", "localhost.localdomain", "local", "broadcasthost"})


def read(line: str) -> Iterable[str]:
    """Give the names of a line."""
    address, *names = line.partition("#")[0].split()
    if not names:
        raise BadAddressError(
            f"{address[:80]!r} stands alone, where an address and a name are expected"
        )
    if address not in _NOWHERE and not address.startswith(("ff", "fe80:")):
        raise BadAddressError(f"{address[:80]!r} leads somewhere: no list of sites to be closed")
    sites = [name for name in names if not _is_of_the_machine(name)]
    if not sites:
        raise NotUsed
    return [site(name) for name in sites]


def _is_of_the_machine(name: str) -> bool:
    return name in _OF_THE_MACHINE or name in _NOWHERE or name.startswith("ip6-")


HOSTS = LineFormat(usual(rb"(?:0\.0\.0\.0|127\.0\.0\.1)[ \t]++(" + HOST + rb")"), read)
