"""Decompressors that take bytes as they come and give pieces of a bounded size."""

import bz2
import lzma
import struct
import zlib
from collections.abc import Iterator
from typing import Protocol

import zstandard

# No piece is longer, but for zstd, which takes slices so small that it is bounded as well.
PIECE_BYTES = 256 * 1024
# A block of zstd takes 4 bytes and gives 128 KB at most (RFC 8878, 3.1.1.2).
_ZSTD_SLICE = 256
_LZMA_MEMORY = 128 * 1024 * 1024
DAMAGE = (zlib.error, lzma.LZMAError, zstandard.ZstdError, OSError, EOFError,
          ValueError, IndexError, struct.error, OverflowError)  # fmt: skip


class Unpacker(Protocol):
    """One compressed stream.

    Attributes:
        ended: the stream is whole.
        unused: what came after its end.
    """

    ended: bool
    unused: bytes

    def unpack(self, data: bytes) -> Iterator[bytes]:
        """Give what the next bytes unpack to, in pieces.

        Raises:
            One of `DAMAGE`, when the stream is broken.
        """


class Zlib:
    """Deflate: raw, or with the frame of gzip or zlib.

    Args:
        window: as zlib's ``wbits``.
    """

    def __init__(self, window: int) -> None:
        self._object = zlib.decompressobj(window)
        self.ended = False
        self.unused = b""

    def unpack(self, data: bytes) -> Iterator[bytes]:
        """Give what the next bytes unpack to."""
        while data and not self._object.eof:
            piece = self._object.decompress(data, PIECE_BYTES)
            data = self._object.unconsumed_tail
            if piece:
                yield piece
        self.ended, self.unused = self._object.eof, self._object.unused_data


class Blocks:
    """Those of the standard library that say when they need more: bz2 and lzma."""

    def __init__(self, of: bz2.BZ2Decompressor | lzma.LZMADecompressor) -> None:
        self._object = of
        self.ended = False
        self.unused = b""

    def unpack(self, data: bytes) -> Iterator[bytes]:
        """Give what the next bytes unpack to."""
        while not self._object.eof:
            piece = self._object.decompress(data, PIECE_BYTES)
            data = b""
            if piece:
                yield piece
            elif self._object.needs_input:
                break
            if self._object.needs_input:
                break
        self.ended = self._object.eof
        if self.ended:
            self.unused = self._object.unused_data


class Zstd:
    """One frame of Zstandard (RFC 8878)."""

    def __init__(self) -> None:
        self._object = zstandard.ZstdDecompressor(max_window_size=2**27).decompressobj()
        self.ended = False
        self.unused = b""

    def unpack(self, data: bytes) -> Iterator[bytes]:
        """Give what the next bytes unpack to."""
        for at in range(0, len(data), _ZSTD_SLICE):
            piece = self._object.decompress(data[at : at + _ZSTD_SLICE])
            if piece:
                yield piece
            if self._object.eof:
                self.ended = True
                self.unused = self._object.unused_data + data[at + _ZSTD_SLICE :]
                break


class Stored:
    """What is not compressed at all."""

    def __init__(self) -> None:
        self.ended = False
        self.unused = b""

    def unpack(self, data: bytes) -> Iterator[bytes]:
        """Give it as it came."""
        yield data


def gzip() -> Unpacker:
    """Make one for a member of gzip (RFC 1952)."""
    return Zlib(16 + zlib.MAX_WBITS)


def deflate() -> Unpacker:
    """Make one for raw deflate (RFC 1951)."""
    return Zlib(-zlib.MAX_WBITS)


def bzip2() -> Unpacker:
    """Make one for a stream of bzip2."""
    return Blocks(bz2.BZ2Decompressor())


def xz() -> Unpacker:
    """Make one for a stream of xz."""
    return Blocks(lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_LZMA_MEMORY))


def lzma_alone() -> Unpacker:
    """Make one for the form that was before xz."""
    return Blocks(lzma.LZMADecompressor(lzma.FORMAT_ALONE, memlimit=_LZMA_MEMORY))


def raw_lzma(properties: bytes, *, second: bool = False) -> Unpacker:
    """Make one for LZMA or, as `second`, LZMA2 without a frame.

    Args:
        properties: as 7z and zip keep them: five bytes, or one.
        second: it is LZMA2.

    Raises:
        ValueError: when there can be none such.
    """
    if second:
        bits = properties[0]
        size = 2**32 - 1 if bits >= 40 else (2 | (bits & 1)) << (bits // 2 + 11)
        filters = {"id": lzma.FILTER_LZMA2, "dict_size": size}
    else:
        first, size = struct.unpack_from("<BI", properties)
        rest, lc = divmod(first, 9)
        pb, lp = divmod(rest, 5)
        filters = {"id": lzma.FILTER_LZMA1, "dict_size": size, "lc": lc, "lp": lp, "pb": pb}
    if size > _LZMA_MEMORY:
        raise ValueError("the window is too large")
    filters["dict_size"] = max(4096, size)
    return Blocks(lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=[filters]))
