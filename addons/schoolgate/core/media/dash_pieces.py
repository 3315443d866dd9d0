"""Which pieces an MPEG-DASH manifest names (ISO/IEC 23009-1, 5.3.9): patterns, lists, whole files."""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import count
from typing import NamedTuple
from urllib.parse import urljoin

from schoolgate.core.media.numbers import iso_duration, number
from schoolgate.core.media.segments import HOLE, Pattern, Run, Segment

# Of one manifest; what is named beyond is counted by its bytes.
MOST_RUNS = 20_000
MOST_PATTERNS = 500
MOST_LISTED = 20_000
_MOST_CHARACTERS = 2_000

_PLACES = re.compile(r"\$(RepresentationID|Bandwidth|Number|Time|)(?:%0\d{1,2}d)?\$")

type _Attributes = dict[str, str]


class _Stretch(NamedTuple):
    """An ``S`` of a time line, in ticks."""

    number: int
    time: int
    duration: int
    many: int


@dataclass(slots=True)
class _Scope:
    """What holds within an element; what is in it takes it over."""

    base: str = ""
    media: str = ""
    number: int = 1
    timescale: float = 1.0
    duration: float = 0.0
    offset: float = 0.0
    stretches: list[_Stretch] = field(default_factory=list)
    listed: list[str] = field(default_factory=list)
    id: str = ""
    bandwidth: str = ""
    has_base: bool = False


