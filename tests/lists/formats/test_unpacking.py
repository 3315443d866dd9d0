"""Compression comes off up to a limit."""

import gzip
import os
from collections.abc import Iterator

import pytest

from schoolgate.lists.formats import Limits, NoListError, unpack

_LIMITS = Limits(50_000_000)


@pytest.mark.parametrize("size", [1, 7, 4096])
def test_what_was_packed_comes_back(size: int) -> None:
    text = b"".join(b"%d.example\n" % number for number in range(5000))
    packed = gzip.compress(text[:20_000]) + gzip.compress(text[20_000:])
    pieces = [packed[start : start + size] for start in range(0, len(packed), size)]
    assert b"".join(unpack(pieces, _LIMITS)) == text


def test_what_was_not_packed_stays_as_it_is() -> None:
    assert b"".join(unpack([b"e", b"xample.com\n"], _LIMITS)) == b"example.com\n"
    assert b"".join(unpack([], _LIMITS)) == b""


def test_a_bomb_is_refused_long_before_it_is_unpacked() -> None:
    bomb = gzip.compress(bytes(100_000_000))
    unpacked = 0
    with pytest.raises(NoListError, match="100 times its size"):
        for piece in unpack([bomb], Limits(10**12)):
            unpacked += len(piece)
    assert unpacked < 12_000_000


def test_what_never_ends_is_refused_at_the_limit() -> None:
    def zeros() -> Iterator[bytes]:
        while True:
            yield bytes(1 << 20)

    with pytest.raises(NoListError, match="larger than 50 MB"):
        for _ in unpack(zeros(), _LIMITS):
            pass


def test_what_is_cut_off_or_damaged_is_refused() -> None:
    packed = gzip.compress(os.urandom(5000))
    with pytest.raises(NoListError, match="cut off"):
        list(unpack([packed[:-20]], _LIMITS))
    with pytest.raises(NoListError, match="damaged"):
        list(unpack([packed[:100] + b"\xff\x00" * 50 + packed[200:]], _LIMITS))
