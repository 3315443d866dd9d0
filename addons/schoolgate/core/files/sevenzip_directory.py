"""The directory of a 7z archive, as 7zFormat.txt of the LZMA SDK describes it."""

from typing import NamedTuple

from schoolgate.core.files.walk import UnreadableError

_END, _STREAMS, _FILES, _PACK, _UNPACK, _SUBSTREAMS, _SIZES = 0, 4, 5, 6, 7, 8, 9
_CRC, _FOLDER, _UNPACK_SIZES, _COUNT, _NAMES, _ARCHIVE = 10, 11, 12, 13, 17, 2
_AES = b"\x06\xf1\x07\x01"
_MOST_CODERS = 32


class Coder(NamedTuple):
    """How a folder is packed: the method's id and its properties."""

    method: bytes
    properties: bytes


class Streams(NamedTuple):
    """Where packed bytes stand (from byte 32 on), and how each folder of them is packed."""

    position: int
    packed: list[int]
    folders: list[list[Coder]]
    unpacked: list[int]

    @property
    def is_locked(self) -> bool:
        """Whether a password is needed for any of them."""
        return any(coder.method == _AES for folder in self.folders for coder in folder)


class Directory:
    """Reads what a directory says.

    Args:
        data: of the directory.
    """

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def byte(self) -> int:
        """Read one byte."""
        self._at += 1
        return self._data[self._at - 1]

    def take(self, count: int) -> bytes:
        """Read so many bytes."""
        if count < 0 or self._at + count > len(self._data):
            raise UnreadableError("a directory that is cut off")
        self._at += count
        return self._data[self._at - count : self._at]

    def number(self) -> int:
        """Read a number: the ones at the top of its first byte say how many bytes follow."""
        first = self.byte()
        mask, value = 0x80, 0
        for place in range(8):
            if not first & mask:
                return value + ((first & (mask - 1)) << (8 * place))
            value |= self.byte() << (8 * place)
            mask >>= 1
        return value

    def streams(self) -> Streams:
        """Read where the packed streams are and how they are packed."""
        position, packed, folders, unpacked = 0, list[int](), list[list[Coder]](), list[int]()
        has_sum = list[bool]()
        while (kind := self.byte()) != _END:
            if kind == _PACK:
                position, packed = self._pack_info()
            elif kind == _UNPACK:
                folders, unpacked, has_sum = self._folders()
            elif kind == _SUBSTREAMS:
                self._substreams(has_sum)
            else:
                raise UnreadableError("unknown in the streams")
        return Streams(position, packed, folders, unpacked)

    def files(self) -> tuple[bool, list[str]]:
        """Read whether anything is locked by a password, and the names of all files."""
        is_locked, names = False, list[str]()
        while (kind := self.byte()) != _END:
            if kind == _ARCHIVE:
                self._properties()
            elif kind == _STREAMS:
                is_locked = self.streams().is_locked
            elif kind == _FILES:
                names = self._names()
            else:
                raise UnreadableError("unknown in the directory")
        return is_locked, names

    def _properties(self) -> None:
        while self.number() != _END:
            self.take(self.number())

    def _pack_info(self) -> tuple[int, list[int]]:
        position, count = self.number(), self.number()
        packed = list[int]()
        while (kind := self.byte()) != _END:
            if kind == _SIZES:
                packed = [self.number() for _ in range(self._count(count))]
            elif kind == _CRC:
                self._sums(count)
            else:
                raise UnreadableError("unknown in the packed streams")
        return position, packed

    def _folders(self) -> tuple[list[list[Coder]], list[int], list[bool]]:
        if self.byte() != _FOLDER:
            raise UnreadableError("no folders")
        count = self._count(self.number())
        if self.byte():
            raise UnreadableError("folders elsewhere")
        shapes = [self._folder() for _ in range(count)]
        unpacked, has_sum = list[int](), [False] * count
        while (kind := self.byte()) != _END:
            if kind == _UNPACK_SIZES:
                unpacked = [self.number() for _, outs in shapes for _ in range(outs)]
            elif kind == _CRC:
                has_sum = self._sums(count)
            else:
                raise UnreadableError("unknown in the folders")
        return [coders for coders, _ in shapes], unpacked, has_sum

    def _folder(self) -> tuple[list[Coder], int]:
        count = self.number()
        if not 0 < count <= _MOST_CODERS:
            raise UnreadableError("a folder with too many coders")
        coders, ins, outs = list[Coder](), 0, 0
        for _ in range(count):
            flags = self.byte()
            method = self.take(flags & 15)
            given = (self.number(), self.number()) if flags & 0x10 else (1, 1)
            ins, outs = ins + given[0], outs + given[1]
            coders.append(Coder(method, self.take(self.number()) if flags & 0x20 else b""))
        if max(ins, outs) > _MOST_CODERS:
            raise UnreadableError("a folder with too many streams")
        bound = outs - 1
        for _ in range(2 * bound):
            self.number()
        for _ in range(ins - bound if ins - bound > 1 else 0):
            self.number()
        return coders, outs

    def _substreams(self, has_sum: list[bool]) -> None:
        """Read how many files each folder has, their sizes and sums; only the place behind them is wanted."""
        counts = [1] * len(has_sum)
        while (kind := self.byte()) != _END:
            if kind == _COUNT:
                counts = [self._count(self.number()) for _ in has_sum]
            elif kind == _SIZES:
                for _ in range(self._count(sum(max(0, count - 1) for count in counts))):
                    self.number()
            elif kind == _CRC:
                pairs = zip(counts, has_sum, strict=True)
                self._sums(sum(0 if count == 1 and known else count for count, known in pairs))
            else:
                raise UnreadableError("unknown in the substreams")

    def _sums(self, count: int) -> list[bool]:
        """Read sums, of all or of those whose bits are set."""
        present = [True] * self._count(count)
        if not self.byte():
            bits = self.take((count + 7) // 8)
            present = [bool(bits[n >> 3] & 0x80 >> (n & 7)) for n in range(count)]
        self.take(4 * sum(present))
        return present

    def _count(self, count: int) -> int:
        if count > len(self._data):
            raise UnreadableError("more than there can be")
        return count

    def _names(self) -> list[str]:
        """Read the properties of the files, of which the names are one."""
        self.number()
        names = list[str]()
        while (kind := self.byte()) != _END:
            block = self.take(self.number())
            if kind == _NAMES:
                if block[:1] != b"\x00":
                    raise UnreadableError("names elsewhere")
                names = block[1:].decode("utf-16-le", "replace").split("\x00")[:-1]
        return names
