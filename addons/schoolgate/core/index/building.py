"""Builds the site index from what the lists say, natively where that was built."""

import re
import struct
from array import array
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from schoolgate.core.canaries import FEED as CANARIES
from schoolgate.core.categories import ListEntry
from schoolgate.core.errors import BadAddressError
from schoolgate.core.index import plain_builder
from schoolgate.core.index.layout import (
    PATHS_FEED,
    PATHS_MARK,
    REACH_BELOW,
    REACH_HOST,
    REACHES,
    TAG_BITS,
    Parts,
    assemble,
)
from schoolgate.core.index.native import crc32, native_module, use_native
from schoolgate.core.index.sites import REACH_OF, SiteIndex, read_index

# With 39 bits a second try is needed once in ten thousand builds of eight million names.
_TRIES = 8
_COMMENT = re.compile(r"(?:^|\s)#")
_WITH_PATH = re.compile(rb"^(=|\*\.)?([^\s#/]+)/", re.MULTILINE)
_REACHES = {b"": 0, b"=": REACH_HOST, b"*.": REACH_BELOW}
_MASK = (1 << 64) - 1
_NEXT_SEED = 0xA0761D6478BD642F


@dataclass(frozen=True, slots=True)
class Source:
    """A text of one list: entries of one feed for one category, one a line.

    Attributes:
        name: what a refused line is named by, e.g. the file's path.
        category: id.
        feed: id.
        read: gives the text; called again when a build starts again.
    """

    name: str
    category: str
    feed: str
    read: Callable[[], bytes]


@dataclass(frozen=True, slots=True)
class Refused:
    """A line that is no entry, and why; lines count from 1."""

    source: str
    line: int
    message: str


@dataclass(frozen=True, slots=True)
class Built:
    """A finished index.

    Attributes:
        pieces: the file, to be written one after the other.
        refused: lines that are not in it.
        names: number of distinct hosts and paths that are listed.
        counts: category → names.
    """

    pieces: list[bytes]
    refused: tuple[Refused, ...]
    names: int
    counts: dict[str, int]

    @property
    def size_bytes(self) -> int:
        """The size of the file."""
        return sum(map(len, self.pieces))


def build_index(
    entries: Iterable[ListEntry] = (),
    sources: Sequence[Source] = (),
    *,
    seed: int,
    opening: Collection[str] = (),
    catalogue: Mapping[str, Any] | None = None,
    categories: Collection[str] = (),
    native: bool | None = None,
    tag_bits: int = TAG_BITS,
    added: Callable[[Source], None] = lambda _: None,
) -> Built:
    """Build an index.

    Args:
        entries: entries in their one form.
        sources: texts of lists.
        seed: a random number of 64 bits; who knows it can look for names that collide.
        opening: categories whose entries open a site rather than close it; these must cover a path
            in every reading that an origin may give it.
        catalogue: what the file is to say of itself to those who read it, as JSON.
        categories: ids that exist, whether or not anything is listed under them.
        native: whether the native builder works; None takes it where it was built.
        tag_bits: of the fingerprints; fewer only in tests of collisions.
        added: called after each source.

    Raises:
        OverflowError: when there is more than the format can hold.
    """
    entries = list(entries)
    named = {entry.category for entry in entries} | {source.category for source in sources}
    names = sorted(named | set(categories))
    for _ in range(_TRIES):
        build = _Build(names, seed, tag_bits, use_native(native))
        try:
            for entry in entries:
                build.add_entry(entry)
            for source in sources:
                build.add_source(source)
                added(source)
            parts = build.finish()
        except build.collision:
            seed = (seed + _NEXT_SEED) & _MASK
            continue
        return build.built(parts, seed, sorted(opening), dict(catalogue or {}))
    raise OverflowError(f"{_TRIES} seeds made two names share a fingerprint of {tag_bits} bits")


def index_of(
    entries: Iterable[ListEntry], opening: Collection[str] = (), seed: int = 0
) -> SiteIndex:
    """Give an index of a few entries, in memory."""
    return read_index(b"".join(build_index(entries, seed=seed, opening=opening).pieces))


