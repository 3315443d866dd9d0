"""Manifests in XML: MPEG-DASH (ISO/IEC 23009-1) and Smooth Streaming ([MS-SSTR] 2.2.2).

They are read as they come by a parser that refuses document types and entities, so that nothing in them
grows; what is kept is a few numbers.
"""

from collections.abc import Callable
from dataclasses import dataclass
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from schoolgate.core.media.dash_pieces import DashPieces
from schoolgate.core.media.length import LIVE, UNKNOWN, Length, ended
from schoolgate.core.media.numbers import iso_duration, number

_SMOOTH_TICKS = 10_000_000
_LEVELS = frozenset({"Period", "AdaptationSet", "Representation"})

type _Attributes = dict[str, str]


@dataclass(slots=True)
class _Level:
    """What a period, a set of renditions or one of them says of its pieces, or takes over."""

    timescale: float = 1.0
    duration: float = 0.0
    measured: float = 0.0


class XmlManifestReader:
    """Reads one of either kind as its bytes come.

    Attributes:
        is_broken: it is no XML, or tries what no manifest does.
        is_manifest: its root is that of either kind.
        pieces: which it names, where it is one of MPEG-DASH.
    """

    def __init__(self) -> None:
        self.is_broken = False
        self.pieces = DashPieces()
        self._is_closed = False
        self._parser = DefusedXMLParser(target=self, forbid_dtd=True)
        self._root = ""
        self._is_live = False
        self._declared: float | None = None
        self._period: float | None = None
        self._total = 0.0
        self._levels = [_Level()]
        self._on: dict[str, Callable[[_Attributes], None]] = {
            "SegmentTemplate": self._segments,
            "SegmentList": self._segments,
            "S": self._run,
            "SegmentURL": self._listed,
            "StreamIndex": self._stream_index,
            "c": self._chunk,
        }

    @property
    def is_manifest(self) -> bool:
        """Whether its root element is that of a manifest."""
        return self._root in ("MPD", "SmoothStreamingMedia")

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes."""
        self._parse(lambda: self._parser.feed(chunk))

    def finish(self) -> Length:
        """Say how long it plays, all of it being there; of what is broken nothing is known."""
        if not self._is_closed:
            # The parser may have put off some of what it has.
            self._parse(self._parser.close)
            self._is_closed = True
        if self.is_broken or not self.is_manifest:
            return UNKNOWN
        if self._is_live:
            return LIVE
        # Players end where it says, whatever its pieces add up to.
        seconds = self._declared or self._total
        return ended(seconds) if seconds else UNKNOWN

    def _parse(self, step: Callable[[], object]) -> None:
        if self.is_broken:
            return
        try:
            step()
        except (ParseError, DefusedXmlException, ValueError, LookupError):
            self.is_broken = True

    # -- what the parser calls ---------------------------------------------------------------

    def start(self, tag: str, attributes: _Attributes) -> None:
        """Begin an element."""
        name = tag.rpartition("}")[2]
        if not self._root:
            self._root = name
            self._manifest(name, attributes)
        elif name in _LEVELS:
            above = self._levels[-1]
            self._levels.append(_Level(above.timescale, above.duration))
            if name == "Period":
                self._period = iso_duration(attributes.get("duration", ""))
        elif name in self._on:
            self._on[name](attributes)
        self.pieces.start(name, attributes)

    def data(self, text: str) -> None:
        """Take what stands in an element."""
        self.pieces.text(text)

    def end(self, tag: str) -> None:
        """End an element."""
        name = tag.rpartition("}")[2]
        if name in _LEVELS and len(self._levels) > 1:
            level = self._levels.pop()
            if name == "Period":
                self._total += self._period or level.measured
            else:
                # Renditions play side by side.
                self._levels[-1].measured = max(self._levels[-1].measured, level.measured)
        elif name == "StreamIndex":
            self._total = max(self._total, self._levels[-1].measured)
        self.pieces.end(name)

    def close(self) -> None:
        """Be done."""

    # -- elements ------------------------------------------------------------------------------

    def _manifest(self, name: str, attributes: _Attributes) -> None:
        if name == "MPD":
            self._is_live = attributes.get("type", "static") == "dynamic"
            self._declared = iso_duration(attributes.get("mediaPresentationDuration", ""))
        elif name == "SmoothStreamingMedia":
            self._is_live = attributes.get("IsLive", "").strip().lower() == "true"
            ticks = number(attributes.get("TimeScale")) or _SMOOTH_TICKS
            self._levels[0].timescale = ticks
            self._declared = (number(attributes.get("Duration")) or 0.0) / ticks

    def _segments(self, attributes: _Attributes) -> None:
        level = self._levels[-1]
        level.timescale = number(attributes.get("timescale")) or level.timescale
        level.duration = number(attributes.get("duration")) or level.duration

    def _run(self, attributes: _Attributes) -> None:
        """Add pieces of one length that follow each other (``S``)."""
        repeated = number(attributes.get("r")) or 0.0
        self._piece(number(attributes.get("d")) or 0.0, max(repeated, 0.0) + 1)

    def _listed(self, _: _Attributes) -> None:
        self._piece(self._levels[-1].duration, 1)

    def _stream_index(self, attributes: _Attributes) -> None:
        level = self._levels[-1]
        level.timescale = number(attributes.get("TimeScale")) or level.timescale
        level.measured = 0.0

    def _chunk(self, attributes: _Attributes) -> None:
        self._piece(number(attributes.get("d")) or 0.0, number(attributes.get("r")) or 1.0)

    def _piece(self, ticks: float, count: float) -> None:
        level = self._levels[-1]
        level.measured += ticks / level.timescale * count
