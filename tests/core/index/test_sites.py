"""The index finds every entry that covers a host and path; C and Python answer alike."""

import threading
from collections.abc import Callable, Iterable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schoolgate.core.categories import ListEntry, Reach
from schoolgate.core.index import SiteIndex, build_index, read_index
from schoolgate.core.index.native import native_module
from schoolgate.core.urls import path_covers, path_readings

READERS = [
    pytest.param(False, id="python"),
    pytest.param(True, id="native"),
]

type Make = Callable[..., SiteIndex]


def index(
    entries: Iterable[ListEntry], *, native: bool, opening: Iterable[str] = (), tag_bits: int = 39
) -> SiteIndex:
    built = build_index(entries, seed=7, opening=list(opening), native=native, tag_bits=tag_bits)
    return read_index(b"".join(built.pieces), native=native)


def parsed(*lines: str) -> list[ListEntry]:
    """Read ``category entry`` lines, all of the curated feed."""
    parts = (line.split(" ") for line in lines)
    return [ListEntry.parse(text, category, "curated") for category, text in parts]


@pytest.fixture(params=READERS)
def make(request: pytest.FixtureRequest) -> Make:
    """Give what builds and reads an index of ``category entry`` lines, once in C, once in Python."""

    def made(*lines: str, opening: Iterable[str] = ()) -> SiteIndex:
        return index(parsed(*lines), native=request.param, opening=opening)

    return made


def found(sites: SiteIndex, host: str, path: str = "/") -> tuple[str, ...]:
    return sites.categories(sites.get(host, path))


def test_the_native_half_was_built() -> None:
    assert native_module is not None


# -- what is covered -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("entry", "host", "want"),
    [
        ("example.com", "example.com", True),
        ("example.com", "EXAMPLE.Com", True),
        ("example.com", "example.com.", True),
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
        ("10.0.0.1", "1.10.0.0.1", False),
        ("1.example", "2.1.example", True),
        ("xn--bcher-kva.de", "www.xn--bcher-kva.de", True),
        ("[2001:db8::1]", "[2001:db8::1]", True),
        ("[2001:db8::1]", "[2001:db8::11]", False),
        ("averylonglabelofmorethansixteen.example", "AVERYLONGLABELOFMORETHANSIXTEEN.example", True),
        ("averylonglabelofmorethansixteen.example", "averylonglabelofmorethansixteem.example", False),
        ("=example.com", "example.com", True),
        ("=example.com", "www.example.com", False),
        ("*.example.com", "example.com", False),
        ("*.example.com", "www.example.com", True),
        ("*.example.com", "a.www.example.com", True),
        ("=10.0.0.1", "10.0.0.1", True),
    ],
)  # fmt: skip
def test_a_host_covers_itself_and_what_is_below_it_by_whole_labels(
    make: Make, entry: str, host: str, want: bool
) -> None:
    sites = make(f"games {entry}")
    assert found(sites, host) == (("games",) if want else ())
    assert bool(sites.entries(host)) is want


def test_an_empty_label_is_a_label_of_its_own(make: Make) -> None:
    sites = make("games a.example")
    assert found(sites, "a..example") == ()
    assert found(sites, ".a.example") == ("games",)
    assert found(sites, ".") == ()
    assert found(sites, "a.example..") == ()


def test_a_label_is_not_itself_with_zero_bytes_behind(make: Make) -> None:
    sites = make("games a.example")
    assert found(sites, "a\0.example") == ()
    assert found(sites, "\0a.example") == ()


def test_a_name_that_no_list_can_hold_is_in_no_category(make: Make) -> None:
    sites = make("games example.com")
    for host in ("exämple.com", "x" * 100_000, "a." * 50_000 + "b", "\u2028"):
        assert found(sites, host) == ()
    assert found(sites, "a." * 50_000 + "example.com") == ("games",)


