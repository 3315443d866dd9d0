"""The trie finds every entry that covers a host and path: a host with all below it, or a path."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schoolgate.core.categories import Catalogue, Category, DomainTrie, ListEntry
from schoolgate.core.errors import BadAddressError


def trie(*lines: str) -> DomainTrie:
    """Build a trie from ``category entry`` lines, all of the curated feed."""
    parts = (line.split(" ") for line in lines)
    return DomainTrie(ListEntry.parse(text, category, "curated") for category, text in parts)


def found(built: DomainTrie, host: str, path: str = "/") -> tuple[str, ...]:
    return built.categories(built.get(host, path))


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


# -- what is covered -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("entry", "host", "want"),
    [
        ("example.com", "example.com", True),
        ("example.com", "www.example.com", True),
        ("example.com", "a.b.c.example.com", True),
        ("example.com", "notexample.com", False),
        ("example.com", "example.com.evil.example", False),
        ("example.com", "example.co", False),
        ("example.com", "com", False),
        ("example.com", "", False),
        ("www.example.com", "example.com", False),
        ("com", "example.com", True),
        ("com", "example.org", False),
        ("10.0.0.1", "10.0.0.1", True),
        ("10.0.0.1", "110.0.0.1", False),
        ("0.0.0.1", "10.0.0.1", False),
        ("1.example", "2.1.example", True),
        ("xn--bcher-kva.de", "www.xn--bcher-kva.de", True),
    ],
)
def test_a_host_covers_itself_and_what_is_below_it_by_whole_labels(
    entry: str, host: str, want: bool
) -> None:
    built = trie(f"games {entry}")
    assert found(built, host) == (("games",) if want else ())
    assert bool(built.entries(host)) is want


def test_an_ipv6_address_covers_itself_alone() -> None:
    built = DomainTrie([ListEntry("[2001:db8::1]", "/", "games", "curated")])
    assert found(built, "[2001:db8::1]") == ("games",)
    assert found(built, "[2001:db8::11]") == ()


def test_an_empty_label_is_a_label_of_its_own() -> None:
    built = trie("games a.example")
    assert found(built, "a..example") == ()
    assert found(built, ".a.example") == ("games",)
    assert found(built, ".") == ()


@pytest.mark.parametrize(
    ("path", "want"),
    [
        ("/a/b", True),
        ("/a/b/", True),
        ("/a/b/c", True),
        ("/a/b.html", False),
        ("/a/bc", False),
        ("/a", False),
        ("/", False),
        ("", False),
        ("/x/a/b", False),
        ("/A/B", True),
        ("/%61/%62", True),
        ("/a%2fb", True),
        ("//a///b", True),
        ("/./a/x/../b", True),
        ("/a/%2e/b", True),
        ("/a/b/../c", True),  # an origin that resolves no dot segments is still below
        ("\\a\\b", True),
        ("/a;v=1/b", True),
    ],
)
def test_a_path_entry_covers_whole_segments_however_they_are_spelled(path: str, want: bool) -> None:
    built = trie("games example.com/a/b")
    assert found(built, "example.com", path) == (("games",) if want else ())
    assert found(built, "www.example.com", path) == (("games",) if want else ())
    assert found(built, "notexample.com", path) == ()


def test_a_page_is_in_the_union_of_the_categories_of_all_entries_that_cover_it() -> None:
    built = trie("news com", "games example.com", "chat www.example.com/talk", "games com")
    assert found(built, "other.com") == ("games", "news")
    assert found(built, "example.com") == ("games", "news")
    assert found(built, "www.example.com", "/talk/1") == ("chat", "games", "news")
    assert found(built, "www.example.com", "/") == ("games", "news")


# -- evidence ------------------------------------------------------------------------------------


def test_the_evidence_names_the_longest_host_first() -> None:
    built = trie("news com", "chat a.b.example.com", "games example.com")
    entries = built.entries("x.a.b.example.com")
    assert [e.text for e in entries] == ["a.b.example.com", "example.com", "com"]


@pytest.mark.parametrize(
    "lines",
    [
        ["games example.com", "chat example.com/a", "news example.com/a/b"],
        ["news example.com/a/b", "chat example.com/a", "games example.com"],
    ],
)
def test_the_evidence_names_the_longest_path_of_one_host_first(lines: list[str]) -> None:
    entries = trie(*lines).entries("example.com", "/a/b")
    assert [e.text for e in entries] == ["example.com/a/b", "example.com/a", "example.com"]


def test_the_evidence_keeps_every_feed_that_lists_a_site() -> None:
    lines = [ListEntry.parse("example.com", "games", feed) for feed in ("curated", "ut1")]
    built = DomainTrie(lines)
    assert set(built.entries("example.com")) == set(lines)
    assert found(built, "example.com") == ("games",)


def test_an_entry_given_twice_counts_once() -> None:
    assert len(trie("games example.com", "games EXAMPLE.com.", "games example.com/a")) == 2
    assert len(trie()) == 0


# -- set ids -------------------------------------------------------------------------------------


def test_nothing_is_set_zero_and_equal_unions_share_one_id() -> None:
    built = trie("a one.example", "b one.example", "b two.example", "a two.example", "a three")
    assert built.categories(0) == ()
    assert built.get("unlisted.example") == 0
    assert built.get("one.example") == built.get("www.two.example") != 0
    assert built.get("three") not in (0, built.get("one.example"))


# -- against a naive twin ------------------------------------------------------------------------

_LABELS = st.sampled_from(["a", "b", "ab", "com", "1b"])
_HOSTS = st.one_of(
    st.lists(_LABELS, min_size=1, max_size=4).map(".".join),
    st.sampled_from(["10.0.0.1", "0.0.0.1", "[::1]"]),
)
_SEGMENTS = st.lists(st.sampled_from(["x", "y", "xy", "%78", "Y", ".", ""]), max_size=3)
_PATHS = _SEGMENTS.map(lambda segments: "/" + "/".join(segments))
_PLAIN_PATHS = st.lists(st.sampled_from(["x", "y", "xy"]), max_size=2).map(
    lambda segments: "/" + "/".join(segments)
)
_ENTRIES = st.lists(
    st.builds(
        ListEntry,
        _HOSTS,
        _PLAIN_PATHS,
        st.sampled_from(["games", "news", "chat"]),
        st.sampled_from(["curated", "ut1"]),
    ),
    max_size=12,
)


def naive_covers(entry: ListEntry, host: str, path: str) -> bool:
    """Ask by plain suffix and prefix comparison what the trie finds by walking."""
    by_host = host == entry.host or host.endswith("." + entry.host)
    kept = path.replace("%78", "x").replace("Y", "y").split("/")
    asked = [segment for segment in kept if segment not in ("", ".")]
    listed = [segment for segment in entry.path.split("/") if segment]
    return by_host and asked[: len(listed)] == listed


@given(_ENTRIES, _HOSTS, _PATHS)
def test_the_trie_finds_what_a_scan_over_all_entries_finds(
    entries: list[ListEntry], host: str, path: str
) -> None:
    built = DomainTrie(entries)
    want = {entry for entry in entries if naive_covers(entry, host, path)}
    evidence = built.entries(host, path)
    assert set(evidence) == want
    assert len(evidence) == len(want)
    assert found(built, host, path) == tuple(sorted({entry.category for entry in want}))
    assert len(built) == len(set(entries))


@given(_ENTRIES, st.lists(_HOSTS, max_size=6))
def test_set_ids_and_categories_stand_for_each_other(
    entries: list[ListEntry], hosts: list[str]
) -> None:
    built = DomainTrie(entries)
    ids = built.get_many(hosts)
    assert ids == [built.get(host) for host in hosts]
    categories = [found(built, host) for host in hosts]
    assert [built.categories(set_id) for set_id in ids] == categories
    assert len(set(ids)) == len(set(categories))
    assert all(
        (set_id == 0) == (named == ()) for set_id, named in zip(ids, categories, strict=True)
    )


@given(_ENTRIES, _HOSTS, _PATHS)
def test_the_order_of_the_entries_changes_no_categories(
    entries: list[ListEntry], host: str, path: str
) -> None:
    assert found(DomainTrie(entries), host, path) == found(DomainTrie(entries[::-1]), host, path)


# -- the catalogue -------------------------------------------------------------------------------


def test_a_category_protects_nothing_and_takes_no_public_suffixes_unless_it_says_so() -> None:
    category = Category("games", "Games", "Games to play in the browser.")
    assert (category.protected, category.public_suffixes, category.feeds) == (False, False, ())


def test_a_catalogue_holds_categories_trie_counts_and_version_together() -> None:
    games = Category("games", "Games", "Games to play in the browser.")
    built = trie("games example.com")
    catalogue = Catalogue({"games": games}, built, {"games": 1}, "v1")
    set_id = catalogue.trie.get("www.example.com")
    assert [catalogue.categories[c] for c in catalogue.trie.categories(set_id)] == [games]
    assert (catalogue.counts["games"], catalogue.version) == (len(built), "v1")
