"""Which source is believed, and that less knowledge never opens more."""

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schoolgate.core.identity import UNKNOWN, Claim, Facts, Identity, Rank, identify, strictest

ORDER = ("guests", "pupils", "staff")  # the strictest first
AT = 1000.0


def who(*claims: Claim, at: float = AT) -> Identity:
    return identify("10.0.0.7", Facts(claims, at, ORDER))


def claim(rank: Rank, **said: object) -> Claim:
    return Claim(rank, rank.name.lower(), **said)  # type: ignore[arg-type]


NETWORK = claim(Rank.NETWORK, network="wired", group="guests")
DEVICE = claim(Rank.DEVICE, device="ipad-3", device_kind="school-mobile", group="pupils")
PEER = claim(Rank.WIREGUARD, user="peer", device="laptop-9", group="staff")
RADIUS = claim(Rank.RADIUS, user="radius", group="staff")
SIGN_IN = claim(Rank.SIGN_IN, user="page", group="pupils", also=frozenset({"class-4b"}))
PROXY = claim(Rank.PROXY_AUTHENTICATION, user="proxy", group="staff")


@pytest.mark.parametrize(
    ("claims", "user", "device", "network", "group"),
    [
        ([], "", "", "", ""),
        ([NETWORK], "", "", "wired", "guests"),
        ([DEVICE, NETWORK], "", "ipad-3", "wired", "pupils"),
        ([PEER, DEVICE, NETWORK], "peer", "laptop-9", "wired", "staff"),
        ([RADIUS, PEER, DEVICE, NETWORK], "radius", "laptop-9", "wired", "staff"),
        ([SIGN_IN, RADIUS, DEVICE, NETWORK], "page", "ipad-3", "wired", "pupils"),
        ([PROXY, SIGN_IN, RADIUS, DEVICE, NETWORK], "proxy", "ipad-3", "wired", "staff"),
        # whatever order they come in
        ([NETWORK, DEVICE, SIGN_IN, PROXY], "proxy", "ipad-3", "wired", "staff"),
        # a device without a group is what its network is
        ([claim(Rank.DEVICE, device="tv"), NETWORK], "", "tv", "wired", "guests"),
        # a person without a group does not get that of the device or the network
        ([claim(Rank.SIGN_IN, user="new"), DEVICE, NETWORK], "new", "ipad-3", "wired", ""),
    ],
)
def test_the_best_source_that_names_a_thing_counts(
    claims: list[Claim], user: str, device: str, network: str, group: str
) -> None:
    found = who(*claims)
    assert (found.user, found.device, found.network, found.group) == (user, device, network, group)


def test_further_groups_come_with_the_primary_one_alone() -> None:
    assert who(SIGN_IN).also == {"class-4b"}
    assert who(PROXY, SIGN_IN).also == frozenset()


def test_what_ended_is_as_if_it_had_never_been() -> None:
    ending = claim(Rank.SIGN_IN, user="page", group="staff", until=AT + 1)
    assert who(ending, NETWORK, at=AT).group == "staff"
    assert who(ending, NETWORK, at=AT + 1) == who(NETWORK)


def test_a_banned_binding_names_the_person_and_gives_no_group_at_all() -> None:
    banned = claim(Rank.SIGN_IN, user="page", group="staff", withheld="banned")
    found = who(banned, DEVICE, claim(Rank.NETWORK, network="staffroom", group="staff"))
    assert (found.user, found.group, found.also) == ("page", "", frozenset())
    assert found.evidence[-1].source == "sign_in: banned"
    # What somebody proved on the connection itself does not rest on the binding.
    assert who(PROXY, banned).group == "staff"


