"""The reader of the length of a file that plays as it comes."""

from typing import Protocol

from schoolgate.core.media.boxes import BoxReader
from schoolgate.core.media.ebml import EbmlReader
from schoolgate.core.media.formats import Format
from schoolgate.core.media.headed import HeadReader
from schoolgate.core.media.length import Length
from schoolgate.core.media.mpeg_audio import MpegAudioReader
from schoolgate.core.media.ogg import OggReader
from schoolgate.core.media.transport import TransportReader


class LengthReader(Protocol):
    """Reads how long a file plays, from bytes as they come, with their offset in the file.

    Bytes that are no such file leave the length unknown; none of them raises.
    """

    @property
    def length(self) -> Length:
        """How long it plays, as far as that is known yet."""

    @property
    def is_done(self) -> bool:
        """Whether more bytes would say nothing more."""

    def feed(self, chunk: bytes, at: int) -> None:
        """Take bytes that lie at an offset of the file."""


def reader_of(found: Format, total: int | None) -> LengthReader | None:
    """Give a reader for a format; None for one whose files do not say.

    Args:
        found: what it is.
        total: bytes of the whole file; None where that is not known.
    """
    match found:
        case Format.MP4:
            return BoxReader()
        case Format.WEBM:
            return EbmlReader()
        case Format.MPEG_AUDIO:
            return MpegAudioReader(total)
        case Format.OGG:
            return OggReader(total)
        case Format.HEADED:
            return HeadReader(total)
        case Format.TRANSPORT:
            return TransportReader(total)
        case _:
            return None
