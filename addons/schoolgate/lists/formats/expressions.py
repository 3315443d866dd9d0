"""Regular expressions of UT1; the index knows names, so only those that spell out hosts are used."""

import re
from collections.abc import Iterable

from schoolgate.lists.formats.lines import LineFormat, NotUsed, site, usual

# (^|\.)example\.com(/|$), and the like with several endings.
_HOSTS = re.compile(
    r"(?:\^|\(\^\|(?:\\\.|\[[\\.\-/]+\])\))"
    r"(?P<before>(?:[a-z0-9-]+\\\.)*[a-z0-9-]*)"
    r"(?:\((?P<names>[a-z0-9-]+(?:\|[a-z0-9-]+)*)\))?"
    r"(?P<after>(?:\\\.[a-z0-9-]+)*)"
    r"(?:\$|\(/\|\$\)|/)?$"
)


def read(line: str) -> Iterable[str]:
    """Give the sites that an expression spells out; any other is not used."""
    found = _HOSTS.match(line)
    if found is None:
        raise NotUsed
    names = (found["names"] or "").split("|")
    hosts = [f"{found['before']}{name}{found['after']}".replace("\\.", ".") for name in names]
    if not all("." in host.strip(".") for host in hosts):
        raise NotUsed
    return [site(host) for host in hosts]


# Nothing is taken as it stands.
EXPRESSIONS = LineFormat(usual(rb"((?!))"), read)
