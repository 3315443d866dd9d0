"""Sites that a page has to do with add points by how many of them are listed, and never more than is said."""

from collections.abc import Collection, Iterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schoolgate.core.content import (
    Beside,
    PageScorer,
    PhraseModel,
    Relation,
    Relations,
    Signal,
    Worth,
)
from tests.core.content.conftest import FILLER, GAMBLING

LISTS = {
    "bets.test": ("gambling",),
    "www.bets.test": ("gambling",),
    "slots.test": ("gambling",),
    "girls.test": ("adult",),
    "both.test": ("adult", "gambling"),
}
HOSTS = [*LISTS, "cdn.test", "img.cdn.test", "school.test", "www.page.test"]


def listed(host: str) -> Collection[str]:
    return LISTS.get(host, ())


def site_of(host: str) -> str:
    return ".".join(host.split(".")[-2:])


RELATIONS = Relations(
    {Relation.ASSET: Worth(4, 6), Relation.CERTIFICATE: Worth(5, 10)}, 0.5, 1.5, site_of
)


def points(relation: Relation, hosts: Collection[str]) -> dict[str, float]:
    found = RELATIONS.signals(relation, hosts, "www.page.test", listed)
    return {signal.id: signal.points for signal in found}


@pytest.mark.parametrize(
    ("hosts", "want"),
    [
        ([], {}),
        (["cdn.test", "school.test"], {}),
        (["bets.test"], {"asset:gambling": 4}),
        (["bets.test", "www.bets.test"], {"asset:gambling": 4}),
        (["bets.test", "slots.test"], {"asset:gambling": 6}),
        (["bets.test", "slots.test", "both.test"], {"asset:adult": 4, "asset:gambling": 6}),
    ],
)
def test_each_listed_site_counts_once_up_to_the_most(
    hosts: list[str], want: dict[str, float]
) -> None:
    assert points(Relation.ASSET, hosts) == want


@pytest.mark.parametrize(
    ("hosts", "want"),
    [
        (["page.test", "bets.test"], {"certificate:gambling": 5}),
        (["bets.test", "cdn.test"], {"certificate:gambling": 5}),
        (["bets.test", "slots.test", "cdn.test", "school.test"], {"certificate:gambling": 10}),
        (["bets.test", "cdn.test", "school.test"], {}),
    ],
)
def test_a_certificate_that_many_unrelated_sites_share_says_nothing(
    hosts: list[str], want: dict[str, float]
) -> None:
    assert points(Relation.CERTIFICATE, hosts) == want


def test_the_page_s_own_site_says_nothing() -> None:
    found = RELATIONS.signals(Relation.ASSET, ["img.bets.test"], "bets.test", lambda _: ["adult"])
    assert list(found) == []


def test_a_relation_without_a_worth_says_nothing() -> None:
    assert points(Relation.LINK, HOSTS) == {}


@given(st.lists(st.sampled_from(HOSTS)))
def test_order_and_repetition_change_nothing_and_each_host_is_asked_for_once(
    hosts: list[str],
) -> None:
    asked: list[str] = []

    def asking(host: str) -> Collection[str]:
        asked.append(host)
        return listed(host)

    found = list(RELATIONS.signals(Relation.ASSET, hosts * 2, "www.page.test", asking))
    assert len(asked) == len(set(asked))
    backwards = list(RELATIONS.signals(Relation.ASSET, hosts[::-1], "www.page.test", listed))
    assert backwards == found


def test_on_a_new_site_signals_weigh_more() -> None:
    signals = [Signal("asset:gambling", "gambling", 4)]
    assert RELATIONS.weighed(signals, is_new=False) == tuple(signals)
    assert RELATIONS.weighed(signals, is_new=True) == (Signal("asset:gambling", "gambling", 6),)


ALL = tuple(Signal(f"{relation}:gambling", "gambling", 90, yields=True) for relation in Relation)


@pytest.mark.parametrize(
    ("text", "signals", "want"),
    [
        (FILLER, ALL, False),
        (f"free spins {FILLER}", ALL, False),
        (f"free spins, place your bets, odds {FILLER}", (), False),
        (f"free spins, place your bets, odds {FILLER}", ALL[:1], True),
        (
            f"free spins, place your bets, odds, nurse, treatment, breast cancer {FILLER}",
            ALL[:1],
            False,
        ),
        (GAMBLING, (), True),
    ],
)
def test_no_relation_is_enough_without_the_phrases(
    model: PhraseModel, text: str, signals: tuple[Signal, ...], want: bool
) -> None:
    scorer = PageScorer(model, "text/html", look_around=lambda _beside, _leads: signals)
    scorer.feed(f"<p>{text}</p>".encode())
    assert (scorer.close() is not None) is want


PAGE = (
    f"<head><script src='//slots.test/a.js'></script></head><p>free spins, place your bets, odds</p>"
    f"<img src='//bets.test/a.png'><p>{FILLER} {'x' * 9000}</p>"
    "<iframe src='//frames.bets.test'></iframe>"
).encode()


@given(st.lists(st.integers(1, len(PAGE) - 1), max_size=6), st.booleans())
def test_chunks_change_no_verdict(model: PhraseModel, cuts: list[int], is_listed: bool) -> None:
    def look_around(beside: Beside, _leads_to: list[str]) -> Iterator[Signal]:
        return RELATIONS.signals(
            Relation.ASSET, beside.assets, "www.page.test", listed if is_listed else lambda _: ()
        )

    scorer = PageScorer(model, "text/html", look_around=look_around)
    for start, end in pairwise([0, *sorted(cuts), len(PAGE)]):
        scorer.feed(PAGE[start:end])
    score = scorer.close()
    assert (score is not None) is is_listed
