"""Lines of dnsmasq that refuse names."""

import pytest

from schoolgate.lists.formats import DNSMASQ
from tests.lists.formats.table import FAULT, UNUSED, said


@pytest.mark.parametrize(
    ("line", "want"),
    [
        ("address=/example.com/", ["example.com"]),
        ("address=/example.com/0.0.0.0", ["example.com"]),
        ("address=/example.com/::", ["example.com"]),
        ("address=/example.com/#", ["example.com"]),
        ("server=/example.com/", ["example.com"]),
        ("local=/example.com/", ["example.com"]),
        ("local=/one.example/two.example/", ["one.example", "two.example"]),
        ("address=/example.com/192.0.2.7", FAULT),
        ("address=example.com", FAULT),
        ("address=/example/", FAULT),
        ("no-resolv", UNUSED),
        ("# address=/example.com/", []),
    ],
)
def test_a_line_says(line: str, want: list[str] | str) -> None:
    assert said(DNSMASQ, line) == want
