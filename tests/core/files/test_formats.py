"""The forms with a mark of their own."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schoolgate.core.files.formats import (
    CLOSED,
    CONTAINERS,
    TITLES,
    form_of,
    kind_of,
    late_form_of,
    tar_sum_is_right,
)
from tests.core.files.samples import PE, tarred

MBR = bytes(446) + bytes([0x80, 1, 1, 0, 0x83, 1, 1, 1]) + bytes(8) + bytes(48) + b"\x55\xaa"


@pytest.mark.parametrize(
    ("head", "want"),
    [
        (PE, "pe"),
        (b"MZ words", None),
        (MBR, "img"),
        (MBR[:446] + bytes(64) + b"\x55\xaa", None),
        (b"\xeb\x3c\x90mkfs.fat" + bytes(43) + b"FAT16" + bytes(451) + b"\x55\xaa", "img"),
        (b"\xeb\x52\x90NTFS    " + bytes(499) + b"\x55\xaa", "img"),
        (bytes(512), None),
        (tarred({"a": b"x"}), "tar"),
        (b"070701" + b"0" * 104, "cpio"),
        (b"070701 words", None),
        (b"BZh91AY&SY", "bzip2"),
        (b"BZh9 words", None),
        (b"KDMV words", None),
        (b"", None),
    ],
)
def test_marks(head: bytes, want: str | None) -> None:
    assert form_of(head) == want


def test_file_systems_begin_later() -> None:
    assert late_form_of(bytes(1080) + b"\x53\xef" + bytes(2000)) == "ext"
    assert late_form_of(b"x" + bytes(1079) + b"\x53\xef") is None
    assert late_form_of(bytes(1024) + b"BD" + bytes(99)) == "hfs"
    assert late_form_of(bytes(0x8001) + b"CD001") == "iso"
    assert late_form_of(b"") is None


def test_a_tar_from_before_posix_is_told_by_its_sum() -> None:
    block = bytearray(512)
    block[:5] = b"a.txt"
    block[124:136] = b"00000000001\0"
    block[148:156] = b"%06o\0 " % (sum(block[:148]) + sum(block[156:]) + 256)
    assert tar_sum_is_right(bytes(block))
    assert form_of(bytes(block)) == "tar"
    block[0] += 1
    assert form_of(bytes(block)) is None


@given(st.binary(max_size=600))
def test_any_beginning_has_a_form_with_a_title_or_none(head: bytes) -> None:
    assert form_of(head) in {None, *TITLES}


def test_each_form_counts_as_something_or_is_looked_into() -> None:
    for form in TITLES:
        assert (kind_of(form) is None) == (form in CONTAINERS)
    assert not CLOSED & CONTAINERS
