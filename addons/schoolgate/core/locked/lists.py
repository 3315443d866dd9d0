"""The locked lists in force, as one value that is replaced whole."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

from schoolgate.core.urls import Url

# Hosts whose answers are kept: each open tunnel is decided again every second.
_MOST_KEPT = 10_000


class Entries(Protocol):
    """What a list holds, in whichever form."""

    @property
    def reads_everywhere(self) -> bool:
        """Whether it cannot tell on which hosts it has parts."""

    def __len__(self) -> int:
        """How many different entries there are."""

    def find(self, url: Url) -> str | None:
        """Give what stands for an entry that covers a URL, or None."""

    def has_parts(self, host: str) -> bool:
        """Ask whether it is known that a part of a host, or all of it, is listed."""


@dataclass(frozen=True, slots=True)
class LockedBy:
    """Which list, in which state.

    Attributes:
        name: of the list, e.g. ``iwf``.
        version: as its publisher names it.
        date: of that version, aware.
        digest: SHA-256 of its file, in hex.
    """

    name: str
    version: str
    date: datetime
    digest: str

    def age(self, now: datetime) -> timedelta:
        """Give how old it is."""
        return now - self.date


@dataclass(frozen=True, slots=True)
class LockedList:
    """One list.

    Attributes:
        by: which, in which state.
        title: for people.
        entries: what it holds.
        longest_age: after which it is too old.
        unread: numbers of the lines that are no entries, from 1.
    """

    by: LockedBy
    title: str
    entries: Entries
    longest_age: timedelta = timedelta(days=7)
    unread: tuple[int, ...] = ()

    def fault(self, now: datetime) -> str:
        """Say what is wrong with it; "" where nothing is."""
        if self.unread:
            some = ", ".join(map(str, self.unread[:5])) + (" …" if len(self.unread) > 5 else "")
            return f"{len(self.unread)} of its lines are no entries: {some}"
        if self.by.age(now) > self.longest_age:
            return f"it is of {self.by.date:%Y-%m-%d}: {self.by.age(now).days} days old"
        return ""


class Hit(NamedTuple):
    """What an address is locked by.

    Attributes:
        by: the list.
        proof: the beginning of a hash of the entry, which is named nowhere.
    """

    by: LockedBy
    proof: str


class _Known(NamedTuple):
    hit: Hit | None
    part: LockedBy | None


@dataclass(frozen=True, eq=False)
class LockedLists:
    """All lists in force.

    Attributes:
        lists: by name.
        refused: name → why its last version is not in force; a list of that name in `lists` is the
            last good one.
    """

    lists: tuple[LockedList, ...] = ()
    refused: Mapping[str, str] = field(default_factory=dict)
    _hosts: dict[str, _Known] = field(default_factory=dict, init=False, repr=False)

    @property
    def reads_everywhere(self) -> bool:
        """Whether a list cannot tell on which hosts it has parts, so that every one must be read."""
        return any(each.entries.reads_everywhere for each in self.lists)

    def at(self, url: Url) -> Hit | None:
        """Give what a URL is locked by; the first list that has it."""
        for each in self.lists:
            proof = each.entries.find(url)
            if proof is not None:
                return Hit(each.by, proof)
        return None

    def on(self, host: str) -> Hit | None:
        """Give what a whole host is locked by."""
        return self._known(host).hit

    def with_part_of(self, host: str) -> LockedBy | None:
        """Give the first list that is known to name a part of a host, or None."""
        return self._known(host).part

    def fault(self, name: str, now: datetime) -> str:
        """Say what is wrong with a list; "" where it is in force, whole and not too old."""
        if name in self.refused:
            return self.refused[name]
        found = [each for each in self.lists if each.by.name == name]
        return found[0].fault(now) if found else "it is not there"

    def _known(self, host: str) -> _Known:
        known = self._hosts.get(host)
        if known is None:
            if len(self._hosts) >= _MOST_KEPT:
                self._hosts.clear()
            naming = (each.by for each in self.lists if each.entries.has_parts(host))
            known = _Known(self.at(Url("https", host, 443, "/")), next(naming, None))
            self._hosts[host] = known
        return known
