"""An entry of a list is a host with what is below it, the host alone, only what is below it, or a path."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schoolgate.core.categories import Category, ListEntry, Reach
from schoolgate.core.errors import BadAddressError

# -- entries -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "host", "path", "shown"),
    [
        ("example.com", "example.com", "/", "example.com"),
        ("EXAMPLE.com.", "example.com", "/", "example.com"),
        ("example.com/", "example.com", "/", "example.com"),
        ("example.com/A/b/", "example.com", "/a/b", "example.com/a/b"),
        ("example.com//%61/../b", "example.com", "/b", "example.com/b"),
        ("bücher.de/Größe", "xn--bcher-kva.de", "/grösse", "xn--bcher-kva.de/grösse"),
        ("0x7f.1", "127.0.0.1", "/", "127.0.0.1"),
        ("com", "com", "/", "com"),
    ],
)
def test_an_entry_is_a_host_or_a_path_of_a_host_in_one_form(
    text: str, host: str, path: str, shown: str
) -> None:
    entry = ListEntry.parse(text, "games", "curated")
    assert entry == ListEntry(host, path, "games", "curated")
    assert entry.text == shown


@pytest.mark.parametrize(
    "text",
    [
        "", "/path", "https://example.com", "http:example.com", "example.com:8080",
        "user@example.com", "exam ple.com", "example.com?q", "example.com#f", "example.com\\a",
        "256.0.0.1",
    ],
)  # fmt: skip
def test_what_is_neither_host_nor_path_is_no_entry(text: str) -> None:
    with pytest.raises(BadAddressError):
        ListEntry.parse(text, "games", "curated")


def test_an_entry_with_a_port_is_told_what_to_write_instead() -> None:
    with pytest.raises(BadAddressError, match="write only host or host/path"):
        ListEntry.parse("example.com:8080/a", "games", "curated")


@given(
    st.sampled_from(["example.com", "EXAMPLE.com.", "10.1", "bücher.de"]),
    st.text(st.sampled_from("/aB.é "), max_size=10),
)
def test_an_entry_reads_the_same_when_it_is_shown_and_read_again(host: str, path: str) -> None:
    entry = ListEntry.parse(f"{host}/{path}", "games", "curated")
    assert ListEntry.parse(entry.text, "games", "curated") == entry


@pytest.mark.parametrize(
    ("text", "reach"),
    [
        ("example.com", Reach.SITE),
        ("=example.com", Reach.HOST),
        ("*.example.com", Reach.BELOW),
        ("=example.com/a", Reach.HOST),
    ],
)
def test_an_entry_may_be_the_host_alone_or_only_what_is_below_it(text: str, reach: Reach) -> None:
    entry = ListEntry.parse(text, "games", "curated")
    assert (entry.host, entry.reach, entry.text) == ("example.com", reach, text)


@pytest.mark.parametrize("text", ["=", "*.", "=*.example.com", "*.=example.com", "*example.com"])
def test_one_sign_in_front_is_all_there_may_be(text: str) -> None:
    with pytest.raises(BadAddressError):
        ListEntry.parse(text, "games", "curated")


# -- categories ----------------------------------------------------------------------------------


def test_a_category_protects_nothing_and_takes_no_public_suffixes_unless_it_says_so() -> None:
    category = Category("games", "Games", "Games to play in the browser.")
    assert (category.protected, category.public_suffixes, category.feeds) == (False, False, ())
