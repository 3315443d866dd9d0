"""What is stored in a RAR is looked into, what is packed is judged by its name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.files.samples import (
    HARMLESS,
    PE,
    number,
    recognised,
    stored_rar4,
    stored_rar5,
    told,
)

LOCKED = number(2) + number(1) + b"x"


@pytest.mark.parametrize(
    ("data", "want"),
    [
        (stored_rar5("a.txt", HARMLESS), "none"),
        (stored_rar5("a.txt", PE), "software/pe"),
        (stored_rar5("a.txt", HARMLESS, method=3), "none"),
        (stored_rar5("a.exe", HARMLESS, method=3), "software/named"),
        (stored_rar5("a.txt", HARMLESS, extra=LOCKED), "sealed/rar"),
        (stored_rar4("a.txt", HARMLESS), "none"),
        (stored_rar4("a.txt", PE), "software/pe"),
        (stored_rar4("a.exe", HARMLESS, method=0x33), "software/named"),
        (stored_rar4("a.txt", HARMLESS, flags=0x8004), "sealed/rar"),
        (stored_rar5("a.txt", HARMLESS)[:30] + bytes(20), "sealed/rar"),
        (b"Rar!\x1a\x07\x02\x00" + bytes(20), "sealed/rar"),
    ],
)
def test_members(data: bytes, want: str) -> None:
    assert told(recognised(data)) == want


@given(st.lists(st.integers(0, 1500), max_size=6))
def test_it_does_not_matter_how_it_is_cut(cuts: list[int]) -> None:
    assert told(recognised(stored_rar5("a", PE), cuts=cuts)) == "software/pe"
    assert told(recognised(stored_rar4("a", PE), cuts=cuts)) == "software/pe"
