"""Response policy zones: a name alone, what is below it, or both."""

import pytest

from schoolgate.lists.formats import RPZ
from schoolgate.lists.formats.lines import united
from tests.lists.formats.reading import read_all
from tests.lists.formats.table import FAULT, UNUSED, said


@pytest.mark.parametrize(
    ("line", "want"),
    [
        ("example.com CNAME .", ["=example.com"]),
        ("*.example.com CNAME .", ["*.example.com"]),
        ("example.com 300 IN CNAME .", ["=example.com"]),
        ("example.com IN CNAME *.", ["=example.com"]),
        ("example.com CNAME rpz-drop.", ["=example.com"]),
        ("example.com A 127.0.0.1", ["=example.com"]),
        ("example.com CNAME page.example. ; a page instead", ["=example.com"]),
        ("example.com CNAME rpz-passthru.", ["but =example.com"]),
        ("$TTL 300", []),
        ("@ SOA localhost. root.localhost. 1 2 3 4 5", []),
        (" NS localhost.", FAULT),
        ("; said", []),
        ("43200", UNUSED),
        ("24.0.2.0.192.rpz-ip CNAME .", FAULT),
        ("com CNAME .", FAULT),
        ("example.com MX 10 mail.example.", FAULT),
    ],
)
def test_a_record_says(line: str, want: list[str] | str) -> None:
    assert said(RPZ, line) == want


def test_a_name_with_what_is_below_it_is_the_site() -> None:
    text = b"example.com CNAME .\n*.example.com CNAME .\n"
    assert united(set(read_all(RPZ, text))) == {b"example.com"}
