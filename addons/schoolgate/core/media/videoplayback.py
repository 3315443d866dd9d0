"""What the address of a piece of a YouTube film says of the whole film."""

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl

from schoolgate.core.media.length import LIVE, UNKNOWN, Length, ended
from schoolgate.core.urls import Url

_PATH = "/videoplayback"
_PARTS = re.compile(r"/([a-z_]+)/([^/]+)")
_MOST_PARAMETERS = 100


@dataclass(frozen=True, slots=True)
class Playback:
    """A request for a piece.

    Attributes:
        video: what is the same for all pieces of a film, of whatever rendition; empty where it does not say.
        rendition: ``itag``: resolution and codec.
        length: of the film; not known where the body of the request says what is asked for.
        size: of the whole rendition, bytes; None where it does not say.
    """

    video: str
    rendition: str
    length: Length
    size: int | None


def playback_of(url: Url) -> Playback | None:
    """Read the address of a piece; None for another address.

    Its parameters stand in the query, or as pairs in the path.
    """
    if not (url.path == _PATH or url.path.startswith(_PATH + "/")):
        return None
    try:
        values = dict(parse_qsl(url.query, max_num_fields=_MOST_PARAMETERS))
    except ValueError:
        return Playback("", "", UNKNOWN, None)
    values = {**dict(_PARTS.findall(url.path.removeprefix(_PATH))), **values}
    size = values.get("clen", "")
    return Playback(
        values.get("id", "")[:200],
        values.get("itag", "")[:10],
        _length(values),
        int(size) if size.isascii() and size.isdigit() and len(size) < 16 else None,
    )


def _length(values: dict[str, str]) -> Length:
    if values.get("live") == "1" or values.get("source") == "yt_live_broadcast":
        return LIVE
    try:
        seconds = float(values.get("dur", ""))
    except ValueError:
        return UNKNOWN
    return ended(seconds) if seconds else UNKNOWN