def test_what_is_no_text_is_refused(make: Make) -> None:
    sites = make("games example.com")
    for wrong in (None, 5, b"example.com"):
        with pytest.raises((TypeError, AttributeError)):
            sites.get(wrong)  # type: ignore[arg-type]


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
        ("/a/b./", True),
        ("/\u00e9/a/b", False),
    ],
)
def test_a_path_entry_covers_whole_segments_however_they_are_spelled(
    make: Make, path: str, want: bool
) -> None:
    sites = make("games example.com/a/b")
    assert found(sites, "example.com", path) == (("games",) if want else ())
    assert found(sites, "www.example.com", path) == (("games",) if want else ())
    assert found(sites, "notexample.com", path) == ()


def test_a_path_in_other_letters_is_compared_by_its_folded_form(make: Make) -> None:
    sites = make("games example.com/größe")
    assert found(sites, "example.com", "/GRÖSSE/1") == ("games",)
    assert found(sites, "example.com", "/gr%C3%B6%C3%9Fe") == ("games",)


def test_a_path_entry_of_the_host_alone_does_not_reach_below(make: Make) -> None:
    sites = make("games =example.com/a", "news *.example.com/a")
    assert found(sites, "example.com", "/a") == ("games",)
    assert found(sites, "www.example.com", "/a") == ("news",)


def test_what_opens_a_path_must_cover_it_in_every_reading(make: Make) -> None:
    lines = ("closed example.com/a", "open example.com/a")
    sites = make(*lines, opening=["open"])
    assert found(sites, "example.com", "/a/b") == ("closed", "open")
    assert found(sites, "example.com", "/a/%2e%2e/b") == ("closed",)


def test_a_page_is_in_the_union_of_the_categories_of_all_entries_that_cover_it(make: Make) -> None:
    sites = make(
        "news com", "games example.com", "chat www.example.com/talk", "games com", "dating =b.example.com"
    )  # fmt: skip
    assert found(sites, "other.com") == ("games", "news")
    assert found(sites, "example.com") == ("games", "news")
    assert found(sites, "b.example.com") == ("dating", "games", "news")
    assert found(sites, "a.b.example.com") == ("games", "news")
    assert found(sites, "www.example.com", "/talk/1") == ("chat", "games", "news")
    assert found(sites, "www.example.com", "/") == ("games", "news")


# -- evidence ------------------------------------------------------------------------------------


def test_the_evidence_names_the_longest_host_first(make: Make) -> None:
    sites = make("news com", "chat a.b.example.com", "games *.example.com")
    entries = sites.entries("X.a.b.example.com.")
    assert [e.text for e in entries] == ["a.b.example.com", "*.example.com", "com"]


@pytest.mark.parametrize(
    "lines",
    [
        ["games example.com", "chat example.com/a", "news example.com/a/b"],
        ["news example.com/a/b", "chat example.com/a", "games example.com"],
    ],
)
def test_the_evidence_names_the_longest_path_of_one_host_first(
    make: Make, lines: list[str]
) -> None:
    entries = make(*lines).entries("example.com", "/a/b")
    assert [e.text for e in entries] == ["example.com/a/b", "example.com/a", "example.com"]


@pytest.mark.parametrize("native", READERS)
def test_the_evidence_keeps_every_feed_that_lists_a_site(native: bool) -> None:
    lines = [ListEntry.parse("example.com", "games", feed) for feed in ("curated", "ut1")]
    sites = index(lines, native=native)
    assert set(sites.entries("example.com")) == set(lines)
    assert found(sites, "example.com") == ("games",)
    assert sites.feed_counts == {"curated": 1, "ut1": 1}


def test_an_entry_given_twice_counts_once(make: Make) -> None:
    sites = make(
        "games example.com", "games EXAMPLE.com.", "games example.com/a", "news example.com"
    )
    assert (len(sites), sites.names) == (3, 2)
    assert sites.counts == {"games": 2, "news": 1}
    assert (len(make()), make().get("example.com")) == (0, 0)


# -- with what is listed of parts of a host -------------------------------------------------------


