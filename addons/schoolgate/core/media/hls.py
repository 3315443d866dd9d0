"""Playlists of HTTP Live Streaming (RFC 8216 and its second edition): index or media, live or ended.

The few tags that decide are read line by line as the bytes come. The parser of the tests, m3u8, takes
150 ms for a film of three hours, in which a worker would serve nobody.
"""

import re

from schoolgate.core.media.length import LIVE, UNKNOWN, Length, ended
from schoolgate.core.media.segments import Segment

_DURATION = re.compile(rb"\s*(-?\d{1,9}(?:\.\d*)?|-?\.\d+)")
# Of more pieces than a day has at two seconds each, none is remembered.
_MOST_SEGMENTS = 50_000
# A film has a few qualities and sound tracks.
_MOST_PLAYLISTS = 200
_URI = re.compile(rb'URI="([^"]{1,2000})"')
_INDEX = (b"#EXT-X-STREAM-INF", b"#EXT-X-I-FRAME-STREAM-INF", b"#EXT-X-MEDIA:", b"#EXT-X-SESSION-")
# Only what goes on has these (RFC 8216bis, 4.4.3.7 and 4.4.5): where no end is told they outweigh the
# word that it is on demand.
_GOES_ON = (b"#EXT-X-PART:", b"#EXT-X-PRELOAD-HINT", b"#EXT-X-SKIP", b"#EXT-X-RENDITION-REPORT")


class HlsReader:
    """Reads a playlist as its bytes come, line by line.

    Attributes:
        segments: the pieces that it names, in their order.
        playlists: the other playlists that it names, as they stand there.
    """

    def __init__(self) -> None:
        self.segments: list[Segment] = []
        self.playlists: list[str] = []
        self._has_index = False
        self._has_pieces = False
        self._rest = b""
        self._has_end = False
        self._goes_on = False
        self._type = b""
        self._sequence = 0
        self._target = 0.0
        self._next: float | None = None
        self._total = 0.0
        self._is_endless = False
        self._is_media = False

    @property
    def is_index(self) -> bool:
        """Whether it names other playlists and plays nothing by itself."""
        return self._has_index and not self._has_pieces

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes."""
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        for line in lines:
            self._read(line.strip())

    def finish(self) -> Length:
        """Say how long it plays, all of it being there; of an index nothing is known."""
        self._read(self._rest.strip())
        self._rest = b""
        if self._is_endless:
            return LIVE
        if self.is_index:
            return UNKNOWN
        if self._has_end or self._is_on_demand:
            return ended(self._total)
        return LIVE if self._is_media else UNKNOWN

    @property
    def _is_on_demand(self) -> bool:
        """Whether it may not change (4.3.3.5) and nothing in it says otherwise."""
        return self._type == b"VOD" and not self._goes_on and not self._sequence

    def _read(self, line: bytes) -> None:
        if not line:
            return
        if not line.startswith(b"#"):
            self._segment(line)
        elif line.startswith(b"#EXTINF"):
            self._duration(line[8:])
        elif line.startswith(b"#EXT-X-"):
            self._tag(line)

    def _tag(self, line: bytes) -> None:
        name, _, value = line.partition(b":")
        if line.startswith(_INDEX):
            self._has_index = True
            if found := _URI.search(value):
                self._name(found[1])
        elif line.startswith(_GOES_ON):
            self._goes_on = self._has_pieces = self._is_media = True
            self._skipped(value)
        elif name == b"#EXT-X-ENDLIST":
            self._has_end = self._is_media = True
        elif name == b"#EXT-X-PLAYLIST-TYPE":
            self._type = value.strip().upper()
            self._is_media = True
        elif name == b"#EXT-X-TARGETDURATION":
            self._target = max(_number(value) or 0.0, 0.0)
            self._is_media = True
        elif name == b"#EXT-X-MEDIA-SEQUENCE":
            self._sequence = int(_number(value) or 0)
            self._is_media = True

    def _duration(self, value: bytes) -> None:
        seconds = _number(value)
        self._has_pieces = self._is_media = True
        # Lists of stations say -1 of what has no end.
        self._is_endless = self._is_endless or (seconds is not None and seconds < 0)
        self._next = None if seconds is None else max(seconds, 0.0)

    def _segment(self, line: bytes) -> None:
        seconds = self._next
        if seconds is None:
            # Another playlist, or a line that players pass over.
            self._name(line)
            return
        if len(self.segments) < _MOST_SEGMENTS:
            uri = line.decode("utf-8", "replace")
            self.segments.append(Segment(uri, self._total, seconds))
        self._total += seconds
        self._next = None

    def _name(self, uri: bytes) -> None:
        if len(self.playlists) < _MOST_PLAYLISTS:
            self.playlists.append(uri.decode("utf-8", "replace"))

    def _skipped(self, value: bytes) -> None:
        """Count what an update leaves out (4.4.5.2)."""
        found = re.search(rb"SKIPPED-SEGMENTS=(\d{1,9})", value)
        if found:
            self._total += int(found[1]) * self._target


def _number(text: bytes) -> float | None:
    found = _DURATION.match(text)
    return float(found[1]) if found else None
