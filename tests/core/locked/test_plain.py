"""A list in the clear closes an entry and what is below it, in every spelling."""

from urllib.parse import unquote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schoolgate.core.errors import BadAddressError
from schoolgate.core.locked import Page, PlainEntries
from schoolgate.core.urls import parse_web_url
from tests.core.locked.spelled import HOSTS, PATHS, QUERIES, spellings


@pytest.mark.parametrize(
    ("entry", "url", "want"),
    [
        ("bad.example", "https://bad.example/", True),
        ("bad.example", "https://www.bad.example/any?thing", True),
        ("bad.example", "https://notbad.example/", False),
        ("bad.example", "https://example/", False),
        ("http://bad.example/", "https://bad.example/x", True),
        ("*.bad.example", "https://bad.example/", True),
        ("bad.example/a/b", "https://bad.example/a/b", True),
        ("bad.example/a/b", "https://bad.example/a/b/", True),
        ("bad.example/a/b", "https://bad.example/a/b/c.jpg?x=1", True),
        ("bad.example/a/b", "https://bad.example/a", False),
        ("bad.example/a/b", "https://bad.example/a/bc", False),
        ("bad.example/a/b", "https://www.bad.example/a/b", True),
        ("http://bad.example:8080/a", "https://bad.example/a", True),
        ("https://bad.example/a?id=5", "https://bad.example/a?id=5", True),
        ("https://bad.example/a?id=5", "https://bad.example/a?x=1&ID=5", True),
        ("https://bad.example/a?id=5", "https://bad.example/a?x=1;id=%35", True),
        ("https://bad.example/a?id=5", "https://bad.example/a%3Fid=5", True),
        ("https://bad.example/a?id=5", "https://bad.example/a", False),
        ("https://bad.example/a?id=5", "https://bad.example/a?id=55", False),
        ("https://bad.example/a?id=5", "https://bad.example/a/b?id=5", False),
        ("https://bad.example/?id=5", "https://bad.example/?id=5", True),
        ("https://bad.example/?id=5", "https://bad.example/", False),
        ("https://bücher.example/a", "https://xn--bcher-kva.example/a", True),
        ("http://192.0.2.7/a", "https://0xC0.0.2.7/a", True),
        ("http://192.0.2.7/a", "https://1.192.0.2.7.example/a", False),
        ("https://bad.example/a#part", "https://bad.example/a", True),
        # An origin may decode once more, or leave out parameters.
        ("bad.example/a/b", "https://bad.example/a%252Fb", True),
        ("bad.example/a/b", "https://bad.example/a;v=1/b", True),
        ("bad.example/a/b", "https://bad.example/x/..%2fa/b", True),
    ],
)
def test_an_entry_covers(entry: str, url: str, want: bool) -> None:
    entries = PlainEntries([Page.parse(entry)])
    assert (entries.find(parse_web_url(url)) is not None) is want


def naive(pages: list[tuple[str, str, str]], host: str, path: str, query: str) -> bool:
    """Compare with each entry, one after the other, as a person would."""

    def parts(text: str) -> list[str]:
        return [part for part in text.casefold().split("/") if part]

    def asked(text: str) -> set[str]:
        return {unquote_plus(piece).casefold() for piece in text.split("&") if piece}

    for listed_host, listed_path, listed_query in pages:
        is_host = host == listed_host or (
            host.endswith("." + listed_host) and not listed_host[-1].isdigit()
        )
        listed, own = parts(listed_path), parts(path)
        if is_host and not listed_query and own[: len(listed)] == listed:
            return True
        if is_host and listed_query and own == listed and asked(listed_query) <= asked(query):
            return True
    return False


PAGES = st.tuples(HOSTS, PATHS, QUERIES)


@given(st.lists(PAGES, max_size=4), PAGES, st.data())
def test_every_spelling_is_decided_as_the_naive_twin_says(
    listed: list[tuple[str, str, str]], page: tuple[str, str, str], data: st.DataObject
) -> None:
    entries = PlainEntries(Page.parse(data.draw(spellings(*each))) for each in listed)
    url = parse_web_url(data.draw(spellings(*page)))
    assert (entries.find(url) is not None) is naive(listed, *page)


@given(st.lists(PAGES, max_size=4), PAGES)
def test_a_host_with_a_listed_part_is_known_by_its_name(
    listed: list[tuple[str, str, str]], page: tuple[str, str, str]
) -> None:
    entries = PlainEntries(
        Page.parse(f"https://{h}{p}" + (f"?{q}" if q else "")) for h, p, q in listed
    )
    host, path, query = page
    if naive(listed, host, path, query):
        assert entries.has_parts(host)
    if entries.has_parts(host):
        assert any(host == h or host.endswith("." + h) for h, _, _ in listed)


@pytest.mark.parametrize(
    "line", ["", "http://", "ftp://bad.example/", "a b", "bad.*.example", "<html>"]
)
def test_a_line_that_is_no_address_is_refused(line: str) -> None:
    with pytest.raises(BadAddressError):
        Page.parse(line)


def test_what_stands_for_an_entry_does_not_say_it() -> None:
    entries = PlainEntries([Page.parse("bad.example/a")])
    proof = entries.find(parse_web_url("https://bad.example/a/b"))
    assert proof is not None
    assert (len(proof), "bad" in proof) == (16, False)
    assert proof == entries.find(parse_web_url("http://bad.example/A"))


def test_an_entry_twice_is_one() -> None:
    assert (
        len(PlainEntries(Page.parse(line) for line in ("bad.example", "http://BAD.example/"))) == 1
    )
