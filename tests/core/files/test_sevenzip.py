"""A 7z is judged by its directory, which is at its end."""

import pytest

from schoolgate.core.files import Limits
from tests.core.files.samples import HARMLESS, recognised, seven, told


@pytest.mark.parametrize(
    ("data", "want"),
    [
        (seven(["a.txt"]), "none"),
        (seven(["a.txt", "b/c.msi"]), "software/named"),
        (seven(["a.nzb"]), "filesharing/nzb"),
        (seven(["a.txt"], method=b"\x06\xf1\x07\x01"), "sealed/7z"),
        (seven(["a.txt"], HARMLESS * 30), "none"),
        (seven(["a.txt"])[:-4], "sealed/7z"),
        (b"7z\xbc\xaf\x27\x1c\0\x04" + bytes(24), "none"),
        (b"7z\xbc\xaf\x27\x1c\0\x04" + bytes(4) + b"\xff" * 20, "sealed/7z"),
    ],
)
def test_directories(data: bytes, want: str) -> None:
    assert told(recognised(data)) == want


def test_only_the_last_bytes_are_kept() -> None:
    data = seven(["a.txt", "a.exe"], bytes(60_000))
    assert told(
        recognised(data, cuts=list(range(1000, 60_000, 1000)), limits=Limits(kept_bytes=500))
    ) == ("software/named")
