"""The length of MP3 (ISO/IEC 11172-3, 13818-3) and of AAC as a stream (ADTS, ISO/IEC 13818-7)."""

from typing import NamedTuple

from schoolgate.core.media.length import UNKNOWN, Length, at_least, ended
from schoolgate.core.media.window import Window

_MOST_BYTES = 64 * 1024
# Of so many frames the mean is taken, where nothing in the file says how long it is.
_SAMPLED = 400
_RATES = (44_100, 48_000, 32_000)
_ADTS_RATES = (
    96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350,
)  # fmt: skip
# Kilobits a second: MPEG-1 layers I to III, then MPEG-2 layer I, and II with III.
_KILOBITS = {
    (1, 1): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (1, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (1, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (2, 1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (2, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (2, 3): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}


class Frame(NamedTuple):
    """What the header of a frame says.

    Attributes:
        size: of the whole frame, bytes.
        seconds: that it plays.
        side: from its start to where a table of the whole file may stand (Xing), bytes.
    """

    size: int
    seconds: float
    side: int


def frame_at(data: bytes | bytearray, at: int) -> Frame | None:
    """Read the header of a frame of MPEG audio or ADTS; None where none begins."""
    if len(data) < at + 7 or data[at] != 0xFF or data[at + 1] & 0xE0 != 0xE0:
        return None
    if data[at + 1] & 0xF6 == 0xF0:
        return _adts(data, at)
    version = {3: 1, 2: 2, 0: 3}.get(data[at + 1] >> 3 & 3)
    layer = 4 - (data[at + 1] >> 1 & 3)
    rate_index, bits = data[at + 2] >> 2 & 3, data[at + 2] >> 4
    if version is None or layer == 4 or rate_index == 3 or not 0 < bits < 15:
        return None
    rate = _RATES[rate_index] >> (version - 1)
    kilobits = _KILOBITS[min(version, 2), layer][bits - 1]
    samples = 384 if layer == 1 else 576 if layer == 3 and version > 1 else 1152
    slot = 4 if layer == 1 else 1
    size = (samples // 8 * kilobits * 1000 // rate // slot + (data[at + 2] >> 1 & 1)) * slot
    mono = data[at + 3] >> 6 == 3
    side = 4 + ((17 if mono else 32) if version == 1 else (9 if mono else 17))
    return Frame(size, samples / rate, side)


def _adts(data: bytes | bytearray, at: int) -> Frame | None:
    rate_index = data[at + 2] >> 2 & 15
    size = (data[at + 3] & 3) << 11 | data[at + 4] << 3 | data[at + 5] >> 5
    if rate_index >= len(_ADTS_RATES) or size < 7:
        return None
    return Frame(size, 1024 / _ADTS_RATES[rate_index], 0)


class MpegAudioReader:
    """Reads the beginning: what a table there says (Xing, VBRI), or the mean of some frames.

    Args:
        total: bytes of the file; None where that is not known, so that it may have no end.

    """

    def __init__(self, total: int | None) -> None:
        self._is_sampled = False
        self._total = total
        self._window = Window(_MOST_BYTES)
        self._begins: int | None = None
        self._frames = 0
        self._seconds = 0.0
        self._bytes = 0
        self._seen = 0
        self._told: Length | None = None

    @property
    def is_done(self) -> bool:
        """Whether what can be known of the whole is known; of what has no end, more comes."""
        return self._told is not None or (self._is_sampled and self._total is not None)

    @property
    def length(self) -> Length:
        """How long it plays, as far as that is known yet."""
        if self._told is not None:
            return self._told
        if not self._bytes:
            return UNKNOWN
        a_byte = self._seconds / self._bytes
        whole = self._total
        if whole is not None and (self._is_sampled or self._seen >= whole):
            return ended((whole - (self._begins or 0)) * a_byte)
        return at_least((self._seen - (self._begins or 0)) * a_byte)

    def feed(self, chunk: bytes, at: int) -> None:
        """Take bytes that lie at an offset of the file."""
        self._seen = max(self._seen, at + len(chunk))
        if not self._is_sampled and self._window.offer(chunk, at):
            while not self._is_sampled and self._step():
                pass

    def _step(self) -> bool:
        """Go one frame on; False where more must come first."""
        data = self._window.data
        if len(data) < 256 and self._seen != self._total:
            return False
        if self._begins is None and data[:3] == b"ID3":
            self._window.skip(10 + _synchsafe(data[6:10]))
            return True
        frame = frame_at(data, 0)
        if frame is None:
            # Padding, or no audio at all.
            self._window.skip(1)
            return bool(self._window.data)
        if self._begins is None:
            self._begins = self._window.at
            self._told = _table(data, frame)
        self._frames += 1
        self._seconds += frame.seconds
        self._bytes += frame.size
        self._is_sampled = self._told is not None or self._frames >= _SAMPLED
        self._window.skip(frame.size)
        return True


def _table(data: bytearray, frame: Frame) -> Length | None:
    """Read the count of frames that encoders put into the first (Xing, Info, VBRI)."""
    at = frame.side
    if at and bytes(data[at : at + 4]) in (b"Xing", b"Info") and data[at + 7] & 1:
        return ended(int.from_bytes(data[at + 8 : at + 12]) * frame.seconds)
    if at and data[36:40] == b"VBRI":
        return ended(int.from_bytes(data[50:54]) * frame.seconds)
    return None


def _synchsafe(size: bytes | bytearray) -> int:
    return sum((byte & 0x7F) << 7 * (3 - i) for i, byte in enumerate(size))
