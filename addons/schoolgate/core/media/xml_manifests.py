"""Manifests in XML: MPEG-DASH (ISO/IEC 23009-1) and Smooth Streaming ([MS-SSTR] 2.2.2).

They are read as they come by a parser that refuses document types and entities, so that nothing in them
grows; what is kept is a few numbers.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from schoolgate.core.media.length import LIVE, UNKNOWN, Length, ended

# ISO 8601; a year and a month are as long as they ever are.
_DURATION = re.compile(
    r"P(?:(\d{1,6})Y)?(?:(\d{1,6})M)?(?:(\d{1,6})W)?(?:(\d{1,6})D)?"
    r"(?:T(?:(\d{1,9})H)?(?:(\d{1,9})M)?(?:(\d{1,9}(?:\.\d*)?)S)?)?"
)
_SECONDS = (31_622_400, 2_678_400, 604_800, 86_400, 3_600, 60, 1)
_SMOOTH_TICKS = 10_000_000
_LEVELS = frozenset({"Period", "AdaptationSet", "Representation"})

type _Attributes = dict[str, str]


def iso_duration(text: str) -> float | None:
    """Give the seconds of a duration of ISO 8601 such as ``PT1H2M3.5S``; None where it is none."""
    found = _DURATION.fullmatch(text.strip())
    if found is None or not any(found.groups()):
        return None
    return sum(float(part or 0) * size for part, size in zip(found.groups(), _SECONDS, strict=True))


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
    """

    def __init__(self) -> None:
        self.is_broken = False
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

    def close(self) -> None:
        """Be done."""

    # -- elements ------------------------------------------------------------------------------

    def _manifest(self, name: str, attributes: _Attributes) -> None:
        if name == "MPD":
            self._is_live = attributes.get("type", "static") == "dynamic"
            self._declared = iso_duration(attributes.get("mediaPresentationDuration", ""))
        elif name == "SmoothStreamingMedia":
            self._is_live = attributes.get("IsLive", "").strip().lower() == "true"
            ticks = _number(attributes.get("TimeScale")) or _SMOOTH_TICKS
            self._levels[0].timescale = ticks
            self._declared = (_number(attributes.get("Duration")) or 0.0) / ticks

    def _segments(self, attributes: _Attributes) -> None:
        level = self._levels[-1]
        level.timescale = _number(attributes.get("timescale")) or level.timescale
        level.duration = _number(attributes.get("duration")) or level.duration

    def _run(self, attributes: _Attributes) -> None:
        """Add pieces of one length that follow each other (``S``)."""
        repeated = _number(attributes.get("r")) or 0.0
        self._piece(_number(attributes.get("d")) or 0.0, max(repeated, 0.0) + 1)

    def _listed(self, _: _Attributes) -> None:
        self._piece(self._levels[-1].duration, 1)

    def _stream_index(self, attributes: _Attributes) -> None:
        level = self._levels[-1]
        level.timescale = _number(attributes.get("TimeScale")) or level.timescale
        level.measured = 0.0

    def _chunk(self, attributes: _Attributes) -> None:
        self._piece(_number(attributes.get("d")) or 0.0, _number(attributes.get("r")) or 1.0)

    def _piece(self, ticks: float, count: float) -> None:
        level = self._levels[-1]
        level.measured += ticks / level.timescale * count


def _number(text: str | None) -> float | None:
    """Give a number that is written in digits; None for what is none or below nothing."""
    if text is None or len(text) > 20:
        return None
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0 <= value < 1e20 else None
