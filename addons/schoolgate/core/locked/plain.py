"""A list of addresses in the clear, looked up host by host and then by path and query."""

import hashlib
from collections.abc import Iterable
from typing import NamedTuple

from schoolgate.core.errors import BadAddressError
from schoolgate.core.locked.addresses import folded_pieces, hosts_around, paths_around
from schoolgate.core.urls import (
    Url,
    comparable_path,
    has_one_reading,
    parse_web_url,
    path_readings,
)

type _Queries = list[frozenset[str]]
type _Pages = dict[str, _Queries]
# Any query will do.
_ANY: frozenset[str] = frozenset()


class Page(NamedTuple):
    """One entry: a host or a part of it with all below it, or one page by its query.

    Attributes:
        host: normalised; what lies below it is meant, too.
        path: comparable; ``/`` for the whole site.
        query: parameters that a page must have, in any order; empty for any.
    """

    host: str
    path: str
    query: frozenset[str] = _ANY

    @classmethod
    def parse(cls, line: str) -> "Page":
        """Read a URL, ``host/path`` or host; scheme, port, user and fragment are not compared.

        Raises:
            BadAddressError: when it is none.
        """
        url = parse_web_url(line.removeprefix("*."))
        if "*" in url.host:
            raise BadAddressError("a wildcard is no host")
        # Of most paths there is one reading, which costs a fraction; a list has many thousands.
        is_plain = has_one_reading(url.path)
        path = url.path.casefold().rstrip("/") or "/" if is_plain else comparable_path(url.path)
        return cls(url.host, path, frozenset(folded_pieces(url.query)) if url.query else _ANY)

    @property
    def is_site(self) -> bool:
        """Whether a whole site is meant."""
        return self.path == "/" and not self.query

    @property
    def proof(self) -> str:
        """What is said of it in its place: the beginning of a hash."""
        text = f"{self.host}{self.path}?{'&'.join(sorted(self.query))}"
        return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16]


class PlainEntries:
    """Entries in the clear, compiled once.

    Args:
        pages: the entries.
    """

    reads_everywhere = False

    def __init__(self, pages: Iterable[Page]) -> None:
        self._hosts: dict[str, _Pages] = {}
        self._count = 0
        for page in pages:
            pages_of = self._hosts.get(page.host)
            if pages_of is None:
                pages_of = self._hosts[page.host] = {}
            queries = pages_of.setdefault(page.path, [])
            if page.query not in queries:
                queries.append(page.query)
                self._count += 1

    def __len__(self) -> int:
        """How many different entries there are."""
        return self._count

    def find(self, url: Url) -> str | None:
        """Give the proof of an entry that covers a URL in any reading, or None."""
        for host in hosts_around(url.host):
            pages = self._hosts.get(host)
            if pages is not None:
                found = _covering(host, pages, url)
                if found is not None:
                    return found.proof
        return None

    def has_parts(self, host: str) -> bool:
        """Ask whether a part of a host is listed."""
        return any(above in self._hosts for above in hosts_around(host))


def _covering(host: str, pages: _Pages, url: Url) -> Page | None:
    for reading in path_readings(url.path):
        # An origin that decodes first finds a query in what others take for a path.
        path, _, inside = reading.partition("?")
        asked: frozenset[str] | None = None
        for above in paths_around(path or "/"):
            for query in pages.get(above, ()):
                if not query:
                    return Page(host, above)
                if above != (path or "/"):
                    continue
                if asked is None:
                    asked = frozenset((*folded_pieces(url.query), *folded_pieces(inside)))
                if query <= asked:
                    return Page(host, above, query)
    return None
