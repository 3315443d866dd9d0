"""A file that is one compressed file: gzip, bzip2, xz, lzma, lzip and zstd, each of them repeated or not."""

import struct
from collections.abc import Callable
from pathlib import PurePosixPath

from schoolgate.core.files import unpackers
from schoolgate.core.files.unpackers import Unpacker
from schoolgate.core.files.walk import Opened

_LZIP_HEADER, _LZIP_TRAILER = 6, 20
_MAKERS: dict[str, Callable[[], Unpacker]] = {
    "gzip": unpackers.gzip,
    "bzip2": unpackers.bzip2,
    "xz": unpackers.xz,
    "lzma": unpackers.lzma_alone,
    "zstd": unpackers.Zstd,
}
_STARTS = {"gzip": b"\x1f\x8b", "bzip2": b"BZh", "xz": b"\xfd7zXZ\x00", "lzip": b"LZIP"}
_ZSTD = b"\x28\xb5\x2f\xfd"


class Compressed:
    """Unpacks one stream after the other; together they are one file.

    Args:
        of: what it is.
        form: its form.
    """

    def __init__(self, of: Opened, form: str) -> None:
        self._of = of
        self._form = form
        self._unpacker: Unpacker | None = None
        self._waiting = b""
        self._to_skip = 0
        self._is_first = True
        self.done = False
        self._content = of.open(_name_within(of.name, form))

    def feed(self, data: bytes) -> None:
        """Take the next bytes."""
        data = self._waiting + data
        self._waiting = b""
        while data and not self.done:
            data = self._skipped(data)
            if data and self._unpacker is None:
                data = self._begin(data)
            if self._unpacker is not None:
                data = self._go_on(data)

    def end(self) -> None:
        """Note that there are no more."""
        if not self.done:
            self._content.end()

    def _skipped(self, data: bytes) -> bytes:
        count = min(self._to_skip, len(data))
        self._to_skip -= count
        return data[count:]

    def _begin(self, data: bytes) -> bytes:
        """Begin a stream, and give what there is of it; nothing while too few of its bytes are here."""
        if len(data) < 16:
            self._waiting = data
            return b""
        if self._form == "zstd" and data[1:4] == b"\x2a\x4d\x18" and 0x50 <= data[0] < 0x60:
            self._to_skip = 8 + struct.unpack_from("<I", data, 4)[0]
            return data
        if not self._is_first and not self._repeats(data):
            # What stands behind a whole stream is not unpacked by anybody.
            self._content.end()
            self.done = True
            return b""
        self._is_first = False
        self._unpacker = self._make(data)
        return data

    def _repeats(self, data: bytes) -> bool:
        return data.startswith(
            _ZSTD if self._form == "zstd" else _STARTS.get(self._form, b"\x00no")
        )

    def _make(self, data: bytes) -> Unpacker:
        if self._form != "lzip":
            return _MAKERS[self._form]()
        # The size of the dictionary in the lower bits, less sixteenths of it in the upper ones.
        coded = data[5]
        size = 1 << (coded & 31)
        size -= (size // 16) * (coded >> 5)
        self._to_skip = _LZIP_HEADER
        return unpackers.raw_lzma(struct.pack("<BI", 93, size))

    def _go_on(self, data: bytes) -> bytes:
        assert self._unpacker is not None
        data = self._skipped(data)
        of = self._of
        for piece in self._unpacker.unpack(data):
            of.walk.unpacked(len(piece), of.inside)
            self._content.feed(piece)
            if self._content.done:
                self.done = True
                return b""
        if not self._unpacker.ended:
            return b""
        rest = self._unpacker.unused
        self._unpacker = None
        if self._form == "lzip":
            self._to_skip = _LZIP_TRAILER
        return rest


def _name_within(name: str, form: str) -> str:
    """Give the name of what is compressed: that without the last suffix, or for ``.tgz`` a ``.tar``."""
    path = PurePosixPath(name)
    suffix = path.suffix.lower()
    if suffix in (".tgz", ".tbz", ".tbz2", ".txz", ".tzst"):
        return path.with_suffix(".tar").name
    return path.stem if name and suffix else name or form