@pytest.mark.parametrize(
    ("entries", "host", "want"),
    [
        (["games example.com"], "example.com", ("games",)),
        (["games example.com/a"], "example.com", ("games",)),
        (["games example.com/a"], "EXAMPLE.com.", ("games",)),
        (["games example.com/a"], "www.example.com", ("games",)),
        (["games www.example.com/a"], "example.com", ()),
        (["games example.com/a"], "notexample.com", ()),
        (["games example.com", "news example.com/a/b"], "example.com", ("games", "news")),
        (["games example.com", "games example.com/a"], "example.com", ("games",)),
        (["games com/a", "news www.example.com/b"], "www.example.com", ("games", "news")),
        (["games =example.com/a"], "example.com", ("games",)),
        (["games =example.com/a"], "www.example.com", ()),
        (["games *.example.com/a"], "example.com", ()),
        (["games *.example.com/a"], "www.example.com", ("games",)),
        (["games 10.0.0.1/a"], "10.0.0.1", ("games",)),
    ],
)
def test_a_host_is_found_with_what_its_parts_are_listed_as(
    make: Make, entries: list[str], host: str, want: tuple[str, ...]
) -> None:
    sites = make(*entries)
    assert sites.categories(sites.get_with_paths(host)) == want


def test_where_the_parts_add_nothing_the_set_is_that_of_the_host(make: Make) -> None:
    sites = make(
        "games one.example", "games one.example/a", "news two.example", "chat three.example/a"
    )
    for host in ("one.example", "two.example", "nothing.example"):
        assert sites.get_with_paths(host) == sites.get(host)
    assert sites.get_with_paths("three.example") != sites.get("three.example") == 0


def test_a_host_of_many_labels_with_parts_each_is_found_whole(make: Make) -> None:
    host = ".".join("abcdefghijklmnopqrstuvwxyz")
    parts = [host.split(".", n)[n] for n in range(25)]
    sites = make(*(f"c{n} {part}/x" for n, part in enumerate(parts)))
    assert len(sites.categories(sites.get_with_paths(host))) == len(parts)


@pytest.mark.parametrize(
    "path", ["/", "//", "///", "", "/%2f", "/%2F/", "/./", "/;", "/.//", "//x"]
)
def test_no_path_is_taken_for_all_the_parts(make: Make, path: str) -> None:
    sites = make("games example.com/a", "news example.com/a/b")
    assert found(sites, "example.com", path) == ()
    assert sites.entries("example.com", path) == []
    assert (len(sites), sites.names, sites.feed_counts) == (2, 2, {"curated": 2})


# -- set ids -------------------------------------------------------------------------------------


def test_nothing_is_set_zero_and_equal_unions_share_one_id(make: Make) -> None:
    sites = make("a one.example", "b one.example", "b two.example", "a two.example", "a three")
    assert sites.categories(0) == ()
    assert sites.get("unlisted.example") == 0
    assert sites.get("one.example") == sites.get("www.two.example") != 0
    assert sites.get("three") not in (0, sites.get("one.example"))


def test_a_union_found_through_a_path_has_one_id_in_all_threads(make: Make) -> None:
    sites = make(
        "a one.example", "b one.example/p", "b two.example/p", "a two.example", "a x.example/p"
    )
    ids: list[int] = []
    threads = [
        threading.Thread(target=lambda host=host: ids.append(sites.get(host, "/p")))
        for host in ["one.example", "two.example"] * 4
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(ids)) == 1
    assert sites.categories(ids[0]) == ("a", "b")
    assert sites.get("one.example", "/q") == sites.get("one.example")
    assert sites.get("x.example", "/p") != 0 == sites.get("x.example")


# -- against a naive twin ------------------------------------------------------------------------

