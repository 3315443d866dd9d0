"""A manifest of any kind, read as it comes and no further than a bound."""

from dataclasses import dataclass

from schoolgate.core.media.formats import Format
from schoolgate.core.media.hls import HlsReader
from schoolgate.core.media.length import UNKNOWN, Length
from schoolgate.core.media.segments import Pattern, Segment
from schoolgate.core.media.xml_manifests import XmlManifestReader

# A film of a day in pieces of two seconds takes 3 MB; nobody's player is given more.
MOST_BYTES = 4 << 20


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a manifest says.

    Attributes:
        length: of what plays.
        is_index: it names other manifests, each of which is judged by itself.
        segments: the pieces that it names, where it names each.
        patterns: the pieces that it names by numbers.
        playlists: the other lists that it names.
    """

    length: Length
    is_index: bool = False
    segments: tuple[Segment, ...] = ()
    patterns: tuple[Pattern, ...] = ()
    playlists: tuple[str, ...] = ()

    @property
    def is_undecided(self) -> bool:
        """Whether it plays something and does not say how long, which is taken for endless."""
        return self.length == UNKNOWN and not self.is_index


class ManifestReader:
    """Reads a manifest.

    Args:
        found: which kind.
        most: bytes that are read; a longer one is not decided.

    Attributes:
        is_over: it is longer than that.
    """

    def __init__(self, found: Format, most: int = MOST_BYTES) -> None:
        self.is_over = False
        self._left = most
        self._reader = HlsReader() if found is Format.HLS else XmlManifestReader()

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes."""
        self._left -= len(chunk)
        if self._left < 0:
            self.is_over = True
        else:
            self._reader.feed(chunk)

    def finish(self) -> Manifest:
        """Say what it says, all of it being there."""
        if self.is_over:
            return Manifest(UNKNOWN)
        length = self._reader.finish()
        if isinstance(self._reader, HlsReader):
            reader = self._reader
            return Manifest(
                length, reader.is_index, tuple(reader.segments), playlists=tuple(reader.playlists)
            )
        pieces = self._reader.pieces
        return Manifest(length, segments=tuple(pieces.listed), patterns=tuple(pieces.patterns))
