"""Microsoft's cabinets (MS-CAB): stored or MSZIP is looked into, the rest is judged by its names."""

import struct
import zlib
from collections import deque
from typing import NamedTuple

from schoolgate.core.files.finding import Kind
from schoolgate.core.files.formats import kind_of
from schoolgate.core.files.names import form_by_suffix
from schoolgate.core.files.walk import Content, Opened, UnreadableError, found

_HEADER, _FOLDER, _FILE, _BLOCK = 36, 8, 16, 8
_STORED, _MSZIP = 0, 1
_WINDOW = 32 * 1024


class _Folder(NamedTuple):
    """A folder: where its blocks begin, how many there are and how they are packed."""

    offset: int
    blocks: int
    method: int


class _File(NamedTuple):
    """A file: in which folder, where in what that unpacks to, its size and its name."""

    folder: int
    start: int
    size: int
    name: str


class Cabinet:
    """Reads the tables at the beginning, then the blocks of each folder.

    Args:
        of: what it is.
    """

    def __init__(self, of: Opened) -> None:
        self._of = of
        self._buffer = bytearray()
        self._reserved = 0
        self._at = 0
        self._folders: list[_Folder] = []
        self._files: list[_File] = []
        self._folder = -1
        self._blocks = 0
        self._window = b""
        self._position = 0
        self._queue: deque[_File] = deque()
        self._open: Content | None = None
        self.done = False

    def feed(self, data: bytes) -> None:
        """Take the next bytes."""
        self._buffer += data
        if not self._folders and not self._read_tables():
            if len(self._buffer) > self._of.walk.limits.kept_bytes:
                raise UnreadableError("tables without end")
            return
        while not self.done and self._block():
            pass

    def end(self) -> None:
        """Note that there are no more."""

    def _read_tables(self) -> bool:
        buffer = self._buffer
        if len(buffer) < _HEADER + 4:
            return False
        files_at, folders, files, flags = (
            struct.unpack_from("<I", buffer, 16)[0],
            *struct.unpack_from("<HHH", buffer, 26),
        )
        at = _HEADER
        of_folder = 0
        if flags & 4:
            of_header, of_folder, self._reserved = struct.unpack_from("<HBB", buffer, at)
            at += 4 + of_header
        for is_there in (flags & 1, flags & 1, flags & 2, flags & 2):
            if is_there:
                end = buffer.find(b"\x00", at)
                if end < 0:
                    return False
                at = end + 1
        if len(buffer) < at + folders * (_FOLDER + of_folder):
            return False
        found_folders = []
        for number in range(folders):
            offset, blocks, method = struct.unpack_from(
                "<IHH", buffer, at + number * (_FOLDER + of_folder)
            )
            found_folders.append(_Folder(offset, blocks, method & 15))
        entries = self._read_files(files_at, files)
        if entries is None:
            return False
        self._folders, self._files = sorted(found_folders), entries
        if not found_folders:
            raise UnreadableError("a cabinet without folders")
        order = [sorted(found_folders).index(each) for each in found_folders]
        self._files = [
            f._replace(folder=order[f.folder]) if f.folder < len(order) else f for f in entries
        ]
        self._judge_names()
        self._next_folder()
        return True

    def _read_files(self, at: int, count: int) -> list[_File] | None:
        entries = []
        for _ in range(count):
            if len(self._buffer) < at + _FILE + 1:
                return None
            size, start, folder = struct.unpack_from("<IIH", self._buffer, at)
            end = self._buffer.find(b"\x00", at + _FILE)
            if end < 0:
                return None
            name = bytes(self._buffer[at + _FILE : end]).decode("utf-8", "replace")
            entries.append(_File(folder, start, size, name))
            at = end + 1
        return entries

    def _judge_names(self) -> None:
        """Judge what cannot be unpacked, or goes on in another cabinet, by its name."""
        for each in self._files:
            is_read = each.folder < len(self._folders) and self._folders[each.folder].method in (
                _STORED,
                _MSZIP,
            )
            form = None if is_read else form_by_suffix(each.name)
            if form is not None:
                raise found(kind_of(form) or Kind.SOFTWARE, form, (*self._of.inside, each.name))

    def _next_folder(self) -> None:
        self._folder += 1
        self._window, self._position, self._blocks, self._open = b"", 0, 0, None
        while self._folder < len(self._folders) and self._folders[self._folder].method not in (
            _STORED,
            _MSZIP,
        ):
            self._folder += 1
        self._queue = deque(sorted(f for f in self._files if f.folder == self._folder))
        self.done = self._folder >= len(self._folders)

    def _block(self) -> bool:
        folder = self._folders[self._folder]
        if self._blocks >= folder.blocks:
            self._next_folder()
            return not self.done
        gone = min(folder.offset - self._at, len(self._buffer)) if not self._blocks else 0
        if gone > 0:
            self._drop(gone)
        if not self._blocks and self._at < folder.offset:
            return False
        start = _BLOCK + self._reserved
        if len(self._buffer) < start:
            return False
        (size,) = struct.unpack_from("<H", self._buffer, 4)
        if len(self._buffer) < start + size:
            return False
        data = bytes(self._buffer[start : start + size])
        self._drop(start + size)
        self._blocks += 1
        self._content(self._unpacked(data, folder.method))
        return True

    def _drop(self, count: int) -> None:
        del self._buffer[:count]
        self._at += count

    def _unpacked(self, data: bytes, method: int) -> bytes:
        if method == _STORED:
            return data
        if data[:2] != b"CK":
            raise UnreadableError("no block of MSZIP")
        made = zlib.decompressobj(-zlib.MAX_WBITS, zdict=self._window).decompress(
            data[2:], _WINDOW + 1
        )
        self._of.walk.unpacked(len(made), self._of.inside)
        self._window = (self._window + made)[-_WINDOW:]
        return made

    def _content(self, data: bytes) -> None:
        """Hand what a block unpacked to on to the files that it is of; they stand one after the other."""
        first, last = self._position, self._position + len(data)
        self._position = last
        while self._queue and self._queue[0].start < last:
            each = self._queue[0]
            if self._open is None:
                if each.start < first:
                    raise UnreadableError("files within each other")
                self._open = self._of.open(each.name)
            end = each.start + each.size
            self._open.feed(data[max(0, each.start - first) : end - first])
            if end > last:
                return
            self._open.end()
            self._open = None
            self._queue.popleft()
            first, data = end, data[end - first :]
