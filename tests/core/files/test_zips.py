"""A ZIP is read by its local headers, in whatever way it was written."""

import struct
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.files.samples import ELF, HARMLESS, recognised, told, zipped

METHODS = [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]


@given(
    st.lists(st.sampled_from([b"", b"x", HARMLESS, HARMLESS * 9, bytes(5000)]), max_size=5),
    st.sampled_from(METHODS),
    st.booleans(),
    st.booleans(),
    st.integers(1, 900),
)
def test_finds_a_program_behind_any_members(
    before: list[bytes], method: int, streamed: bool, has_one: bool, piece: int
) -> None:
    members = {str(n): data for n, data in enumerate(before)} | (
        {"last": ELF} if has_one else {"l": b"y"}
    )
    data = zipped(members, method, streamed=streamed)
    finding = recognised(data, cuts=list(range(piece, len(data), piece)))
    assert told(finding) == ("software/elf" if has_one else "none")


def test_a_stored_member_may_hold_the_mark_of_its_own_end() -> None:
    """Its length is told behind it only, and the words that stand there may stand in it, too."""
    tricky = b"PK\x07\x08" + bytes(30) + b"PK\x03\x04" + ELF
    data = zipped({"a": tricky, "b": ELF}, zipfile.ZIP_STORED, streamed=True)
    finding = recognised(data)
    assert finding is not None
    assert finding.name_inside == "b"


def test_sizes_beyond_four_gigabytes_stand_elsewhere() -> None:
    extra = struct.pack("<HHQQ", 1, 16, len(ELF), len(ELF))
    head = struct.pack(
        "<4sHHHHHIIIHH", b"PK\x03\x04", 45, 0, 0, 0, 0, 0, 2**32 - 1, 2**32 - 1, 1, len(extra)
    )
    whole = head + b"a" + extra + HARMLESS[: len(ELF)].ljust(len(ELF)) + zipped({"b": ELF})
    finding = recognised(whole)
    assert finding is not None
    assert finding.name_inside == "b"


def test_bytes_between_members_are_passed_over() -> None:
    whole = zipped({"a": HARMLESS})
    assert told(recognised(whole[:-22] + bytes(777) + zipped({"b": ELF}))) == "software/elf"


@pytest.mark.parametrize("flags", [1, 0x2000, 0x2001])
def test_a_password(flags: int) -> None:
    data = bytearray(zipped({"a.txt": HARMLESS}))
    struct.pack_into("<H", data, 6, flags)
    assert told(recognised(bytes(data))) == "sealed/zip"


def test_names_in_the_old_code_page() -> None:
    data = bytearray(zipped({"a.txt": ELF}))
    data[30] = 0x81
    finding = recognised(bytes(data))
    assert finding is not None
    assert finding.name_inside == "ü.txt"
