"""What an address lies on or below."""

import pytest

from schoolgate.core.locked.addresses import folded_pieces, hosts_around, paths_around


@pytest.mark.parametrize(
    ("host", "want"),
    [
        ("www.bad.example", ["www.bad.example", "bad.example"]),
        ("localhost", ["localhost"]),
        ("192.0.2.7", ["192.0.2.7"]),
        ("[2001:db8::7]", ["[2001:db8::7]"]),
    ],
)
def test_hosts_around(host: str, want: list[str]) -> None:
    assert list(hosts_around(host)) == want


def test_of_a_deep_name_itself_and_the_last_ones_are_tried() -> None:
    deep = "a." * 50 + "bad.example"
    found = list(hosts_around(deep))
    assert (found[0], found[-1], len(found)) == (deep, "bad.example", 10)


@pytest.mark.parametrize(("path", "want"), [("/", ["/"]), ("/a/b", ["/a/b", "/a", "/"])])
def test_paths_around(path: str, want: list[str]) -> None:
    assert list(paths_around(path)) == want


@pytest.mark.parametrize(
    ("query", "want"),
    [("", []), ("A=1&&b", ["a=1", "b"]), ("q=x+y;z=%2531", ["q=x y", "z=1"])],
)
def test_pieces_of_a_query(query: str, want: list[str]) -> None:
    assert folded_pieces(query) == want
