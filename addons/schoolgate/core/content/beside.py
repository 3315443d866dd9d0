"""The hosts that a page's tags name: where its parts come from, and where it links and leads to."""

import re
from collections.abc import Iterable
from functools import lru_cache

from turbohtml import Token

from schoolgate.core.errors import BadAddressError
from schoolgate.core.hosts import normalise_host, without_root_dot

# Looked at in a page, each for itself, so that a thousand links leave room for a script at the end.
MOST_LINKS, MOST_ASSETS = 60, 80
# Distinct hosts of each that are kept.
MOST_HOSTS = 30

# An address with a host (RFC 3986, 3.2), with what people put before it; the name ends before a port.
_HOST = re.compile(
    r"[\s\x00]*(?:(?:https?|wss?):)?//(?:[^/?#\\\s@]*@)?([^/?#\\\s:@]{1,253})", re.IGNORECASE
)
# What is longer is no name with a port (RFC 1035), and is not kept.
_LONGEST = 300
# A name that normalising would only make small: most are, and a page brings dozens that were never seen.
_PLAIN = re.compile(r"(?:[a-z0-9-]+\.)+[a-z][a-z0-9-]*\.?", re.IGNORECASE)
# As browsers read it: a number, and an address (HTML, 4.2.5.3).
_REFRESH = re.compile(r"\s*[\d.]*\s*[;,\s]\s*(?:url\s*=\s*)?[\"']?([^\"']*)", re.IGNORECASE)


class Beside:
    """Gathers them as the tags come; bounded whatever a page has.

    Attributes:
        assets: hosts of scripts, frames, pictures, icons and style sheets, in the order of the page.
        links: hosts of links.
    """

    def __init__(self) -> None:
        self._links: dict[str, None] = {}
        self._assets: dict[str, None] = {}
        self._links_left, self._assets_left = MOST_LINKS, MOST_ASSETS

    def link(self, token: Token) -> None:
        """Take the start of a link."""
        if self._links_left:
            self._links_left -= 1
            _keep(token.attr("href"), self._links)

    def asset(self, token: Token) -> None:
        """Take the start of what is fetched for the page."""
        if self._assets_left:
            self._assets_left -= 1
            _keep(token.attr("href" if token.tag == "link" else "src"), self._assets)

    @property
    def assets(self) -> list[str]:
        """Give the distinct hosts, normalised."""
        return _normalised(self._assets)

    @property
    def links(self) -> list[str]:
        """Give the distinct hosts, normalised."""
        return _normalised(self._links)


def host_of(address: str) -> str | None:
    """Give the host of an address as a page writes it; None for one of the page's own host, or for none."""
    found = _HOST.match(address)
    if found is None:
        return None
    if _PLAIN.fullmatch(found[1]):
        return without_root_dot(found[1].lower())
    try:
        return normalise_host(found[1])
    except BadAddressError:
        return None


def host_of_refresh(content: str) -> str | None:
    """Give the host to which a ``refresh`` leads, of a `meta` element or a header: ``0; url=https://…``."""
    found = _REFRESH.match(content)
    return host_of(found[1]) if found else None


def _keep(address: str | None, hosts: dict[str, None]) -> None:
    # Most addresses are of the page's own site and name no host.
    if address and "//" in address[:12] and len(hosts) < MOST_HOSTS:
        # As it stands there: what is read of it, is read once for all of the same host.
        hosts[address.split("/", 3)[2]] = None


def _normalised(hosts: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(host for host in map(_named, hosts) if host))


@lru_cache(maxsize=4096)
def _named(authority: str) -> str | None:
    """Give the host of what stands between the slashes of an address; pages share most of theirs."""
    return host_of(f"//{authority}") if len(authority) < _LONGEST else None
