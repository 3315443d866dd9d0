"""The directory of a 7z gives its names, and whether a password is needed."""

import struct

import pytest

from schoolgate.core.files.sevenzip_directory import Directory
from schoolgate.core.files.walk import UnreadableError
from tests.core.files.samples import seven


def _directory(data: bytes) -> bytes:
    offset, size = struct.unpack_from("<QQ", data, 12)
    return data[32 + offset + 1 :][: size - 1]


def test_names_and_locks() -> None:
    assert Directory(_directory(seven(["a", "b/ü"]))).files() == (False, ["a", "b/ü"])
    locked = seven(["a"], method=b"\x06\xf1\x07\x01")
    assert Directory(_directory(locked)).files() == (True, ["a"])


@pytest.mark.parametrize(
    ("data", "want"),
    [
        (b"\x05", 5),
        (b"\x80\x05", 5),
        (b"\x81\x02", 258),
        (b"\xc0\x01\x02", 513),
        (b"\xff" + bytes([1]) * 8, 0x0101010101010101),
    ],
)
def test_numbers(data: bytes, want: int) -> None:
    assert Directory(data).number() == want


def test_what_is_cut_off_is_refused() -> None:
    whole = _directory(seven(["a", "b"]))
    for end in range(1, len(whole) - 1):
        with pytest.raises((UnreadableError, IndexError)):
            Directory(whole[:end]).files()
