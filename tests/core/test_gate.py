"""The gate: what is dropped, what waits for a person, and that nothing else is touched."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schoolgate.core.categories import ListEntry
from schoolgate.core.gate import (
    MANY_CHILDREN,
    Finding,
    Ground,
    Guards,
    Suffixes,
    bare_hosts,
    closure,
    disputed,
    judge,
    size_fault,
    skeleton,
)
from schoolgate.core.index import index_of

_NEVER = {b"ac.uk": "education", b"login.example": "sign-in", b"own.sch.uk": "the school's own"}
_GUARDS = Guards(
    suffixes=Suffixes({b"uk", b"co.uk", b"ac.uk", b"github.io"}, {b"sch.uk"}, {b"city.sch.uk"}),
    platforms={b"blogs.example": "blogs-forums to us"},
    never=_NEVER,
    is_below_never=index_of(ListEntry(host.decode(), "/", "never", "") for host in _NEVER).get,
    own=("own.sch.uk",),
    popular={b"www.popular.example", b"bets.example"},
    curated=lambda host, category: (host, category) == ("bets.example", "gambling"),
)


def _judged(
    *entries: bytes, old: tuple[bytes, ...] = (), approved: tuple[bytes, ...] = ()
) -> list[str]:
    judgement = judge({b"other.example", *entries}, old, "gambling", _GUARDS, approved)
    assert b"other.example" in judgement.taken
    gone = {finding.entry.encode() for finding in judgement.findings}
    assert bare_hosts(judgement.taken).isdisjoint(gone)
    return [str(finding) for finding in judgement.findings]


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        (b"co.uk", "co.uk: is a public suffix"),
        (b"=co.uk", "co.uk: is a public suffix"),
        (b"*.co.uk", "co.uk: is a public suffix"),
        (b"github.io", "github.io: is a public suffix"),
        (b"sch.uk", "sch.uk: is a public suffix"),
        (b"town.sch.uk", "town.sch.uk: is a public suffix"),
        (b"blogs.example", "blogs.example: carries everybody's content (blogs-forums to us)"),
        (b"ox.ac.uk", "ox.ac.uk: is never to be blocked by mistake (education: ac.uk)"),
        (b"login.example", "login.example: is never to be blocked by mistake (sign-in: login.example)"),
        (
            b"www.own.sch.uk",
            "www.own.sch.uk: is never to be blocked by mistake (the school's own: own.sch.uk)",
        ),
    ],
)  # fmt: skip
def test_an_entry_that_does_not_go_live_is_named_with_the_reason(entry: bytes, said: str) -> None:
    assert _judged(entry) == [said]


@pytest.mark.parametrize(
    "entry",
    [b"pupil.github.io", b"city.sch.uk.example", b"blog.blogs.example", b"ac.uk.example",
     b"blogs.example/bets", b"login.example/bets", b"*.bets.example"],
)  # fmt: skip
def test_other_entries_go_live(entry: bytes) -> None:
    assert _judged(entry) == []


def test_what_covers_a_guarded_host_is_held() -> None:
    guards = replace(_GUARDS, never={b"login.example.com": "sign-in"}, is_below_never=lambda _: 0)
    (finding,) = judge({b"example.com"}, (), "gambling", guards).findings
    assert str(finding) == (
        "example.com: is never to be blocked by mistake (sign-in: it covers login.example.com)"
    )


def test_what_is_live_already_is_not_held_again_but_dropped_all_the_same() -> None:
    assert _judged(b"ox.ac.uk", old=(b"ox.ac.uk",)) == []
    assert _judged(b"co.uk", old=(b"co.uk",)) == ["co.uk: is a public suffix"]


def test_a_person_may_let_go_live_what_is_held_and_not_what_is_dropped() -> None:
    assert _judged(b"ox.ac.uk", approved=(b"ox.ac.uk",)) == []
    assert _judged(b"co.uk", approved=(b"co.uk",)) == ["co.uk: is a public suffix"]
    assert {ground for ground in Ground if ground.holds} == {
        Ground.LOOKS_LIKE, Ground.NEVER, Ground.POPULAR, Ground.IN_USE,
    }  # fmt: skip


def test_an_apex_with_many_listed_children_is_dropped_and_they_are_not() -> None:
    children = {b"site%d.hosting.example" % number for number in range(MANY_CHILDREN)}
    judgement = judge({b"hosting.example", *children}, (), "gambling", _GUARDS)
    assert judgement.findings == [Finding("hosting.example", Ground.MANY, f"{MANY_CHILDREN:,}")]
    assert judgement.taken == children


def test_what_our_own_lists_close_is_no_platform() -> None:
    children = {b"site%d.bets.example" % number for number in range(MANY_CHILDREN)}
    assert judge({b"bets.example", *children}, (), "gambling", _GUARDS).findings == []


@pytest.mark.parametrize(
    ("host", "like"),
    [
        ("own.sch.uk", False),
        ("0wn.sch.uk", True),
        ("\u043ewn.sch.uk", True),  # a Cyrillic o
        ("\u00f6wn.sch.uk", True),
        ("www.\u043ewn.sch.uk", True),
        ("\u043ewn.example", False),
        ("town.sch.uk", False),
    ],
)
def test_what_looks_like_the_schools_domain_is_held(host: str, like: bool) -> None:
    name = host.encode("idna")
    guards = replace(_GUARDS, never={}, is_below_never=lambda _: 0, suffixes=Suffixes({}, {}, {}))
    found = [one.ground for one in judge({name}, (), "gambling", guards).findings]
    assert found == ([Ground.LOOKS_LIKE] if like else [])


def test_a_label_that_is_no_punycode_is_drawn_as_it_is_written() -> None:
    assert skeleton("xn--\u00e9.example") == "xn--e.example"


@pytest.mark.parametrize(
    ("count", "before", "said"),
    [
        (100, 0, ""),
        (9, 0, "has 9 entries, and 10 are the least that is plausible"),
        (5001, 0, "has 5,001 entries, and 5,000 are the most that is plausible"),
        (70, 100, ""),
        (69, 100, "shrank from 100 to 69 entries"),
        (1_000, 100, ""),
        (2_001, 1_000, "grew from 1,000 to 2,001 entries"),
        (2_000, 1_000, ""),
    ],
)
def test_a_list_of_an_odd_size_is_held_whole(count: int, before: int, said: str) -> None:
    assert size_fault(count, before, 10, 5_000) == said


@pytest.mark.parametrize(
    ("lists", "live", "held"),
    [
        ({"a:x": {b"popular.example"}}, {}, {"a:x"}),
        ({"a:x": {b"popular.example"}, "a:y": {b"popular.example"}}, {}, {"a:x", "a:y"}),
        ({"a:x": {b"popular.example"}, "b:x": {b"popular.example"}}, {}, set()),
        ({"a:x": {b"popular.example"}, "b:x": {b"other.example"}}, {}, {"a:x", "b:x"}),
        ({"a:x": {b"popular.example"}}, {"a:x": {b"popular.example"}}, set()),
        ({"a:x": {b"bets.example"}}, {}, set()),
    ],
)
def test_a_popular_host_is_closed_where_feeds_of_two_publishers_agree(
    lists: dict[str, set[bytes]], live: dict[str, set[bytes]], held: set[str]
) -> None:
    found = disputed(lists, lambda name: name[0], lambda _: "gambling", _GUARDS.curated, live)
    assert set(found) == held


def test_what_covers_a_popular_host_is_known_by_its_name() -> None:
    judgement = judge({b"popular.example", b"x.popular.example"}, (), "gambling", _GUARDS)
    assert judgement.popular == {b"popular.example"}


_NAME = st.from_regex(r"\A[a-c]{1,2}(\.[a-c]){1,3}\Z").map(str.encode)


@given(st.sets(_NAME), st.sets(_NAME, max_size=4))
def test_what_is_below_or_above_a_guarded_host_is_what_a_naive_look_finds(
    hosts: set[bytes], never: set[bytes]
) -> None:
    below = index_of(ListEntry(host.decode(), "/", "never", "") for host in never).get
    guards = replace(
        _GUARDS, never=dict.fromkeys(never, "x"), is_below_never=below, own=(),
        suffixes=Suffixes({}, {}, {}), platforms={},
    )  # fmt: skip
    found = {one.entry.encode() for one in judge(set(hosts), (), "games", guards).findings}
    assert found == {
        host
        for host in hosts
        for guarded in never
        if host == guarded or host.endswith(b"." + guarded) or guarded.endswith(b"." + host)
    }


def test_bare_hosts_are_those_without_signs_and_paths() -> None:
    entries = {b"a.example", b"=b.example", b"*.c.example", b"d.example/path"}
    assert bare_hosts(entries) == {b"a.example", b"b.example", b"c.example"}


def test_a_closure_goes_up_to_two_labels() -> None:
    assert closure([b"a.b.example"]) == {b"a.b.example", b"b.example"}
