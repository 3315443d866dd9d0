"""Media as it flows: what it is, and how long it plays.

Everything here takes bytes as they come and keeps few of them; none of it raises on what is broken,
hostile or cut off: what cannot be read has a length that is not known, and the policy says what then.
"""

from schoolgate.core.media.formats import (
    BEGINNING,
    Format,
    Head,
    hinted,
    is_of_page,
    is_other,
    may_be_manifest,
    recognise,
)
from schoolgate.core.media.hls import HlsReader
from schoolgate.core.media.length import (
    LIVE,
    UNKNOWN,
    Course,
    Length,
    at_least,
    ended,
    total_of,
)
from schoolgate.core.media.manifests import Manifest, ManifestReader
from schoolgate.core.media.progressive import LengthReader, reader_of
from schoolgate.core.media.segments import Segment
from schoolgate.core.media.videoplayback import Playback, playback_of
from schoolgate.core.media.viewing import Piece

__all__ = [
    "BEGINNING",
    "LIVE",
    "UNKNOWN",
    "Course",
    "Format",
    "Head",
    "HlsReader",
    "Length",
    "LengthReader",
    "Manifest",
    "ManifestReader",
    "Piece",
    "Playback",
    "Segment",
    "at_least",
    "ended",
    "hinted",
    "is_of_page",
    "is_other",
    "may_be_manifest",
    "playback_of",
    "reader_of",
    "recognise",
    "total_of",
]
