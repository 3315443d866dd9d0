"""What lies in a cabinet is looked into where it is stored or packed as MSZIP, else judged by its name."""

import pytest

from tests.core.files.samples import HARMLESS, PE, cabinet, recognised, told

LONG = HARMLESS * 60


@pytest.mark.parametrize(
    ("members", "method", "want"),
    [
        ({"a.txt": LONG}, 1, "none"),
        ({"a.txt": LONG}, 0, "none"),
        ({"a.txt": LONG, "b": PE}, 1, "software/pe"),
        ({"b": PE, "a.txt": LONG}, 0, "software/pe"),
        ({"a": LONG, "b": LONG, "c": b"x", "d": PE}, 1, "software/pe"),
        ({"a.txt": LONG}, 3, "none"),
        ({"a.dll": LONG}, 3, "software/named"),
    ],
)
def test_looks_into_what_it_can(members: dict[str, bytes], method: int, want: str) -> None:
    assert told(recognised(cabinet(members, method))) == want


def test_files_within_each_other_are_refused() -> None:
    """Nobody writes them, and one of them would be read from its middle only."""
    data = bytearray(cabinet({"a": b"x" * 40_000, "b": b"y" * 40_000}, 0))
    at = data.index(b"b\0", 44) - 16
    data[at + 4 : at + 8] = bytes([1, 0, 0, 0])
    assert told(recognised(bytes(data))) == "sealed/cab"


def test_a_block_that_is_not_mszip_is_damage() -> None:
    data = cabinet({"a": LONG})
    assert told(recognised(data.replace(b"CK", b"XX"))) == "sealed/cab"
