"""Addresses inside addresses: what a translator, a cache or an image proxy is asked to fetch.

Such a service is a carrier: the page comes under its name, and is judged by the address inside as well.
Every reading that the service may have is given; the stricter one holds, so that a reading too many
closes and never opens.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, unquote_plus

from schoolgate.core.categories import ListEntry
from schoolgate.core.errors import BadAddressError
from schoolgate.core.index import SiteIndex
from schoolgate.core.urls import Url, parse_url

# Nobody needs the translation of the copy of a translation.
MOST_DEEP = 3
MOST_INNER = 12

_LONGEST = 4096
# How Google Translate is told what a name began with that was too long for a label.
_PREFIX_PARAMETER = "_x_tr_hp"
_HAS_SCHEME = re.compile(r"(https?):/*", re.IGNORECASE)
# What begins like the name of a site: labels with a dot between them, then a port, a path or the end.
_LIKE_A_HOST = re.compile(r"[^\s/?#:@]+\.[^\s/?#:@]+(?:[:/?#]|$)")
# What Google's cache was asked for: cache:<id>:<address>.
_CACHE_ID = re.compile(r"cache:(?:[A-Za-z0-9_-]{12}:)?")


@dataclass(frozen=True, slots=True)
class Carrier:
    """A service that shows pages of others under its own name.

    Attributes:
        id: as the table names it.
        title: for people.
        hosts: where it is.
        query: parameters that hold the address inside.
        paths: what stands before it in the path, e.g. ``/web/{any}/``, where ``{any}`` is one segment and
            ``{scheme}`` is ``http`` or ``https``.
        labels: whether it stands in the name itself, dots written as ``-`` and ``-`` as ``--``.
    """

    id: str
    title: str
    hosts: tuple[ListEntry, ...]
    query: frozenset[str] = frozenset()
    paths: tuple[str, ...] = ()
    labels: bool = False

    @property
    def condition(self) -> str:
        """The pseudo-category of its hosts."""
        return f"carrier:{self.id}"

    def inner(self, url: Url) -> Iterator[Url]:
        """Give every address that a URL of this service may be about.

        Raises:
            BadAddressError: when it holds one that does not parse.
        """
        if self.labels:
            yield from self._in_name(url)
        for pattern in self.paths:
            # A path that is encoded is decoded by the service, or by the site inside.
            for path in dict.fromkeys((url.path, unquote(url.path))):
                found = _prefix(pattern).match(path)
                if found is not None:
                    scheme = found.groupdict().get("scheme") or "https"
                    yield from _addresses(path[found.end() :], url.query, scheme)
        if self.query:
            yield from self._in_query(url.query)

    def _in_name(self, url: Url) -> Iterator[Url]:
        for entry in self.hosts:
            if url.host.endswith("." + entry.host):
                label = url.host[: -len(entry.host) - 1].rpartition(".")[2]
                for name in _names_of(label, url.query):
                    if _LIKE_A_HOST.match(name):
                        yield from _parsed(f"https://{name}{url.path}", url.query)

    def _in_query(self, query: str) -> Iterator[Url]:
        # Some take all of the query for the address.
        whole = unquote(query)
        if _HAS_SCHEME.match(whole):
            yield from _addresses(whole, "", "https")
        # Servers differ in what they take for the end of a parameter.
        for part in re.split("[&;]", query):
            name, equals, value = part.partition("=")
            if equals and unquote_plus(name).strip().lower() in self.query:
                text = _CACHE_ID.sub("", unquote_plus(value).strip(), count=1)
                for written in dict.fromkeys((text, unquote(text))):
                    yield from _addresses(written, "", "https")


class Carriers:
    """The carriers of a policy, found by a host.

    Args:
        carriers: of the policy.
        sites: the index in which the hosts of each are under its condition.
    """

    def __init__(self, carriers: Iterable[Carrier], sites: SiteIndex) -> None:
        self._by_condition = {carrier.condition: carrier for carrier in carriers}
        self._sites = sites
        self._by_set: dict[int, tuple[Carrier, ...]] = {}

    def at(self, host: str) -> tuple[Carrier, ...]:
        """Give the carriers that a host belongs to; nearly always none."""
        if not self._by_condition:
            return ()
        set_id = self._sites.get(host)
        known = self._by_set.get(set_id)
        if known is None:
            known = self._by_set[set_id] = self.named(self._sites.categories(set_id))
        return known

    def named(self, conditions: Iterable[str]) -> tuple[Carrier, ...]:
        """Give those of some pseudo-categories."""
        known = self._by_condition
        return tuple(known[name] for name in conditions if name in known)


def inner_urls(
    url: Url, carriers_of: Callable[[str], tuple[Carrier, ...]]
) -> tuple[Url, ...] | None:
    """Give every address inside a URL, and inside those, each once.

    Args:
        url: of a request.
        carriers_of: gives the carriers that a host belongs to.

    Returns:
        None where they lie deeper than anybody needs.

    Raises:
        BadAddressError: when one of them does not parse.
    """
    found: dict[Url, None] = {}
    layer = [url]
    for _ in range(MOST_DEEP + 1):
        layer = [
            inner
            for outer in layer
            for carrier in carriers_of(outer.host)
            for inner in carrier.inner(outer)
            if inner not in found and inner != url
        ]
        if not layer:
            return tuple(found)
        found.update(dict.fromkeys(layer))
        if len(found) > MOST_INNER:
            return None
    return None


def _names_of(label: str, query: str) -> Iterator[str]:
    """Give every name that a label may stand for.

    It may be the rest of the name alone, whose beginning is in the query, and may say by a first
    ``0-`` or ``1-`` that it was written otherwise, as a name of another script is.
    """
    begins = [value for name, value in parse_qsl(query) if name == _PREFIX_PARAMETER]
    for written in dict.fromkeys((label, *(f"{begin}{label}" for begin in begins))):
        plain = written.replace("--", "\0").replace("-", ".").replace("\0", "-")
        yield plain
        if plain.startswith(("0.", "1.")):
            yield plain[2:]
            yield f"xn--{plain[2:]}"


def _prefix(pattern: str) -> re.Pattern[str]:
    known = _PREFIXES.get(pattern)
    if known is None:
        written = re.escape(pattern).replace(r"\{any\}", "[^/]*")
        known = re.compile(written.replace(r"\{scheme\}", "(?P<scheme>https?)"), re.IGNORECASE)
        # As many as the table has.
        _PREFIXES[pattern] = known
    return known


_PREFIXES: dict[str, re.Pattern[str]] = {}


def _addresses(text: str, query: str, scheme: str) -> Iterator[Url]:
    """Give the address that a text is, if it looks like one."""
    text = text[:_LONGEST].lstrip("/ ")
    with_scheme = _HAS_SCHEME.match(text)
    if with_scheme is not None:
        yield from _parsed(f"{with_scheme[1].lower()}://{text[with_scheme.end() :]}", query)
    elif _LIKE_A_HOST.match(text):
        yield from _parsed(f"{scheme}://{text}", query, is_certain=False)


def _parsed(text: str, query: str, *, is_certain: bool = True) -> Iterator[Url]:
    try:
        url = parse_url(f"{text}?{query}" if query and "?" not in text else text)
    except BadAddressError:
        if is_certain:
            raise
        return
    if url.is_web:
        yield url
