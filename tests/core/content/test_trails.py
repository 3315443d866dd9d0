"""Which unlisted sites lead to listed ones, as far as they were seen to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schoolgate.core.content import Trails
from schoolgate.core.content.trails import HOP_SECONDS, KEPT_SECONDS

ONE, OTHER = "192.0.2.1", "192.0.2.2"
LISTED = {"bets.test": True, "www.bets.test": True, "search.test": None}


def is_listed(host: str) -> bool | None:
    return LISTED.get(host, False)


def site_of(host: str) -> str:
    return ".".join(host.split(".")[-2:])


def trails(*hops: tuple[str, str], client: str = ONE, every: float = 1.0) -> Trails:
    made = Trails(site_of)
    for number, (source, target) in enumerate(hops):
        made.hop(client, source, target, number * every, is_listed)
    return made


@pytest.mark.parametrize(
    ("hops", "host", "want"),
    [
        ([("a.test", "bets.test")], "a.test", ["bets.test"]),
        ([("a.test", "bets.test")], "www.a.test", ["bets.test"]),
        ([("bets.test", "a.test")], "a.test", ["bets.test"]),
        ([("a.test", "b.test"), ("b.test", "bets.test")], "a.test", ["bets.test"]),
        ([("a.test", "b.test"), ("b.test", "bets.test")], "b.test", ["bets.test"]),
        ([("bets.test", "a.test"), ("a.test", "b.test")], "b.test", ["bets.test"]),
        ([("a.test", "b.test")], "a.test", []),
        ([("search.test", "bets.test")], "search.test", []),
        ([("bets.test", "search.test")], "search.test", []),
        ([("bets.test", "www.bets.test")], "bets.test", []),
        ([("a.test", "a.test")], "a.test", []),
        ([("c.test", "bets.test")], "a.test", []),
    ],
)
def test_a_site_that_no_list_knows_is_known_by_where_it_leads(
    hops: list[tuple[str, str]], host: str, want: list[str]
) -> None:
    assert list(trails(*hops).listed_by(host, 2)) == want


CHAIN = [("a.test", "b.test"), ("b.test", "bets.test")]


def test_a_chain_is_that_of_one_client_within_seconds() -> None:
    slow = trails(*CHAIN, every=HOP_SECONDS + 1)
    assert list(slow.listed_by("a.test", 10)) == []
    assert list(slow.listed_by("b.test", 10)) == ["bets.test"]
    two = trails(CHAIN[0])
    two.hop(OTHER, *CHAIN[1], 1, is_listed)
    assert list(two.listed_by("a.test", 2)) == []


def test_a_site_is_known_for_hours_and_no_longer() -> None:
    made = trails(("a.test", "bets.test"))
    assert list(made.listed_by("a.test", KEPT_SECONDS)) == ["bets.test"]
    assert list(made.listed_by("a.test", KEPT_SECONDS + 1)) == []


def test_what_a_client_did_is_forgotten_within_seconds() -> None:
    made = trails(("a.test", "b.test"))
    made.visit(ONE, "c.test", 1)
    assert made.is_fresh(ONE, "c.test", 1 + HOP_SECONDS)
    assert not made.is_fresh(OTHER, "c.test", 1)
    made.visit(OTHER, "d.test", 10)
    assert list(made._hops) == [(OTHER, "d.test")]


@given(st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 3000)), max_size=50))
def test_memory_is_bounded(hops: list[tuple[int, int]]) -> None:
    made = Trails(site_of)
    for number in range(3000):
        made.hop(f"client{number}", f"x.site{number}", "bets.test", 0, is_listed)
    for a, b in hops:
        made.hop(ONE, f"x.site{a}", f"y.site{b}", 1, is_listed)
    assert len(made._hops) <= 1000
    assert len(made._sites) <= 2000


def test_one_site_that_leads_everywhere_is_remembered_for_some_of_it() -> None:
    made = Trails(site_of)
    for number in range(100):
        made.hop(ONE, "a.test", f"bets{number}.example", 0, lambda host: host != "a.test")
    assert list(made.listed_by("a.test", 1)) == [f"bets{n}.example" for n in range(92, 100)]