_LABELS = st.sampled_from(["a", "b", "ab", "com", "1b", "alabelofmorethan8", "x--_"])
_ADDRESSES = ["10.0.0.1", "0.0.0.1", "[::1]"]
_HOSTS = st.one_of(
    st.lists(_LABELS, min_size=1, max_size=5).map(".".join), st.sampled_from(_ADDRESSES)
)
_SEGMENTS = st.lists(
    st.sampled_from(["x", "y", "xy", "%78", "Y", ".", "", "..", "y;v", "é"]), max_size=4
)
_PATHS = _SEGMENTS.map(lambda segments: "/" + "/".join(segments))
_PLAIN_PATHS = st.lists(st.sampled_from(["x", "y", "xy", "é"]), max_size=3).map(
    lambda segments: "/" + "/".join(segments)
)
_ENTRIES = st.lists(
    st.builds(
        ListEntry,
        _HOSTS,
        _PLAIN_PATHS,
        st.sampled_from(["games", "news", "chat"]),
        st.sampled_from(["curated", "ut1"]),
        st.sampled_from(Reach),
    ),
    max_size=16,
)


def naive_covers(entry: ListEntry, host: str, path: str) -> bool:
    """Ask by plain suffix and prefix comparison what the index finds by walking."""
    itself = host == entry.host
    below = host.endswith("." + entry.host) and entry.host not in _ADDRESSES
    by_host = {
        Reach.SITE: itself or below,
        Reach.HOST: itself,
        Reach.BELOW: below,
    }[entry.reach]
    whole = all if entry.category == "news" else any
    return by_host and whole(path_covers(entry.path, reading) for reading in path_readings(path))


@given(_ENTRIES, _HOSTS, _PATHS)
def test_the_index_finds_what_a_scan_over_all_entries_finds(
    entries: list[ListEntry], host: str, path: str
) -> None:
    want = {entry for entry in entries if naive_covers(entry, host, path)}
    categories = tuple(sorted({entry.category for entry in want}))
    host_only = {entry.category for entry in entries if naive_covers(entry, host, "/")}
    anywhere = {e.category for e in entries if naive_covers(replace(e, path="/"), host, "/")}
    for native in (False, True):
        sites = index(entries, native=native, opening=["news"])
        evidence = sites.entries(host, path)
        assert set(evidence) == want
        assert len(evidence) == len(want)
        assert found(sites, host, path) == categories
        assert found(sites, host) == tuple(sorted(host_only))
        assert sites.categories(sites.get_with_paths(host)) == tuple(sorted(anywhere))
        assert len(sites) == len(set(entries))


@given(_ENTRIES, st.lists(_HOSTS, max_size=6))
def test_many_hosts_are_answered_as_each_alone(entries: list[ListEntry], hosts: list[str]) -> None:
    for native in (False, True):
        sites = index(entries, native=native)
        ids = sites.get_many(hosts)
        assert ids == [sites.get(host) for host in hosts]
        categories = [found(sites, host) for host in hosts]
        assert len(set(ids)) == len(set(categories))
        assert all(
            (number == 0) == (named == ()) for number, named in zip(ids, categories, strict=True)
        )


@given(_ENTRIES, _HOSTS, _PATHS)
def test_the_order_of_the_entries_changes_no_categories(
    entries: list[ListEntry], host: str, path: str
) -> None:
    forth, back = index(entries, native=True), index(entries[::-1], native=True)
    assert found(forth, host, path) == found(back, host, path)


@given(_ENTRIES, st.one_of(_HOSTS, st.text(max_size=20)), st.one_of(_PATHS, st.text(max_size=20)))
def test_both_readers_give_the_same_answer_to_anything(
    entries: list[ListEntry], host: str, path: str
) -> None:
    image = b"".join(build_index(entries, seed=3, opening=["news"]).pieces)
    plain, native = read_index(image, native=False), read_index(image, native=True)
    assert plain.get(host) == native.get(host)
    assert plain.categories(plain.get_with_paths(host)) == native.categories(
        native.get_with_paths(host)
    )
    assert found(plain, host, path) == found(native, host, path)
    raw = host.encode().lower()
    for reading in path_readings(path):
        assert plain.walk(raw, reading.encode()) == native.walk(raw, reading.encode())
