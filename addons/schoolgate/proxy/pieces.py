"""What some bytes of an answer are: which seconds of which stream."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import parse_qs

from mitmproxy import http

from schoolgate.core.media import Course, playback_of, total_of
from schoolgate.core.media.streams import Place, Streams
from schoolgate.core.media.videoplayback import Playback
from schoolgate.core.media.viewing import (
    SOUND_BITS_PER_SECOND,
    VIDEO_BITS_PER_SECOND,
    File,
    Piece,
)
from schoolgate.core.urls import Url
from schoolgate.proxy.watching import Watch

# Lists of what to play, which are no sound.
_PLAYLISTS = frozenset({"audio/mpegurl", "audio/x-mpegurl", "audio/x-scpls"})


@dataclass
class Pieces:
    """Tells of one answer as it flows; most play nothing, and cost nothing.

    Attributes:
        url: that was asked for.
        response: the head of the answer.
        watch: what its bytes say; None where nobody looks.
        streams: what lists said of its address.
        named: gives the name under which a stream is counted.
        speaks_of_media: its head or a list says that it plays.
    """

    url: Url
    response: http.Response
    watch: Watch | None
    streams: Streams
    named: Callable[[str], str]
    speaks_of_media: bool = True

    @property
    def is_media(self) -> bool:
        """Whether it is audio or video, as far as that is known yet; a list of it is none."""
        found = self.watch.found if self.watch else None
        if found is not None:
            return not found.is_manifest
        return self.speaks_of_media and self._says_media

    @cached_property
    def _says_media(self) -> bool:
        says = self._kind in ("audio", "video") and self._type not in _PLAYLISTS
        return says or self._playback is not None or self._place is not None

    @cached_property
    def _playback(self) -> Playback | None:
        return playback_of(self.url)

    @cached_property
    def _place(self) -> Place | None:
        return self.streams.find(self.url)

    @cached_property
    def _part(self) -> tuple[int, int | None]:
        """Where the body begins in the file, and how long that is, bytes."""
        offset, total = total_of(self.response.headers.get("content-range", ""))
        if not offset and self._playback is not None:
            offset = _asked_from(self.url)
        length = self.response.headers.get("content-length", "")
        if total is None and length.isascii() and length.isdigit() and len(length) < 20:
            total = int(length)
        return offset, total

    @cached_property
    def _type(self) -> str:
        value: str = self.response.headers.get("content-type", "")
        return value.partition(";")[0].strip().lower()

    @property
    def _kind(self) -> str:
        return self._type.partition("/")[0]

    def piece(self, at: int, size: int) -> Piece:
        """Give the piece that some bytes of the body are.

        Args:
            at: before the first of them, bytes of the body.
            size: how many.
        """
        begin, total = self._part
        offset = begin + at
        if self._place is not None:
            place = self._place
            part = File(
                self.named(place.stream), self.named(place.rendition), total, place.seconds
            ).piece(offset, size)
            return part._replace(start=place.start + (part.start or 0.0))
        if self._playback is not None:
            return self._of_playback(self._playback, offset, size)
        file = File(self.named(str(self.url)), "", total, self._seconds, self._rate)
        return file.piece(offset, size)

    def _of_playback(self, playback: Playback, offset: int, size: int) -> Piece:
        name, length = self.named(playback.video or str(self.url)), playback.length
        if playback.size and length.course is Course.ENDED:
            file = File(name, playback.rendition, playback.size, length.seconds)
            return file.piece(offset, size)
        # Its body says what was asked for: by the bytes alone, side by side with the other track.
        return Piece(name, self._kind, None, size * 8 / self._rate, size)

    @property
    def _seconds(self) -> float | None:
        """How long the file plays, where its bytes say."""
        reader = self.watch.reader if self.watch else None
        length = reader.length if reader else None
        return length.seconds if length is not None and length.course is Course.ENDED else None

    @property
    def _rate(self) -> int:
        return SOUND_BITS_PER_SECOND if self._kind == "audio" else VIDEO_BITS_PER_SECOND


def _asked_from(url: Url) -> int:
    """Give where a part begins whose range stands in its address, bytes."""
    value = parse_qs(url.query, max_num_fields=100).get("range", ["0"])[0].partition("-")[0]
    return int(value) if value.isascii() and value.isdigit() and len(value) < 20 else 0
