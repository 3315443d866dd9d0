"""What is on a site: categories, the entries that list it, and the suffix trie that finds them."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from schoolgate.core.errors import BadAddressError
from schoolgate.core.hosts import labels_from_right, normalise_host
from schoolgate.core.urls import comparable_path, path_covers, path_readings


@dataclass(frozen=True, slots=True)
class Category:
    """A kind of site, in words that a parent understands.

    Attributes:
        id: stable name (CONTRACT: category ids), e.g. ``gambling``.
        protected: must never be blocked by mistake (help lines, health, schools, government).
        public_suffixes: whole public suffixes (``github.io``, ``ac.uk``) are meant here.
        feeds: ids of the public feeds that extend it.
    """

    id: str
    title: str
    description: str
    protected: bool = False
    public_suffixes: bool = False
    feeds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ListEntry:
    """One line of a list: a host with everything below it, or a path of a host.

    Attributes:
        host: normalised host.
        path: comparable path, ``/`` for the whole site.
        category: id of the category that it puts the site in.
        feed: where the line comes from, e.g. ``curated``.
    """

    host: str
    path: str
    category: str
    feed: str

    @property
    def text(self) -> str:
        """The entry as it stands in a list: ``example.com`` or ``example.com/path``."""
        return self.host + (self.path if self.path != "/" else "")

    @classmethod
    def parse(cls, text: str, category: str, feed: str) -> "ListEntry":
        """Read ``host`` or ``host/path``.

        Raises:
            BadAddressError: when the host part is no host, or something else stands there too.
        """
        host, slash, path = text.partition("/")
        if ":" in host and not host.startswith("["):
            raise BadAddressError(f"{text!r} has a scheme or a port; write only host or host/path")
        if "*" in host or "?" in path or "#" in path:
            raise BadAddressError(f"{text!r} has a wildcard or a query, which are never compared")
        return cls(normalise_host(host), comparable_path(slash + path), category, feed)


@dataclass(slots=True)
class _Node:
    children: dict[str, "_Node"] = field(default_factory=dict)
    entries: list[ListEntry] = field(default_factory=list)


class DomainTrie:
    """Every listed host, walked label by label from the right.

    ``example.com`` covers itself and ``www.example.com``, never ``notexample.com``; a path entry
    covers its path and what is below it. A URL is in the union of the categories of all entries
    that cover it. Equal unions share one small integer, the set id, so that a policy can compile
    a table from set id to decision. Immutable once built; replaced whole.

    Args:
        entries: what is listed.
        opening: asks whether entries of a category open a site rather than close it; these must
            cover a path in every reading that an origin may give it.
    """

    def __init__(
        self, entries: Iterable[ListEntry], opening: Callable[[str], bool] = lambda _: False
    ) -> None:
        self._root = _Node()
        self._opening = opening
        self._size = 0
        self._sets: list[tuple[str, ...]] = [()]
        self._set_ids: dict[frozenset[str], int] = {frozenset(): 0}
        for entry in entries:
            self._add(entry)

    def __len__(self) -> int:
        """The number of distinct entries."""
        return self._size

    def get(self, host: str, path: str = "/") -> int:
        """Give the id of the set of categories that a normalised host (and path) is in; 0 for none."""
        return self._intern(frozenset(entry.category for entry in self._covering(host, path)))

    def get_many(self, hosts: Sequence[str]) -> list[int]:
        """Give the set id of each host."""
        return [self.get(host) for host in hosts]

    def categories(self, set_id: int) -> tuple[str, ...]:
        """Give the category ids, sorted, that a set id stands for."""
        return self._sets[set_id]

    def entries(self, host: str, path: str = "/") -> list[ListEntry]:
        """Give the evidence: every entry that covers a host and path, the most specific first."""
        found = self._covering(host, path)
        return sorted(found, key=lambda entry: (len(entry.host), len(entry.path)), reverse=True)

    def _covering(self, host: str, path: str) -> list[ListEntry]:
        node = self._root
        found: list[ListEntry] = []
        for label in labels_from_right(host):
            child = node.children.get(label)
            if child is None:
                break
            node = child
            found.extend(node.entries)
        if any(entry.path != "/" for entry in found):
            readings = path_readings(path)
            found = [entry for entry in found if self._covers(entry, readings)]
        return found

    def _covers(self, entry: ListEntry, readings: frozenset[str]) -> bool:
        whole = all if self._opening(entry.category) else any
        return whole(path_covers(entry.path, reading) for reading in readings)

    def _add(self, entry: ListEntry) -> None:
        node = self._root
        for label in labels_from_right(entry.host):
            node = node.children.setdefault(label, _Node())
        if entry not in node.entries:
            node.entries.append(entry)
            self._size += 1

    def _intern(self, categories: frozenset[str]) -> int:
        set_id = self._set_ids.get(categories)
        if set_id is None:
            set_id = len(self._sets)
            self._sets.append(tuple(sorted(categories)))
            self._set_ids[categories] = set_id
        return set_id


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All categories and the trie over their entries, with a version that changes with the content."""

    categories: dict[str, Category]
    trie: DomainTrie
    counts: dict[str, int]
    version: str
