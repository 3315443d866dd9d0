"""A build takes entries and texts; C and Python write the same bytes, and no two names collide."""

import random
import re
import zlib
from collections.abc import Sequence
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schoolgate.core.categories import ListEntry, Reach
from schoolgate.core.errors import BadAddressError
from schoolgate.core.index import Built, Refused, Source, build_index, plain_builder, read_index
from schoolgate.core.index.layout import Parts
from schoolgate.core.index.native import native_module

BUILDERS = [pytest.param(False, id="python"), pytest.param(True, id="native")]


def source(text: str | bytes, category: str = "games", feed: str = "one") -> Source:
    data = text.encode() if isinstance(text, str) else text
    return Source(f"{feed}/{category}.txt", category, feed, lambda: data)


def built(*sources: Source, native: bool, seed: int = 1, tag_bits: int = 39) -> Built:
    return build_index((), sources, seed=seed, native=native, tag_bits=tag_bits)


def image(made: Built) -> bytes:
    return b"".join(made.pieces)


# -- lines ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("native", BUILDERS)
@pytest.mark.parametrize(
    ("line", "want"),
    [
        ("example.com", "example.com"),
        ("a_b.example-1.com", "a_b.example-1.com"),
        ("10.0.0.1", "10.0.0.1"),
        ("example.com # why", "example.com"),
        ("  # why", ""),
        ("[2001:db8::1]", "[2001:db8::1]"),
        ("=example.com", "=example.com"),
        ("*.example.com", "*.example.com"),
        ("example.com/a/b", "example.com/a/b"),
        ("example.com/a b", "example.com/a b"),
        ("example.com/*~!$&'()+,:@[]^`{|}", "example.com/*~!$&'()+,:@[]^`{|}"),
        # In another form than the plain one: brought into it.
        ("EXAMPLE.com", "example.com"),
        ("example.com.", "example.com"),
        ("  example.com \t", "example.com"),
        ("example.com\r", "example.com"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("0x7f.1", "127.0.0.1"),
        ("2130706433", "127.0.0.1"),
        ("[2001:DB8:0::1]", "[2001:db8::1]"),
        ("[0:0:0:0:0:0:0:1]", "[::1]"),
        ("[:::]", None),
        ("2001:db8::1", None),
        ("example.com/", "example.com"),
        ("example.com//A/../b/", "example.com/b"),
        ("example.com/%61", "example.com/a"),
        ("a!b.example", "a!b.example"),
        # Nothing to say.
        ("", ""),
        ("   ", ""),
        ("# a comment", ""),
        # No entry.
        ("https://example.com", None),
        ("example.com:80", None),
        ("exa mple.com", None),
        ("a..example", "a..example"),
        ("1.2.3.400", None),
        ("example.com/a?b", None),
        ("<html>", None),
        ("com", None),  # it would cover a whole country or word
        ("localhost", None),
        ("*.com", None),
        ("*example.com", None),
    ],
)
def test_a_line_is_an_entry_in_one_form_or_refused(
    native: bool, line: str, want: str | None
) -> None:
    made = built(source(line + "\n"), native=native)
    if want is None:
        assert [refused.line for refused in made.refused] == [1]
    else:
        assert made.refused == ()
    sites = read_index(image(made))
    entry = ListEntry.parse(want, "games", "one") if want else None
    assert made.names == (1 if entry else 0)
    if entry:
        host = f"sub.{entry.host}" if entry.reach is Reach.BELOW else entry.host
        assert sites.entries(host, entry.path) == [entry]


@pytest.mark.parametrize("native", BUILDERS)
def test_a_refused_line_is_named_by_its_number_and_the_others_are_kept(native: bool) -> None:
    text = "# head\none.example\n\nhttps://two.example\nTHREE.example\r\nfour example\n"
    made = built(source(text), native=native)
    assert [(r.source, r.line) for r in made.refused] == [
        ("one/games.txt", 4),
        ("one/games.txt", 6),
    ]
    assert made.names == 2
    assert isinstance(made.refused[0], Refused)
    assert "scheme or a port" in made.refused[0].message


@pytest.mark.parametrize("native", BUILDERS)
@pytest.mark.parametrize(
    ("text", "host", "want"),
    [
        ("one.example/a\n", "one.example", True),
        ("# head\none.example/a # why\n", "one.example", True),
        ("  ONE.example/A/b\r\n", "www.one.example", True),
        ("=one.example/a", "one.example", True),
        ("=one.example/a", "www.one.example", False),
        ("*.one.example/a", "one.example", False),
        ("*.one.example/a", "www.one.example", True),
        ("one.example/", "one.example", False),  # the whole site
        ("# one.example/a", "one.example", False),
        ("one.example/a?b\n", "one.example", False),  # refused
        ("https://one.example/a\n", "one.example", False),
        ("com/a\n", "one.example", False),
    ],
)
def test_a_host_that_a_source_lists_in_part_is_known_by_its_name(
    native: bool, text: str, host: str, want: bool
) -> None:
    made = built(source(f"two.example\n{text}"), native=native)
    sites = read_index(image(made))
    whole = sites.get(host)
    assert (sites.get_with_paths(host) != whole) is want
    assert sites.feed_counts == {"one": made.names}


@pytest.mark.parametrize("native", BUILDERS)
def test_bytes_that_are_no_text_are_refused_line_by_line(native: bool) -> None:
    made = built(source(b"one.example\n\xff\xfe.example\n\x00\ntwo.example"), native=native)
    assert [refused.line for refused in made.refused] == [2]
    assert made.names == 2


def test_a_path_in_letters_that_only_folding_makes_equal_is_found() -> None:
    entry = ListEntry.parse("example.com/\u13a0\uab70", "games", "one")
    for native in (False, True):
        made = build_index([entry], seed=1, native=native)
        assert read_index(image(made)).entries("example.com", "/\uab70\u13a0") == [entry]


@given(st.text(st.sampled_from("aZ1-_.*=/%;\\?#~ \t\r\n:[]é"), max_size=60))
def test_both_builders_refuse_the_same_lines(text: str) -> None:
    native, plain = (built(source(text), native=native) for native in (True, False))
    assert native.refused == plain.refused
    assert image(native) == image(plain)


@given(st.text(st.sampled_from("aZ1-_.*=/%;\\?#~ :[]é"), min_size=1, max_size=30))
def test_a_line_is_taken_in_the_form_that_an_entry_of_it_has(line: str) -> None:
    try:
        entry = ListEntry.parse(re.split(r"(?:^|\s)#", line)[0].strip(), "games", "one")
    except BadAddressError:
        entry = None
    if entry and "." not in entry.host and not entry.host.startswith("["):
        entry = None
    made = built(source(line), native=True)
    assert made.names == (entry is not None)
    if entry:
        host = f"x.{entry.host}" if entry.reach is Reach.BELOW else entry.host
        if not (entry.reach is Reach.BELOW and re.search(r"\d$|\]$", entry.host)):
            assert read_index(image(made)).entries(host, entry.path) == [entry]


# -- the same bytes ------------------------------------------------------------------------------

_LABEL = st.sampled_from(["a", "b", "com", "longlabel", "averyverylonglabel", "1", "x-y"])
_LINES = st.lists(
    st.builds(
        lambda sign, labels, path: sign + ".".join(labels) + path,
        st.sampled_from(["", "", "=", "*."]),
        st.lists(_LABEL, min_size=1, max_size=4),
        st.sampled_from(["", "", "/x", "/x/y", "/averyverylongsegment"]),
    ),
    max_size=40,
).map("\n".join)
_SOURCES = st.lists(
    st.builds(source, _LINES, st.sampled_from("abc"), st.sampled_from(["one", "two"])), max_size=4
)


@given(_SOURCES, st.integers(0, 2**64 - 1), st.sampled_from([39, 12]))
def test_both_builders_write_the_same_bytes(
    sources: Sequence[Source], seed: int, tag_bits: int
) -> None:
    native, plain = (
        built(*sources, native=native, seed=seed, tag_bits=tag_bits) for native in (True, False)
    )
    assert image(native) == image(plain)


def test_both_builders_write_the_same_bytes_for_more_rows_than_a_slot_can_number() -> None:
    """Past 65,535 different rows the rarest are found through the table of escapes."""
    feeds = [f"feed{number}" for number in range(17)]
    lines: list[list[str]] = [[] for _ in feeds]
    for number in range(1, 70_000):
        for bit in range(17):
            if number >> bit & 1:
                lines[bit].append(f"n{number}.example")
    sources = [
        source("\n".join(names), "games", feed) for feed, names in zip(feeds, lines, strict=True)
    ]
    native, plain = (built(*sources, native=native) for native in (True, False))
    assert image(native) == image(plain)
    for reader in (True, False):
        sites = read_index(image(native), native=reader)
        assert sites.header.sections["escapes"][1] > 0
        for number in (*range(1, 200), *range(65_000, 70_000, 7)):
            want = {feeds[bit] for bit in range(17) if number >> bit & 1}
            assert {entry.feed for entry in sites.entries(f"n{number}.example")} == want


# -- fingerprints --------------------------------------------------------------------------------


@pytest.mark.parametrize("native", BUILDERS)
def test_a_build_in_which_two_names_collide_starts_again_with_another_seed(native: bool) -> None:
    """With 10 bits 200 names collide under some of these seeds, but not under all."""
    names = [f"n{number}.example" for number in range(200)]
    moved = 0
    for seed in range(20):
        made = built(source("\n".join(names)), native=native, seed=seed, tag_bits=10)
        sites = read_index(image(made), native=native)
        moved += sites.header.seed != seed
        assert len({sites.entries(name)[0].host for name in names}) == len(names)
    assert 0 < moved < 20


@pytest.mark.parametrize("native", BUILDERS)
def test_a_build_that_collides_under_every_seed_is_refused(native: bool) -> None:
    names = "\n".join(f"n{number}.example" for number in range(200))
    with pytest.raises(OverflowError, match="two names share a fingerprint of 3 bits"):
        built(source(names), native=native, tag_bits=3)


def test_as_many_unlisted_names_are_mistaken_as_the_fingerprints_make_likely() -> None:
    """An absent node is compared with about twenty others; of 18 bits each, 1 in 2^18 agrees."""
    rng = random.Random(6)
    names = "\n".join(f"n{rng.getrandbits(64):x}.example" for _ in range(100_000)).encode()
    made = built(source(names), native=True, seed=2, tag_bits=18)
    asked = [f"u{rng.getrandbits(64):x}.example" for _ in range(400_000)]
    ids = read_index(image(made)).get_many(asked)
    mistaken = sum(number != 0 for number in ids) / len(asked)
    assert 10 * 2**-18 < mistaken < 30 * 2**-18


def test_a_root_dot_is_dropped_when_building_too() -> None:
    assert native_module is not None
    made = []
    for module in (plain_builder, native_module):
        builder = module.Builder(1, 39)
        builder.add_one(b"example.com.", b"", 0)
        parts = builder.finish(b"\0\0")
        made.append(parts.nodes if isinstance(parts, Parts) else parts[0])
    assert made == [2, 2]


def test_the_builders_know_their_limits() -> None:
    assert native_module is not None
    for module in (plain_builder, native_module):
        builder = module.Builder(1, 39)
        with pytest.raises(OverflowError):
            builder.add_one(b"x" * 70_000, b"", 0)
        with pytest.raises(OverflowError):
            builder.add_one(b"x", b"/" + b"x" * 70_000, 0)


def test_a_finished_native_builder_takes_nothing_more() -> None:
    assert native_module is not None
    builder = native_module.Builder(1, 39)
    builder.finish(b"")
    for act in (
        partial(builder.finish, b""),
        partial(builder.add, b"a.example", 0),
        partial(builder.add_one, b"a.example", b"", 0),
    ):
        with pytest.raises(ValueError, match="has finished"):
            act()


# -- the checksum --------------------------------------------------------------------------------


@given(st.binary(max_size=400), st.integers(0, 8))
def test_the_native_checksum_is_that_of_zlib(data: bytes, offset: int) -> None:
    assert native_module is not None
    assert native_module.crc32(memoryview(data)[offset:]) == zlib.crc32(data[offset:])


def test_the_native_checksum_of_much_is_that_of_zlib() -> None:
    assert native_module is not None
    data = bytes(range(251)) * 5000
    assert native_module.crc32(data) == zlib.crc32(data)
