"""Hosts files: only those that lead nowhere are lists of sites to be closed."""

import pytest

from schoolgate.lists.formats import HOSTS
from tests.lists.formats.table import FAULT, UNUSED, said


@pytest.mark.parametrize(
    ("line", "want"),
    [
        ("0.0.0.0 example.com", ["example.com"]),
        ("127.0.0.1\texample.com", ["example.com"]),
        ("0.0.0.0 example.com # a remark", ["example.com"]),
        ("0.0.0.0 one.example two.example", ["one.example", "two.example"]),
        (":: example.com", ["example.com"]),
        ("127.0.0.1 localhost", UNUSED),
        ("::1 ip6-localhost ip6-loopback", UNUSED),
        ("fe80::1%lo0 localhost", UNUSED),
        ("255.255.255.255 broadcasthost", UNUSED),
        ("0.0.0.0 0.0.0.0", UNUSED),
        ("# 0.0.0.0 example.com", []),
        ("192.0.2.7 example.com", FAULT),
        ("example.com", FAULT),
        ("0.0.0.0 example", FAULT),
    ],
)
def test_a_line_says(line: str, want: list[str] | str) -> None:
    assert said(HOSTS, line) == want