class DashPieces:
    """Collects the pieces as the elements of a manifest come.

    Attributes:
        patterns: pieces by number or time.
        listed: pieces by themselves.
    """

    def __init__(self) -> None:
        self.patterns: list[Pattern] = []
        self.listed: list[Segment] = []
        self._scopes = [_Scope()]
        self._declared = 0.0
        self._period_start = self._period_seconds = 0.0
        self._text: list[str] | None = None
        self._runs = 0
        # Whether a time line or list that begins stands in the place of one around it.
        self._is_fresh = False

    def start(self, name: str, attributes: _Attributes) -> None:
        """Begin an element."""
        match name:
            case "MPD":
                self._declared = (
                    iso_duration(attributes.get("mediaPresentationDuration", "")) or 0.0
                )
            case "Period":
                self._begin_period(attributes)
                self._enter()
            case "AdaptationSet":
                self._enter()
            case "Representation":
                self._enter(attributes.get("id", ""), attributes.get("bandwidth", ""))
            case "SegmentTemplate" | "SegmentList":
                self._take(attributes)
            case "S":
                self._stretch(attributes)
            case "SegmentURL":
                self._list(attributes)
            case "BaseURL":
                self._text = []

    def text(self, text: str) -> None:
        """Take what stands in an element."""
        if self._text is not None and len(self._text) < _MOST_CHARACTERS:
            self._text.append(text[:_MOST_CHARACTERS])

    def end(self, name: str) -> None:
        """End an element."""
        if name == "BaseURL" and self._text is not None:
            scope = self._scopes[-1]
            # Of several that say the same the first is what players ask.
            if not scope.has_base:
                scope.base, scope.has_base = _joined(scope.base, "".join(self._text).strip()), True
            self._text = None
        elif name in ("Period", "AdaptationSet", "Representation") and len(self._scopes) > 1:
            scope = self._scopes.pop()
            if name == "Representation":
                self._name(scope)
            elif name == "Period":
                self._period_start += self._period_seconds

    def _begin_period(self, attributes: _Attributes) -> None:
        start = iso_duration(attributes.get("start", ""))
        self._period_start = self._period_start if start is None else start
        left = max(self._declared - self._period_start, 0.0)
        self._period_seconds = iso_duration(attributes.get("duration", "")) or left

    def _enter(self, id_: str = "", bandwidth: str = "") -> None:
        around = self._scopes[-1]
        self._scopes.append(replace(around, id=id_, bandwidth=bandwidth, has_base=False))

    def _take(self, attributes: _Attributes) -> None:
        scope = self._scopes[-1]
        scope.media = attributes.get("media", scope.media)[:_MOST_CHARACTERS]
        scope.number = int(_given(attributes.get("startNumber"), scope.number))
        scope.timescale = _given(attributes.get("timescale"), scope.timescale) or 1.0
        scope.duration = _given(attributes.get("duration"), scope.duration)
        scope.offset = _given(attributes.get("presentationTimeOffset"), scope.offset)
        self._is_fresh = True

    def _stretch(self, attributes: _Attributes) -> None:
        scope = self._scopes[-1]
        if self._is_fresh:
            scope.stretches, self._is_fresh = [], False
        self._runs += 1
        duration = int(_given(attributes.get("d"), 0.0))
        if self._runs > MOST_RUNS or duration <= 0:
            return
        at, time = scope.number, 0
        if scope.stretches:
            last = scope.stretches[-1]
            at, time = last.number + last.many, last.time + last.many * last.duration
        time = int(_given(attributes.get("t"), float(time)))
        scope.stretches.append(
            _Stretch(at, time, duration, self._count(scope, attributes, time, duration))
        )

    def _count(self, scope: _Scope, attributes: _Attributes, time: int, duration: int) -> int:
        if not attributes.get("r", "").startswith("-"):
            return int(_given(attributes.get("r"), 0.0)) + 1
        # To the end of the period.
        left = self._period_seconds * scope.timescale + scope.offset - time
        return max(math.ceil(left / duration), 1)

    def _list(self, attributes: _Attributes) -> None:
        scope = self._scopes[-1]
        if self._is_fresh:
            scope.listed, self._is_fresh = [], False
        if len(scope.listed) < MOST_LISTED:
            scope.listed.append(attributes.get("media", "")[:_MOST_CHARACTERS])

    def _name(self, scope: _Scope) -> None:
        """Name the pieces of a representation, all of which is known."""
        if scope.listed:
            room = MOST_LISTED - len(self.listed)
            self.listed += list(self._of_list(scope))[: max(room, 0)]
        elif scope.media:
            pattern = self._pattern(scope)
            if pattern is not None and len(self.patterns) < MOST_PATTERNS:
                self.patterns.append(pattern)
        elif scope.base and self._period_seconds and len(self.listed) < MOST_LISTED:
            self.listed.append(Segment(scope.base, self._period_start, self._period_seconds))

    def _of_list(self, scope: _Scope) -> Iterator[Segment]:
        each = scope.duration / scope.timescale
        times = _times(scope) if scope.stretches else ((at * each, each) for at in count())
        for media, (start, seconds) in zip(scope.listed, times, strict=False):
            yield Segment(_joined(scope.base, media), self._period_start + start, seconds)

    def _pattern(self, scope: _Scope) -> Pattern | None:
        holes: list[str] = []

        def put(found: re.Match[str]) -> str:
            match found[1]:
                case "RepresentationID":
                    return scope.id
                case "Bandwidth":
                    return scope.bandwidth
                case "":
                    return "$"
            holes.append(found[1])
            return HOLE

        media = _PLACES.sub(put, scope.media)
        if len(holes) != 1:
            return None
        runs = tuple(self._runs_of(scope, by_time=holes[0] == "Time"))
        return Pattern(_joined(scope.base, media), runs) if runs else None

    def _runs_of(self, scope: _Scope, *, by_time: bool) -> Iterator[Run]:
        scale = scope.timescale
        if not scope.stretches:
            if scope.duration and not by_time:
                seconds = scope.duration / scale
                yield Run(scope.number, 1, self._period_start, seconds, math.inf)
            return
        for each in scope.stretches:
            key, step = (each.time, each.duration) if by_time else (each.number, 1)
            start = self._period_start + (each.time - scope.offset) / scale
            yield Run(key, step, start, each.duration / scale, each.many)


def _times(scope: _Scope) -> Iterator[tuple[float, float]]:
    """Give start and length of each piece of a time line, seconds."""
    for each in scope.stretches:
        for at in range(min(each.many, MOST_LISTED)):
            start = each.time + at * each.duration - scope.offset
            yield start / scope.timescale, each.duration / scope.timescale


def _given(text: str | None, otherwise: float) -> float:
    """Give the number that stands there, or the one that holds where none does."""
    value = number(text)
    return otherwise if value is None else value


def _joined(base: str, uri: str) -> str:
    """Put an address below another; either may be a part of one."""
    try:
        return urljoin(base, uri)
    except ValueError:
        return uri
