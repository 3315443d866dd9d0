"""ZIP as it streams: by its local headers (APPNOTE.TXT of PKWARE), before the directory is there."""

import struct
from collections.abc import Callable

from schoolgate.core.files import unpackers
from schoolgate.core.files.finding import Kind
from schoolgate.core.files.names import form_by_member
from schoolgate.core.files.unpackers import Unpacker
from schoolgate.core.files.walk import Content, Opened, found

_LOCAL, _CENTRAL = b"PK\x03\x04", b"PK\x01\x02"
_DESCRIPTOR = b"PK\x07\x08"
_MOST = 0xFFFFFFFF
_ODF = b"application/vnd.oasis."
_ENCRYPTED, _HAS_DESCRIPTOR, _UTF8, _STRONG = 1, 8, 0x800, 0x2000
_STORED, _LZMA = 0, 14
_METHODS: dict[int, Callable[[], Unpacker]] = {
    _STORED: unpackers.Stored,
    8: unpackers.deflate,
    12: unpackers.bzip2,
    93: unpackers.Zstd,
    20: unpackers.Zstd,
    95: unpackers.xz,
}
# What is not a file: signature → where its length is told, with that before it: (fixed, fields).
_RECORDS = {
    _CENTRAL: (46, ("<HHH", 28)),
    b"PK\x05\x06": (22, ("<H", 20)),
    b"PK\x06\x06": (12, ("<Q", 4)),
    b"PK\x06\x07": (20, None),
    b"PK\x05\x05": (6, ("<H", 4)),
    b"PK\x06\x08": (8, ("<I", 4)),
    _DESCRIPTOR: (4, None),
}


