"""Which stream a piece is of: what the lists of a player said of the addresses that it asks for next."""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from schoolgate.core.errors import BadAddressError
from schoolgate.core.media.hls import Segment
from schoolgate.core.urls import Url, parse_url

# Lists that are remembered, each with the pieces that it names; the latest of all that were let through.
MOST_LISTS = 200
MOST_PIECES = 3_000


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


class Streams:
    """Remembers the lists of late."""

    def __init__(self) -> None:
        self._lists: OrderedDict[str, _List] = OrderedDict()
        # Address of a piece → that of its list.
        self._of_piece: dict[str, str] = {}

    def note(self, url: Url, segments: Iterable[Segment], playlists: Iterable[str]) -> None:
        """Remember what a list names.

        Args:
            url: of the list.
            segments: the pieces that it names; parts of one file are one piece.
            playlists: the lists that it names, as they stand there.
        """
        name = str(url)
        known = self._lists.pop(name, None)
        made = _List(known.stream if known else self._stream_of(name))
        made.lists = frozenset(_addresses(url, playlists))
        for segment, address in _pieces(url, segments):
            start, seconds = made.pieces.get(address, (segment.start, 0.0))
            made.pieces[address] = start, seconds + segment.seconds
            self._of_piece[address] = name
        self._lists[name] = made
        # A player may have asked for one that this one names before.
        for other in made.lists & self._lists.keys():
            self._lists[other].stream = made.stream
        while len(self._lists) > MOST_LISTS:
            self._forget()

    def find(self, url: Url) -> Place | None:
        """Say where a piece is; None for what no list named."""
        rendition = self._of_piece.get(str(url))
        if rendition is None:
            return None
        known = self._lists[rendition]
        return Place(known.stream, rendition, *known.pieces[str(url)])

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
