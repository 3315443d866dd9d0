"""Which stream a piece is of: what the lists of a player said of the addresses that it asks for next."""

import re
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from schoolgate.core.errors import BadAddressError
from schoolgate.core.media.segments import HOLE, Pattern, Segment
from schoolgate.core.urls import Url, parse_url

# Lists that are remembered, each with the pieces that it names; the latest of all that were let through.
MOST_LISTS = 200
MOST_PIECES = 3_000
# Numbers in an address that are looked at, from its end.
_MOST_NUMBERS = 6
_NUMBER = re.compile(r"\d{1,20}")


class Place(NamedTuple):
    """Where a piece is.

    Attributes:
        stream: the list that leads to it, the same for all renditions that one names.
        rendition: the list that names it.
        start: where it begins, seconds.
        seconds: how long it plays.
    """

    stream: str
    rendition: str
    start: float
    seconds: float


@dataclass(slots=True)
class _List:
    """A list: the one that led to it, and the pieces or lists that it names."""

    stream: str
    pieces: dict[str, tuple[float, float]] = field(default_factory=dict)
    lists: frozenset[str] = frozenset()
    patterns: list["_Gap"] = field(default_factory=list)


class _Gap(NamedTuple):
    """What stands around the number in the addresses of a pattern, up to the next digits."""

    before: str
    after: str
    pattern: Pattern
    # Digits that stand next to the number and are none of it.
    first: str
    last: str

    def place(self, digits: str) -> tuple[float, float] | None:
        inner = digits.removeprefix(self.first).removesuffix(self.last)
        if f"{self.first}{inner}{self.last}" != digits or not inner:
            return None
        return self.pattern.piece(int(inner))


class Streams:
    """Remembers the lists of late."""

    def __init__(self) -> None:
        self._lists: OrderedDict[str, _List] = OrderedDict()
        # Address of a piece → that of its list.
        self._of_piece: dict[str, str] = {}
        # What stands around a number in it → the address of the list, and which numbers there are.
        self._of_gap: dict[tuple[str, str], tuple[str, _Gap]] = {}

    def note(
        self,
        url: Url,
        segments: Iterable[Segment],
        playlists: Iterable[str],
        patterns: Iterable[Pattern] = (),
    ) -> None:
        """Remember what a list names.

        Args:
            url: of the list.
            segments: the pieces that it names; parts of one file are one piece.
            playlists: the lists that it names, as they stand there.
            patterns: the pieces that it names by numbers.
        """
        name = str(url)
        known = self._lists.pop(name, None)
        made = _List(known.stream if known else self._stream_of(name))
        made.lists = frozenset(_addresses(url, playlists))
        for segment, address in _pieces(url, segments):
            start, seconds = made.pieces.get(address, (segment.start, 0.0))
            made.pieces[address] = start, seconds + segment.seconds
            self._of_piece[address] = name
        for gap in _gaps(url, patterns):
            made.patterns.append(gap)
            self._of_gap[gap.before, gap.after] = name, gap
        self._lists[name] = made
        # A player may have asked for one that this one names before.
        for other in made.lists & self._lists.keys():
            self._lists[other].stream = made.stream
        while len(self._lists) > MOST_LISTS:
            self._forget()

    def find(self, url: Url) -> Place | None:
        """Say where a piece is; None for what no list named."""
        if not self._lists:
            return None
        address = str(url)
        rendition = self._of_piece.get(address)
        if rendition is None:
            return self._by_number(address) if self._of_gap else None
        known = self._lists[rendition]
        return Place(known.stream, rendition, *known.pieces[address])

    def _by_number(self, address: str) -> Place | None:
        for found in [*_NUMBER.finditer(address)][-_MOST_NUMBERS:]:
            named = self._of_gap.get((address[: found.start()], address[found.end() :]))
            at = named[1].place(found[0]) if named else None
            if named and at:
                return Place(self._lists[named[0]].stream, named[0], *at)
        return None

    def _stream_of(self, name: str) -> str:
        for other, known in self._lists.items():
            if name in known.lists:
                return other
        return name

    def _forget(self) -> None:
        name, old = self._lists.popitem(last=False)
        for address in old.pieces:
            if self._of_piece.get(address) == name:
                del self._of_piece[address]
        for gap in old.patterns:
            if self._of_gap.get((gap.before, gap.after)) == (name, gap):
                del self._of_gap[gap.before, gap.after]


def _pieces(url: Url, segments: Iterable[Segment]) -> Iterable[tuple[Segment, str]]:
    for number, segment in enumerate(segments):
        if number == MOST_PIECES:
            return
        for address in _addresses(url, [segment.uri]):
            yield segment, address


def _addresses(url: Url, uris: Iterable[str]) -> Iterable[str]:
    for uri in uris:
        try:
            yield str(parse_url(uri, str(url)))
        except BadAddressError:
            continue


def _gaps(url: Url, patterns: Iterable[Pattern]) -> Iterable[_Gap]:
    for pattern in patterns:
        for address in _addresses(url, [pattern.uri]):
            before, hole, after = address.partition(HOLE)
            if hole:
                first, last = _digits_at_end(before), _digits_at_end(after[::-1])[::-1]
                start = before[: len(before) - len(first)]
                yield _Gap(start, after[len(last) :], pattern, first, last)


def _digits_at_end(text: str) -> str:
    return text[len(text.rstrip("0123456789")) :]
