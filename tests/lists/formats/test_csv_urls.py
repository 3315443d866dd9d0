"""Rows of URLhaus: a page of malware is closed, and not the site of many pages."""

import pytest

from schoolgate.lists.formats import URLHAUS
from tests.lists.formats.table import FAULT, said


def _row(address: str) -> str:
    return f'"3","2026-11-22 07:00:00","{address}","online","","malware","elf","https://l.example/3/","who"'


@pytest.mark.parametrize(
    ("line", "want"),
    [
        (_row("http://example.com/bin/a.sh"), ["example.com/bin/a.sh"]),
        (_row("https://example.com"), ["example.com"]),
        (_row("http://example.com/"), ["example.com"]),
        (_row("http://example.com:8080/i"), ["example.com/i"]),
        (_row("http://192.0.2.7:4711/i"), ["192.0.2.7/i"]),
        (_row("http://example.com/a,b?c=d"), ["example.com/a,b"]),
        (_row("http://example.com/a/../b"), ["example.com/b"]),
        (_row("http://example.com/?c=d"), FAULT),
        (_row("http://malware/a"), FAULT),
        ("3;http://example.com/a", FAULT),
        ("# id,dateadded,url", []),
    ],
)
def test_a_row_says(line: str, want: list[str] | str) -> None:
    assert said(URLHAUS, line) == want