class Zip:
    """Looks at each member as its bytes come.

    Args:
        of: what it is.
    """

    def __init__(self, of: Opened) -> None:
        self._of = of
        self._buffer = bytearray()
        self._step = self._record
        self._content: Content | None = None
        self._unpacker: Unpacker | None = None
        self._lzma_wanted = False
        self._name = ""
        self._mimetype = b""
        # Compressed bytes of the member that are still to come; None where only their end tells.
        self._left: int | None = 0
        self._passed = 0
        self._skipping = 0
        self.done = False

    def feed(self, data: bytes) -> None:
        """Take the next bytes."""
        if self._skipping and not self._buffer:
            gone = min(self._skipping, len(data))
            self._skipping -= gone
            if gone == len(data):
                return
            data = data[gone:]
        self._buffer += data
        while self._buffer and self._step():
            pass

    def end(self) -> None:
        """Note that there are no more."""
        if self._content is not None:
            self._content.end()

    def _take(self, count: int) -> bytes:
        taken = bytes(self._buffer[:count])
        del self._buffer[:count]
        return taken

    def _record(self) -> bool:
        """Read what comes next; whatever is unknown is passed over until something is known."""
        if self._skipping:
            self._skipping -= len(self._take(self._skipping))
            return not self._skipping
        buffer = self._buffer
        if len(buffer) < 4:
            return False
        magic = bytes(buffer[:4])
        if magic == _LOCAL:
            return self._local()
        if magic in _RECORDS:
            fixed, fields = _RECORDS[magic]
            if len(buffer) < fixed:
                return False
            self._skipping = fixed + (
                sum(struct.unpack_from(fields[0], buffer, fields[1])) if fields else 0
            )
            return True
        places = [at for at in (buffer.find(_LOCAL, 1), buffer.find(_CENTRAL, 1)) if at > 0]
        self._take(min(places) if places else len(buffer) - 3)
        return bool(places)

    def _local(self) -> bool:
        buffer = self._buffer
        if len(buffer) < 30:
            return False
        _, flags, method, _, _, _, packed, size, names, extras = struct.unpack_from(
            "<HHHHHIIIHH", buffer, 4
        )
        if len(buffer) < 30 + names + extras:
            return False
        name = bytes(buffer[30 : 30 + names]).decode(
            "utf-8" if flags & _UTF8 else "cp437", "replace"
        )
        extra = bytes(buffer[30 + names : 30 + names + extras])
        self._take(30 + names + extras)
        if packed == _MOST:
            packed = _long_size(extra, is_second=size == _MOST)
        self._begin(name, flags, method, packed)
        return True

    def _begin(self, name: str, flags: int, method: int, packed: int) -> None:
        of = self._of
        inside = (*of.inside, name)
        self._name = name
        is_odf = self._mimetype.startswith(_ODF)
        form = form_by_member(name, is_odf=is_odf)
        if form is not None:
            raise found(Kind.SOFTWARE, form, of.inside)
        if flags & (_ENCRYPTED | _STRONG) or method == 99:
            raise found(Kind.SEALED, "zip", inside)
        self._content = of.open(name)
        self._lzma_wanted = method == _LZMA
        if method not in _METHODS and method != _LZMA and not name.endswith("/"):
            raise found(Kind.SEALED, "zip", inside)
        self._unpacker = None if self._lzma_wanted else _METHODS.get(method, unpackers.Stored)()
        self._left = None if flags & _HAS_DESCRIPTOR else packed
        self._passed = 0
        if self._left is None and method == _STORED:
            self._step = self._until_descriptor
        else:
            self._step = self._member

    def _member(self) -> bool:
        """Hand on what there is of a member."""
        if self._lzma_wanted and not self._begin_lzma():
            return False
        assert self._content is not None
        if self._left is None:
            data = self._take(len(self._buffer))
        else:
            if self._content.done:
                self._skipping, self._left = self._left, 0
                return self._close()
            data = self._take(min(self._left, len(self._buffer)))
            self._left -= len(data)
        self._hand_on(data)
        assert self._unpacker is not None
        if self._left is None and self._unpacker.ended:
            self._buffer[:0] = self._unpacker.unused
            return self._close()
        if self._left == 0:
            return self._close()
        return False

    def _begin_lzma(self) -> bool:
        """Read the properties that stand before LZMA: two bytes of a version, their size, themselves."""
        if len(self._buffer) < 9:
            return False
        (count,) = struct.unpack_from("<H", self._buffer, 2)
        if count != 5:
            raise ValueError("properties of LZMA are five bytes")
        self._unpacker = unpackers.raw_lzma(self._take(9)[4:])
        self._lzma_wanted = False
        if self._left is not None:
            self._left = max(0, self._left - 9)
        return True

    def _hand_on(self, data: bytes) -> None:
        assert self._unpacker is not None
        assert self._content is not None
        of = self._of
        is_stored = isinstance(self._unpacker, unpackers.Stored)
        if self._unpacker.ended:
            return
        for piece in self._unpacker.unpack(data):
            if self._name == "mimetype" and len(self._mimetype) < len(_ODF):
                self._mimetype += piece
            if not is_stored:
                of.walk.unpacked(len(piece), of.inside)
            if not self._content.done:
                self._content.feed(piece)
            elif self._left is not None:
                return

    def _until_descriptor(self) -> bool:
        """Look for the end of a member that is stored without a length: it is told behind it."""
        buffer = self._buffer
        at = buffer.find(_DESCRIPTOR)
        while at >= 0:
            # Sums and lengths of 4 or 8 bytes, and then another record.
            if len(buffer) < at + 26:
                break
            (told,) = struct.unpack_from("<I", buffer, at + 8)
            is_last = b"PK" in (buffer[at + 16 : at + 18], buffer[at + 24 : at + 26])
            if told == (self._passed + at) & _MOST and is_last:
                self._hand_on(self._take(at))
                return self._close()
            at = buffer.find(_DESCRIPTOR, at + 1)
        safe = at if at >= 0 else len(buffer) - 3
        if safe > 0:
            self._passed += safe
            self._hand_on(self._take(safe))
        return False

    def _close(self) -> bool:
        assert self._content is not None
        self._content.end()
        self._content = self._unpacker = None
        self._step = self._record
        return True


def _long_size(extra: bytes, *, is_second: bool) -> int:
    """Give the compressed size of a member beyond 4 GB (ZIP64), behind the other one if that is long, too."""
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, at)
        if kind == 1:
            (size,) = struct.unpack_from("<Q", extra, at + 4 + (8 if is_second else 0))
            return int(size)
        at += 4 + length
    return _MOST