@dataclass
class _Build:
    """One try with one seed."""

    names: list[str]
    seed: int
    tag_bits: int
    native: bool
    feeds: dict[str, int] = field(default_factory=dict)
    pairs: dict[tuple[int, int], int] = field(default_factory=dict)
    refused: list[Refused] = field(default_factory=list)

    def __post_init__(self) -> None:
        module = native_module if self.native else plain_builder
        self._builder = module.Builder(self.seed, self.tag_bits)
        self.collision: type[ValueError] = module.CollisionError
        self._numbers = {name: number for number, name in enumerate(self.names)}

    def add_entry(self, entry: ListEntry) -> None:
        """Add an entry."""
        path = "" if entry.path == "/" else entry.path.casefold()
        host, reach = entry.host.lower().encode(), REACH_OF.index(entry.reach)
        claim = self._pair(entry.category, entry.feed) * REACHES + reach
        self._builder.add_one(host, path.encode(), claim)
        if path:
            self._mark_paths(host, entry.category, reach)

    def add_source(self, source: Source) -> None:
        """Add every line of a source; those in another form are brought into it or refused."""
        text = source.read()
        line, counted = 1, 0
        refused = self._builder.add(text, self._pair(source.category, source.feed))
        self._mark_all(text, source.category, {start for start, _ in refused})
        for start, end in refused:
            line += text.count(b"\n", counted, start)
            counted = start
            try:
                written = _COMMENT.split(text[start:end].decode(), maxsplit=1)[0].strip()
                if written:
                    self.add_entry(
                        _of_a_site(ListEntry.parse(written, source.category, source.feed))
                    )
            except (BadAddressError, UnicodeDecodeError) as error:
                self.refused.append(Refused(source.name, line, str(error)))

    def _mark_all(self, text: bytes, category: str, refused: Collection[int]) -> None:
        """Note the hosts that a source lists with a path in lines that were taken as they stand."""
        if b"/" not in text:
            return
        marked = {
            (found[2], _REACHES[found[1] or b""])
            for found in _WITH_PATH.finditer(text)
            if found.start() not in refused
        }
        for host, reach in sorted(marked):
            self._mark_paths(host, category, reach)

    def _mark_paths(self, host: bytes, category: str, reach: int) -> None:
        """Note that parts of a host are listed (`layout`)."""
        claim = self._pair(category, PATHS_FEED) * REACHES + reach
        self._builder.add_one(host, PATHS_MARK, claim)

    def finish(self) -> Parts:
        """Lay everything out."""
        parts = self._builder.finish(array("H", (category for category, _ in self.pairs)).tobytes())
        return parts if isinstance(parts, Parts) else Parts(*parts)

    def built(
        self, parts: Parts, seed: int, opening: list[str], catalogue: dict[str, Any]
    ) -> Built:
        """Put the file together."""
        pairs = list(self.pairs)
        entries = names = 0
        counts = Counter(dict.fromkeys(self.names, 0))
        feeds = list(self.feeds)
        feed_counts = Counter({feed: 0 for feed in feeds if feed not in (PATHS_FEED, CANARIES)})
        marks = self.feeds.get(PATHS_FEED)
        for claims, nodes in _claims_of_rows(parts):
            every = [pairs[claim // REACHES] for claim in claims]
            listed = [pair for pair in every if pair[1] != marks]
            if listed and all(feeds[feed] == CANARIES for _, feed in listed):
                # Test sites of the gateway's own are no sites that anybody needs to know of.
                continue
            entries += nodes * len(listed)
            names += nodes if listed else 0
            for category in {category for category, _ in listed}:
                counts[self.names[category]] += nodes
            for feed in {feed for _, feed in listed}:
                feed_counts[feeds[feed]] += nodes
        about = {
            "categories": self.names,
            "feeds": feeds,
            "pairs": pairs,
            "opening": opening,
            "counts": counts,
            "feed_counts": feed_counts,
            "names": names,
            "marks_paths": True,
            "catalogue": catalogue,
        }
        pieces = assemble(parts, seed, self.tag_bits, entries, about, crc32)
        return Built(pieces, tuple(self.refused), names, dict(counts))

    def _pair(self, category: str, feed: str) -> int:
        key = (self._numbers[category], self.feeds.setdefault(feed, len(self.feeds)))
        return self.pairs.setdefault(key, len(self.pairs))


def _of_a_site(entry: ListEntry) -> ListEntry:
    """Give an entry of others' lists, if it is not about everybody below a bare label."""
    if "." not in entry.host and not entry.host.startswith("["):
        raise BadAddressError(
            f"{entry.host!r} is a bare label: it would cover a whole country or word"
        )
    return entry


def _claims_of_rows(parts: Parts) -> Iterator[tuple[Sequence[int], int]]:
    """Give the claims of each row and how many nodes have it."""
    ends, members = (
        memoryview(parts.claim_ends).cast("I"),
        memoryview(parts.claim_members).cast("I"),
    )
    for (_, _, number, _), (nodes,) in zip(
        struct.iter_unpack("=4I", parts.rows),
        struct.iter_unpack("=I", parts.row_counts),
        strict=True,
    ):
        start = ends[number - 1] if number else 0
        yield members[start : ends[number]], nodes
