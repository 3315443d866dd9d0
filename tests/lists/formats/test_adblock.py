"""Of Adblock's rules those that are about sites."""

import pytest

from schoolgate.lists.formats import ADBLOCK
from tests.lists.formats.table import FAULT, UNUSED, said


@pytest.mark.parametrize(
    ("line", "want"),
    [
        ("||example.com^", ["example.com"]),
        ("||Example.com^", ["example.com"]),
        ("||example.com^$all", ["example.com"]),
        ("||example.com^$document,important", ["example.com"]),
        ("||example.com", ["example.com"]),
        ("@@||example.com^", ["but example.com"]),
        ("||example.com^$image", UNUSED),
        ("||example.com/ads/", UNUSED),
        ("||ads.*.example^", UNUSED),
        ("example.com##.banner", UNUSED),
        ("/banner/*/ad", UNUSED),
        ("! said", []),
        ("[Adblock Plus]", []),
        ("||com^", FAULT),
        ("example.com", FAULT),
    ],
)
def test_a_rule_says(line: str, want: list[str] | str) -> None:
    assert said(ADBLOCK, line) == want
