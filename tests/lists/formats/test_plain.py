"""One host, page or address a line."""

import pytest

from schoolgate.lists.formats import PLAIN
from tests.lists.formats.table import FAULT, said


@pytest.mark.parametrize(
    ("line", "want"),
    [
        ("example.com", ["example.com"]),
        ("  Example.COM \t", ["example.com"]),
        ("example.com.", ["example.com"]),
        ("*.example.com", ["example.com"]),
        (".example.com", ["example.com"]),
        ("example.com # a remark", ["example.com"]),
        ("example.com/a/b", ["example.com/a/b"]),
        ("http://example.com:8080/a.exe", ["example.com/a.exe"]),
        ("https://name@example.com/a", ["example.com/a"]),
        ("example.com:443", ["example.com"]),
        ("example.com/a?b=c", ["example.com/a"]),
        ("example.com/#part", ["example.com"]),
        ("192.0.2.7", ["192.0.2.7"]),
        ("0xC0.0.2.7", ["192.0.2.7"]),
        ("bücher.example", ["xn--bcher-kva.example"]),
        ("# said", []),
        ("! said", []),
        ("; said", []),
        ("", []),
        ("example", FAULT),
        ("example.com/?b=c", FAULT),
        ("192.0.2.0/24", FAULT),
        ("two hosts.example", FAULT),
    ],
)
def test_a_line_says(line: str, want: list[str] | str) -> None:
    assert said(PLAIN, line) == want
