"""Decompressors take bytes as they come, give pieces of a bounded size, and say where the stream ended."""

import bz2
import gzip
import lzma
import struct
import zlib
from collections.abc import Callable

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from schoolgate.core.files import unpackers
from schoolgate.core.files.unpackers import DAMAGE, Unpacker

RAW = [{"id": lzma.FILTER_LZMA1, "dict_size": 65_536}]
MAKERS: dict[str, tuple[Callable[[], Unpacker], Callable[[bytes], bytes]]] = {
    "gzip": (unpackers.gzip, gzip.compress),
    "deflate": (unpackers.deflate, lambda data: zlib.compress(data, wbits=-15)),
    "bzip2": (unpackers.bzip2, bz2.compress),
    "xz": (unpackers.xz, lzma.compress),
    "lzma": (unpackers.lzma_alone, lambda data: lzma.compress(data, lzma.FORMAT_ALONE)),
    "zstd": (unpackers.Zstd, zstandard.compress),
}


@pytest.mark.parametrize("name", MAKERS)
@given(st.binary(max_size=4000), st.integers(1, 300))
def test_gives_what_was_packed(name: str, data: bytes, piece: int) -> None:
    make, pack = MAKERS[name]
    unpacker, packed = make(), pack(data)
    out = b"".join(
        made
        for at in range(0, len(packed), piece)
        for made in unpacker.unpack(packed[at : at + piece])
    )
    assert out == data
    assert unpacker.ended


@pytest.mark.parametrize("name", MAKERS)
def test_gives_back_what_stands_behind_the_stream(name: str) -> None:
    make, pack = MAKERS[name]
    unpacker = make()
    assert b"".join(unpacker.unpack(pack(b"x" * 500) + b"behind")) == b"x" * 500
    assert unpacker.unused == b"behind"


@pytest.mark.parametrize("name", MAKERS)
def test_pieces_of_a_bomb_are_bounded(name: str) -> None:
    make, pack = MAKERS[name]
    most = max(map(len, make().unpack(pack(bytes(20_000_000)))))
    assert most <= (unpackers.PIECE_BYTES * 4 if name != "zstd" else 64 * 128 * 1024)


@pytest.mark.parametrize("name", MAKERS)
def test_what_is_broken_raises_what_is_known(name: str) -> None:
    make, pack = MAKERS[name]
    packed = pack(b"words " * 500)
    # Bytes of a header; within a block of deflate anything may still mean something.
    whole = {"gzip": 10, "deflate": 0}
    with pytest.raises(DAMAGE):
        list(make().unpack(packed[: whole.get(name, 12)] + b"\xff" * 4000))


def test_lzma_without_a_frame() -> None:
    data = lzma.compress(b"words " * 90, lzma.FORMAT_RAW, filters=RAW)
    assert (
        b"".join(unpackers.raw_lzma(struct.pack("<BI", 93, 65_536)).unpack(data)) == b"words " * 90
    )
    second = [{"id": lzma.FILTER_LZMA2, "dict_size": 65_536}]
    data = lzma.compress(b"words " * 90, lzma.FORMAT_RAW, filters=second)
    assert b"".join(unpackers.raw_lzma(bytes([8]), second=True).unpack(data)) == b"words " * 90


@pytest.mark.parametrize(
    ("properties", "second"),
    [
        (struct.pack("<BI", 93, 2**31), False),
        (bytes([40]), True),
        (b"", True),
        (b"\xff\0\0\0\0", False),
    ],
)
def test_windows_beyond_the_limit_are_refused(properties: bytes, *, second: bool) -> None:
    with pytest.raises(DAMAGE):
        unpackers.raw_lzma(properties, second=second)
