import pytest

from schoolgate.core.media import Format, reader_of
from tests.core.media.made import FTYP, VORBIS, box, flac, mp3_frame, mvhd, ogg_page, packet, webm

FILES = {
    Format.MP4: FTYP + box("moov", mvhd(10_000)),
    Format.WEBM: webm(10_000, [0]),
    Format.MPEG_AUDIO: mp3_frame() * 383,
    Format.OGG: ogg_page(0, first=True, body=VORBIS) + ogg_page(441_000, last=True),
    Format.HEADED: flac(441_000),
    Format.TRANSPORT: packet(0) + packet(900_000),
}


@pytest.mark.parametrize("found", FILES)
def test_each_format_has_its_reader(found: Format) -> None:
    data = FILES[found]
    reader = reader_of(found, len(data))
    assert reader is not None
    reader.feed(data, 0)
    assert reader.length.seconds == pytest.approx(10, rel=0.6)


@pytest.mark.parametrize("found", [f for f in Format if f not in FILES])
def test_the_others_do_not_say(found: Format) -> None:
    assert reader_of(found, None) is None