@pytest.mark.parametrize(
    ("one", "other", "user", "group"),
    [
        (("a", "staff"), ("a", "staff"), "a", "staff"),
        (("a", "staff"), ("b", "staff"), "", "staff"),
        (("a", "staff"), ("b", "pupils"), "", "pupils"),
        (("a", "pupils"), ("a", "staff"), "a", "pupils"),
        (("a", "staff"), ("b", ""), "", ""),
        (("a", "staff"), ("b", "governors"), "", ""),  # has no place in the order
        (("a", "governors"), ("b", "governors"), "", "governors"),
    ],
)
def test_sources_of_one_rank_that_disagree_name_nobody_and_the_stricter_group(
    one: tuple[str, str], other: tuple[str, str], user: str, group: str
) -> None:
    claims = [
        Claim(Rank.RADIUS, f"nas-{i}", user=name, group=of, also=frozenset({"x", name}))
        for i, (name, of) in enumerate((one, other))
    ]
    found = who(*claims, claim(Rank.DEVICE, user="owner", group="staff"))
    assert (found.user, found.group) == (user, group)
    assert found.also == ({"x", "a"} if user else {"x"})


def test_the_evidence_says_where_each_part_comes_from() -> None:
    found = who(SIGN_IN, DEVICE, NETWORK)
    assert [(e.part, e.value, e.source, e.rank) for e in found.evidence] == [
        ("user", "page", "sign_in", Rank.SIGN_IN),
        ("device", "ipad-3", "device", Rank.DEVICE),
        ("device_kind", "school-mobile", "device", Rank.DEVICE),
        ("network", "wired", "network", Rank.NETWORK),
        ("group", "pupils", "sign_in", Rank.SIGN_IN),
    ]
    assert who(claim(Rank.SIGN_IN, user="new")).evidence[-1].source == "sign_in: new is in no group"
    said = who(SIGN_IN, claim(Rank.SIGN_IN, user="other", group="staff")).evidence
    assert said[0].source == "sources disagree (sign_in: page, sign_in: other)"
    assert said[-1].source == "sources disagree on 10.0.0.7 (sign_in: pupils, sign_in: staff)"
    assert found == Identity("page", "ipad-3", "school-mobile", "wired", "pupils", found.also)


def test_every_rank_has_a_title() -> None:
    assert len({rank.title for rank in Rank}) == len(Rank)


def test_nobody_knows_is_the_empty_group() -> None:
    assert who() == UNKNOWN
    assert UNKNOWN.group == ""


@pytest.mark.parametrize(
    ("groups", "want"),
    [
        ([], ""),
        (["staff"], "staff"),
        (["staff", "pupils", "staff"], "pupils"),
        (["staff", ""], ""),
        (["staff", "guests", "pupils"], "guests"),
        (["staff", "elsewhere"], ""),
        ([""], ""),
    ],
)
def test_the_strictest_of_some_groups(groups: list[str], want: str) -> None:
    assert strictest(groups, ORDER) == want


CLAIMS = st.builds(
    Claim,
    st.sampled_from([rank for rank in Rank if rank is not Rank.NETWORK]),
    st.just("source"),
    user=st.sampled_from(["", "a", "b"]),
    group=st.sampled_from(["", *ORDER]),
    until=st.sampled_from([inf, AT - 1]),
    withheld=st.sampled_from(["", "", "", "banned"]),
)


def rank_of(group: str) -> int:
    return ORDER.index(group) if group else -1


@given(st.lists(CLAIMS, max_size=5), st.permutations(range(5)))
def test_the_order_of_the_claims_does_not_matter(claims: list[Claim], order: list[int]) -> None:
    shuffled = [claims[i] for i in order if i < len(claims)]
    assert who(*claims) == who(*shuffled)


@given(st.lists(CLAIMS, max_size=5), CLAIMS)
def test_a_second_opinion_of_the_same_rank_never_opens_more(
    claims: list[Claim], more: Claim
) -> None:
    """One that says something; a rank that was silent may be the first to speak."""
    spoken = any(
        c.rank == more.rank and at_rest(c) and (c.group or c.user or c.withheld) for c in claims
    )
    if spoken:
        assert rank_of(who(*claims, more).group) <= rank_of(who(*claims).group)


def at_rest(claim: Claim) -> bool:
    return claim.until > AT
