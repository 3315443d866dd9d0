"""RAR 4 and 5 as they stream: what is stored is looked into, what is packed is judged by its name."""

import struct
import zlib

from schoolgate.core.files.finding import Kind
from schoolgate.core.files.formats import kind_of
from schoolgate.core.files.names import form_by_suffix
from schoolgate.core.files.walk import Content, Opened, UnreadableError, found

_OLD, _NEW = b"Rar!\x1a\x07\x00", b"Rar!\x1a\x07\x01\x00"
_LONGEST_HEADER = 2 * 1024 * 1024


class Rar:
    """Reads one header after the other.

    Args:
        of: what it is.
    """

    def __init__(self, of: Opened) -> None:
        self._of = of
        self._buffer = bytearray()
        self._is_new: bool | None = None
        self._left = 0
        self._content: Content | None = None
        self.done = False

    def feed(self, data: bytes) -> None:
        """Take the next bytes."""
        view = memoryview(data)
        while view and not self.done:
            if self._left:
                view = self._of_member(view)
                continue
            self._buffer += view[:65_536]
            view = view[65_536:]
            while not self._left and not self.done and self._step():
                pass
            if self._left and self._buffer:
                rest = bytes(self._buffer) + bytes(view)
                self._buffer.clear()
                view = memoryview(rest)

    def end(self) -> None:
        """Note that there are no more."""
        if self._content is not None:
            self._content.end()

    def _of_member(self, view: memoryview) -> memoryview:
        part = view[: self._left]
        self._left -= len(part)
        if self._content is not None and not self._content.done:
            self._content.feed(bytes(part))
        if not self._left and self._content is not None:
            self._content.end()
            self._content = None
        return view[len(part) :]

    def _step(self) -> bool:
        """Read one header, if it is whole."""
        if self._is_new is None:
            if len(self._buffer) < 8:
                return False
            self._is_new = self._buffer[:8] == _NEW
            if not self._is_new and self._buffer[:7] != _OLD:
                raise UnreadableError("an older RAR")
            del self._buffer[: 8 if self._is_new else 7]
            return True
        return self._new_header() if self._is_new else self._old_header()

    def _old_header(self) -> bool:
        buffer = self._buffer
        if len(buffer) < 7:
            return False
        kind, flags, size = struct.unpack_from("<BHH", buffer, 2)
        if size < 7 or not 0x72 <= kind <= 0x7B:
            raise UnreadableError("no header of RAR")
        if len(buffer) < max(size, 11):
            self.done = kind == 0x7B
            return False
        header = bytes(buffer[:size])
        more = struct.unpack_from("<I", header, 7)[0] if flags & 0x8000 and size >= 11 else 0
        del buffer[:size]
        if kind == 0x73 and flags & 0x80:
            raise found(Kind.SEALED, "rar", self._of.inside)
        self.done = kind == 0x7B
        if kind != 0x74:
            self._left = more
            return True
        method, name_size = struct.unpack_from("<BH", header, 25)
        at = 32
        if flags & 0x100:
            more += struct.unpack_from("<I", header, 32)[0] << 32
            at = 40
        # Behind a zero byte it stands again, packed in a way of its own.
        name = header[at : at + name_size].partition(b"\x00")[0].decode("utf-8", "replace")
        is_directory = flags & 0xE0 == 0xE0
        self._begin(
            name,
            more,
            is_stored=method == 0x30,
            is_locked=bool(flags & 4),
            is_file=not is_directory,
        )
        return True

    def _new_header(self) -> bool:
        buffer = self._buffer
        if len(buffer) < 7:
            return False
        size, at = _number(buffer, 4)
        if not 0 < size <= _LONGEST_HEADER:
            raise UnreadableError("no header of RAR")
        if len(buffer) < at + size:
            return False
        if zlib.crc32(buffer[4 : at + size]) != struct.unpack_from("<I", buffer)[0]:
            raise UnreadableError("a header of RAR with a wrong sum")
        header = bytes(buffer[at : at + size])
        del buffer[: at + size]
        kind, at = _number(header, 0)
        flags, at = _number(header, at)
        extra, at = _number(header, at) if flags & 1 else (0, at)
        more, at = _number(header, at) if flags & 2 else (0, at)
        if kind == 4:
            raise found(Kind.SEALED, "rar", self._of.inside)
        self.done = kind == 5
        if kind == 2:
            self._new_file(header, at, extra, more)
        else:
            self._left = more
        return True

    def _new_file(self, header: bytes, at: int, extra: int, more: int) -> None:
        flags, at = _number(header, at)
        _, at = _number(header, at)
        _, at = _number(header, at)
        at += (4 if flags & 2 else 0) + (4 if flags & 4 else 0)
        how, at = _number(header, at)
        _, at = _number(header, at)
        length, at = _number(header, at)
        name = header[at : at + length].decode("utf-8", "replace")
        is_locked = _is_locked(header[len(header) - extra :] if extra else b"")
        self._begin(
            name, more, is_stored=not how >> 7 & 7, is_locked=is_locked, is_file=not flags & 1
        )

    def _begin(
        self, name: str, size: int, *, is_stored: bool, is_locked: bool, is_file: bool
    ) -> None:
        inside = (*self._of.inside, name)
        if is_locked:
            raise found(Kind.SEALED, "rar", inside)
        self._left = size
        if not is_file:
            return
        content = self._of.open(name)
        if is_stored:
            self._content = content
            return
        form = form_by_suffix(name)
        if form is not None:
            raise found(kind_of(form) or Kind.SOFTWARE, form, inside)


def _number(data: bytes | bytearray, at: int) -> tuple[int, int]:
    """Read a number in groups of seven bits, and where it ends.

    Raises:
        UnreadableError: when it has more than 64.
    """
    value = 0
    for shift in range(0, 70, 7):
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise UnreadableError("a number of RAR without end")


def _is_locked(extra: bytes) -> bool:
    at = 0
    while at < len(extra):
        size, start = _number(extra, at)
        kind, _ = _number(extra, start)
        if kind == 1:
            return True
        at = start + size
    return False
