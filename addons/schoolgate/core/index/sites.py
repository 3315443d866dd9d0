"""The site index in use: from a host and a path to categories, and from a match to its evidence."""

import threading
from collections.abc import Buffer, Iterable, Iterator
from typing import Any

from schoolgate.core.categories import ListEntry, Reach
from schoolgate.core.errors import DamagedIndexError
from schoolgate.core.index import plain_reader
from schoolgate.core.index.layout import (
    PATHS_MARK,
    REACHES,
    Header,
    read_about,
    read_header,
    section,
    verify,
)
from schoolgate.core.index.native import crc32, native_module, use_native
from schoolgate.core.urls import path_readings

# So many that the standard library's checksum lets go of the interpreter's lock too.
_FIRST_BYTES = 1 << 16
# A claim number's remainder.
REACH_OF = (Reach.SITE, Reach.HOST, Reach.BELOW)


class SiteIndex:
    """Every listed host and path, walked label by label from the right.

    ``example.com`` covers itself and ``www.example.com``, never ``notexample.com``; a path entry
    covers its path and what is below it. A URL is in the union of the categories of all entries
    that cover it. Equal unions share one small integer, the set id, so that a policy can compile
    a table from set id to decision. Immutable; replaced whole. Made by `read_index`.
    """

    def _prepare(self, image: memoryview, header: Header, about: dict[str, Any]) -> None:
        self._header = header
        self._set_ends = section(image, header, "set_ends").cast("I")
        self._set_members = section(image, header, "set_members").cast("I")
        self._claim_ends = section(image, header, "claim_ends").cast("I")
        self._claim_members = section(image, header, "claim_members").cast("I")
        try:
            self._names: list[str] = about["categories"]
            self._feeds: list[str] = about["feeds"]
            self._pairs: list[tuple[int, int]] = about["pairs"]
            self._opening = frozenset(about["opening"])
            self.counts: dict[str, int] = about["counts"]
            self.feed_counts: dict[str, int] = about["feed_counts"]
            self.names: int = about["names"]
            self.catalogue: dict[str, Any] = about["catalogue"]
            known = (
                max(self._set_members, default=-1) < len(self._names)
                and max(self._claim_members, default=-1) < REACHES * len(self._pairs)
                and bool(about["marks_paths"])
                and all(
                    category < len(self._names) and feed < len(self._feeds)
                    for category, feed in self._pairs
                )
            )
        except (KeyError, TypeError, ValueError) as error:
            raise DamagedIndexError("does not say what it is about") from error
        if not known:
            raise DamagedIndexError("names a category or a feed that it does not know")
        self._sets: dict[int, tuple[str, ...]] = {}
        self._numbers: dict[tuple[str, ...], int] = {}
        self._numbering = threading.Lock()
        self._united: dict[tuple[int, tuple[int, ...]], int] = {}

    def __len__(self) -> int:
        """The number of distinct entries."""
        return self._header.entries

    @property
    def header(self) -> Header:
        """What the file begins with."""
        return self._header

    @property
    def is_native(self) -> bool:
        """Whether the native reader answers."""
        return not isinstance(self, _PlainIndex)

    def get(self, host: str, path: str = "/", /) -> int:
        """Give the id of the set of categories that a host (and path) is in; 0 for none.

        Any case and a root dot are understood; otherwise the host is normalised (`core.hosts`).
        """
        raise NotImplementedError

    def get_with_paths(self, host: str, /) -> int:
        """Give the id of the set of categories that a host or any listed part of it is in.

        Equal to `get(host)` where no entry with a path adds a category to the host.
        """
        raise NotImplementedError

    def get_many(self, hosts: Iterable[str], /) -> list[int]:
        """Give the set id of each host."""
        raise NotImplementedError

    def walk(self, host: bytes, path: bytes, /) -> list[tuple[int, int, int]]:
        """Find every node with claims that covers a host and a path (`plain_reader.Reader.walk`)."""
        raise NotImplementedError

    def categories(self, set_id: int) -> tuple[str, ...]:
        """Give the category ids, sorted, that a set id stands for."""
        known = self._sets.get(set_id)
        if known is None:
            members = _slice(self._set_ends, self._set_members, set_id)
            known = self._sets[set_id] = tuple(self._names[number] for number in members)
        return known

    def entries(self, host: str, path: str = "/") -> list[ListEntry]:
        """Give the evidence: every entry that covers a host and path, the most specific first."""
        raw = host.encode().lower()
        raw = raw.removesuffix(b".") if len(raw) > 1 else raw
        readings = path_readings(path)
        seen: dict[ListEntry, int] = {}
        for reading in readings:
            for start, end, claim_set in self.walk(raw, reading.encode()):
                name, listed_path = raw[start:].decode(), reading.encode()[:end].decode() or "/"
                for category, feed, reach in self._claims(claim_set, start == 0):
                    entry = ListEntry(name, listed_path, category, feed, reach)
                    seen[entry] = seen.get(entry, 0) + 1
        # What opens a path must cover it in every reading that an origin may give it.
        found = [
            entry
            for entry, times in seen.items()
            if times == len(readings) or entry.category not in self._opening
        ]
        return sorted(found, key=lambda entry: (len(entry.host), len(entry.path)), reverse=True)

    def _get_path(self, host: str, path: str) -> int:
        """Give the set id of a host and path whose readings differ in what covers them."""
        return self._number_of(
            {entry.category for entry in self.entries(host, path)}, self.get(host)
        )

    def _get_with_paths(self, host: str) -> int:
        """Give the set id of a host with so many listed parts that they are not noted natively."""
        raw = host.encode().lower()
        found = set(self.categories(self.get(host)))
        for start, end, claim_set in self.walk(raw, PATHS_MARK):
            if end:
                found.update(claim[0] for claim in self._claims(claim_set, start == 0))
        return self._number_of(found, self.get(host))

    def _unite(self, set_id: int, matches: tuple[int, ...]) -> int:
        """Give the set id of a host with what the path entries add that cover its path.

        Args:
            set_id: of the host.
            matches: twice the claim set of each, and 1 where its host is the one asked for.
        """
        key = (set_id, matches)
        known = self._united.get(key)
        if known is None:
            categories = set(self.categories(set_id))
            for match in matches:
                claim_set, itself = divmod(match, 2)
                categories.update(claim[0] for claim in self._claims(claim_set, bool(itself)))
            known = self._united[key] = self._number_of(categories, set_id)
        return known

    def _claims(self, claim_set: int, itself: bool) -> Iterator[tuple[str, str, Reach]]:
        """Give category, feed and reach of the claims that hold for a host or for one below it."""
        for claim in _slice(self._claim_ends, self._claim_members, claim_set):
            pair, reach = divmod(claim, REACHES)
            if REACH_OF[reach] is not (Reach.BELOW if itself else Reach.HOST):
                category, feed = self._pairs[pair]
                yield self._names[category], self._feeds[feed], REACH_OF[reach]

    def _number_of(self, categories: set[str], without: int) -> int:
        """Give the set id of some categories, a new one where no host of the index has them.

        Args:
            categories: ids.
            without: the set of the host without its path, which is often the same.
        """
        key = tuple(sorted(categories))
        if self.categories(without) == key:
            return without
        with self._numbering:
            number = self._numbers.get(key)
            if number is None:
                number = len(self._set_ends) + len(self._numbers)
                self._sets[number] = key
                self._numbers[key] = number
        return number


class _PlainIndex(plain_reader.Reader, SiteIndex):
    """Answered by Python."""


if native_module is not None:

    class _NativeIndex(native_module.Reader, SiteIndex):
        """Answered by C."""


def read_index(data: Buffer, *, native: bool | None = None) -> SiteIndex:
    """Give the index that an image holds, after judging all of it.

    Args:
        data: the image, bytes or a mapped file; the index keeps it.
        native: whether the native reader answers; None takes it where it was built.

    Raises:
        DamagedIndexError: when it is damaged, cut off, or for another machine or version.
    """
    image = memoryview(data).toreadonly()
    # What is read first may have to come from the disk: here nobody else is kept waiting for it.
    crc32(image[:_FIRST_BYTES])
    header = read_header(image)
    verify(image, header, crc32)
    index: SiteIndex
    if use_native(native):
        try:
            index = _NativeIndex(image)
        except ValueError as error:
            raise DamagedIndexError(f"contradicts itself: {error}") from error
    else:
        index = _PlainIndex(image, header)
    index._prepare(image, header, read_about(image, header))
    return index


def _slice(ends: memoryview, members: memoryview, number: int) -> list[int]:
    start = ends[number - 1] if number else 0
    return members[start : ends[number]].tolist()
