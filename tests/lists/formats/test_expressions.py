"""Of UT1's expressions those that spell out hosts."""

import pytest

from schoolgate.lists.formats import EXPRESSIONS
from tests.data import shared
from tests.lists.formats.reading import read
from tests.lists.formats.table import UNUSED, said


@pytest.mark.parametrize(
    ("line", "want"),
    [
        (r"(^|\.)example\.com$", ["example.com"]),
        (r"(^|\.)example\.com(/|$)", ["example.com"]),
        (r"(^|\.)example\.(com|net)$", ["example.com", "example.net"]),
        (r"^www\.example\.com/", ["www.example.com"]),
        (r"(^|\.)(com|net)$", UNUSED),
        (r"(adult|babe)s?", UNUSED),
        (r".*/program*\.exe", UNUSED),
        ("# said", []),
    ],
)
def test_an_expression_says(line: str, want: list[str] | str) -> None:
    assert said(EXPRESSIONS, line) == want


def test_the_expressions_that_ut1_publishes_are_about_words_and_not_used() -> None:
    for file in sorted(shared("lists/expr").iterdir()):
        found = read(EXPRESSIONS, file.read_bytes())
        assert (found.entries, found.faults) == ([], [])
        assert found.unused
