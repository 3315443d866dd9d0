"""7z as it streams: its directory stands at the end, with the names and whether there is a password.

Whoever is kept from the last bytes has nothing: without the directory no program opens the archive.
"""

import struct

from schoolgate.core.files import unpackers
from schoolgate.core.files.finding import Kind
from schoolgate.core.files.formats import kind_of
from schoolgate.core.files.names import form_by_suffix
from schoolgate.core.files.sevenzip_directory import Directory, Streams
from schoolgate.core.files.walk import Opened, UnreadableError, found

_START = 32
_HEADER, _ENCODED = 1, 23
_LZMA, _LZMA2, _COPY = b"\x03\x01\x01", b"\x21", b"\x00"


class SevenZip:
    """Keeps the last bytes before the directory, and reads it when it is there.

    Args:
        of: what it is.
    """

    def __init__(self, of: Opened) -> None:
        self._of = of
        self._kept = bytearray()
        self._at = 0
        self._directory = (0, 0)
        self.done = False

    def feed(self, data: bytes) -> None:
        """Take the next bytes."""
        most = self._of.walk.limits.kept_bytes
        self._kept += data
        self._at += len(data)
        if not self._directory[1]:
            if self._at < _START:
                return
            offset, size = struct.unpack_from("<QQ", self._kept, 12)
            if not size:
                self.done = True
                return
            if size > most:
                raise UnreadableError("a directory without end")
            self._directory = _START + offset, size
        start, size = self._directory
        if self._at >= start + size:
            self._read()
            self.done = True
        # The directory may itself be packed, and stands then right before its description.
        elif len(self._kept) > most + size + 65_536:
            del self._kept[: len(self._kept) - most - size]

    def end(self) -> None:
        """Note that there are no more."""
        if not self.done:
            raise UnreadableError("its directory is missing")

    def _piece(self, start: int, size: int) -> bytes:
        begin = start - (self._at - len(self._kept))
        if begin < 0 or size < 0:
            raise UnreadableError("a directory too far from its description")
        return bytes(self._kept[begin : begin + size])

    def _read(self) -> None:
        header = self._piece(*self._directory)
        for _ in range(4):
            reader = Directory(header)
            kind = reader.byte()
            if kind == _HEADER:
                self._judge(reader)
                return
            if kind != _ENCODED:
                raise UnreadableError("no directory of 7z")
            header = self._unpacked(reader.streams())
        raise UnreadableError("a directory within directories")

    def _unpacked(self, streams: Streams) -> bytes:
        if streams.is_locked:
            raise found(Kind.SEALED, "7z", self._of.inside)
        if len(streams.folders) != 1 or len(streams.folders[0]) != 1 or not streams.packed:
            raise UnreadableError("a directory packed in parts")
        coder, size = streams.folders[0][0], streams.unpacked[0]
        data = self._piece(_START + streams.position, streams.packed[0])
        if coder.method == _COPY:
            return data
        if coder.method not in (_LZMA, _LZMA2) or size > self._of.walk.limits.kept_bytes * 16:
            raise UnreadableError("a directory packed otherwise")
        unpacker = unpackers.raw_lzma(coder.properties, second=coder.method == _LZMA2)
        made = bytearray()
        for piece in unpacker.unpack(data):
            self._of.walk.unpacked(len(piece), self._of.inside)
            made += piece
            if len(made) >= size:
                break
        return bytes(made[:size])

    def _judge(self, reader: Directory) -> None:
        is_locked, names = reader.files()
        for name in names:
            form = form_by_suffix(name)
            if form is not None:
                raise found(kind_of(form) or Kind.SOFTWARE, form, (*self._of.inside, name))
        if is_locked:
            raise found(Kind.SEALED, "7z", self._of.inside)
