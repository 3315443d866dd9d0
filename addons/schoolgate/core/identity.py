"""Who is at an address: what the sources claim, and which of them is believed.

The order of precedence, the first that knows a thing wins:

1. proxy authentication on this connection
2. a captive sign-in bound to the address or the device
3. a RADIUS accounting session (802.1X WiFi)
4. a WireGuard peer
5. a static device entry (by hardware address through leases and neighbours, or by address)
6. a network range (the longest prefix)
7. nobody knows: the group is "", for which the policy has its strictest default

Each of user, device, kind of device, network and group is taken from the best source that names it:
a sign-in says who the person is, and the list of devices still says that it is a school tablet.
Three things make the answer stricter, never laxer:

- **A group belongs to the person.** When a source names a person without a group, the group of a
  lower source (of the device, of the network) does not become theirs: it stays "". Else whoever
  signs in without being in the directory's groups would get what the staff network gives.
- **A banned binding gives nothing.** It still names the person, so that a suspension of them holds
  and the journal is right, but neither it nor any lower source gives a group. An expired one is as
  if it had never been.
- **Sources of one rank that disagree** name nobody: two people at one address cannot both be meant,
  and to choose would give one the rights of the other. The group is the stricter of the two by the
  order the policy gives, and "" where a group has no place in that order or one of them has no group;
  further groups are those that all of them name.

A source that fails keeps what it said last, each part until its own end. Whoever it then says nothing
of gets no group from a lower source: it might have said that they are pupils. So no failure opens
anything that a working source would have closed.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from math import inf


class Rank(IntEnum):
    """How much a source is believed: 1 is most; the numbers are those of the list above."""

    PROXY_AUTHENTICATION = 1
    SIGN_IN = 2
    RADIUS = 3
    WIREGUARD = 4
    DEVICE = 5
    NETWORK = 6

    @property
    def title(self) -> str:
        """The rank in plain English."""
        return _TITLES[self]


_TITLES = {
    Rank.PROXY_AUTHENTICATION: "signed in to the proxy",
    Rank.SIGN_IN: "signed in on the sign-in page",
    Rank.RADIUS: "signed in to the WiFi",
    Rank.WIREGUARD: "connected through WireGuard",
    Rank.DEVICE: "a known device",
    Rank.NETWORK: "in a known network",
}


@dataclass(frozen=True, slots=True)
class Claim:
    """What one source says of who is at an address; what it does not say is empty.

    Attributes:
        rank: how much it is believed.
        source: where it comes from, for people: ``people.yaml, device library-3``.
        user: sign-in name, in its one form.
        device: id of a known device.
        device_kind: what it is, e.g. ``school-mobile``.
        network: id of a known network.
        group: id of the primary policy group.
        also: further groups, such as classes.
        until: seconds since 1970 from which on it no longer counts.
        withheld: why neither this source nor a lower one gives a group: banned, disputed.
    """

    rank: Rank
    source: str
    user: str = ""
    device: str = ""
    device_kind: str = ""
    network: str = ""
    group: str = ""
    also: frozenset[str] = frozenset()
    until: float = inf
    withheld: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is claimed of one address at one moment.

    Attributes:
        claims: of all sources, in any order.
        at: the moment, seconds since 1970.
        strictest_first: ids of the policy's groups, the strictest first.
    """

    claims: Sequence[Claim]
    at: float
    strictest_first: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Evidence:
    """Where one part of an identity comes from.

    Attributes:
        part: ``user``, ``device``, ``device_kind``, ``network`` or ``group``.
        value: what it was found to be; "" where something kept it from being known.
        source: the name of the source, or the reason.
        rank: of the source.
    """

    part: str
    value: str
    source: str
    rank: Rank


@dataclass(frozen=True, slots=True)
class Identity:
    """Who is at an address; what is not known is empty.

    Attributes:
        user: sign-in name.
        device: id of a known device.
        device_kind: what it is.
        network: id of a known network.
        group: id of the primary policy group; "" is the policy's default, the strictest.
        also: further groups, such as classes.
        evidence: where each part comes from; not part of the comparison.
    """

    user: str = ""
    device: str = ""
    device_kind: str = ""
    network: str = ""
    group: str = ""
    also: frozenset[str] = frozenset()
    evidence: tuple[Evidence, ...] = field(default=(), compare=False)


UNKNOWN = Identity()

_PARTS: tuple[tuple[str, Callable[[Claim], str]], ...] = (
    ("user", lambda claim: claim.user),
    ("device", lambda claim: claim.device),
    ("device_kind", lambda claim: claim.device_kind),
    ("network", lambda claim: claim.network),
)


def identify(address: str, facts: Facts) -> Identity:
    """Say who is at an address, by the order of precedence at the top of this module.

    Args:
        address: of the client, for the evidence only: the claims are those of this address.
        facts: what is claimed of it.
    """
    tiers = _tiers(facts)
    if not tiers:
        return UNKNOWN
    evidence: list[Evidence] = []
    parts = {name: _part(name, give, tiers, evidence) for name, give in _PARTS}
    group, also = _group(address, tiers, facts.strictest_first, evidence)
    return Identity(**parts, group=group, also=also, evidence=tuple(evidence))


def _tiers(facts: Facts) -> list[list[Claim]]:
    """Give the claims that count, those of the best rank first."""
    by_rank: dict[Rank, list[Claim]] = {}
    for claim in facts.claims:
        if facts.at < claim.until:
            by_rank.setdefault(claim.rank, []).append(claim)
    return [by_rank[rank] for rank in sorted(by_rank)]


def _part(
    name: str, give: Callable[[Claim], str], tiers: list[list[Claim]], evidence: list[Evidence]
) -> str:
    """Give one part from the best rank that names it, or nothing where that rank disagrees."""
    for tier in tiers:
        naming = [claim for claim in tier if give(claim)]
        if not naming:
            continue
        if len({give(claim) for claim in naming}) > 1:
            said = ", ".join(f"{claim.source}: {give(claim)}" for claim in naming)
            evidence.append(Evidence(name, "", f"sources disagree ({said})", naming[0].rank))
            return ""
        evidence.append(Evidence(name, give(naming[0]), naming[0].source, naming[0].rank))
        return give(naming[0])
    return ""


def _group(
    address: str,
    tiers: list[list[Claim]],
    strictest_first: Sequence[str],
    evidence: list[Evidence],
) -> tuple[str, frozenset[str]]:
    """Give the primary group and the further ones, from the best rank that settles them."""
    for tier in tiers:
        held = next((claim for claim in tier if claim.withheld), None)
        if held is not None:
            evidence.append(Evidence("group", "", f"{held.source}: {held.withheld}", held.rank))
            return "", frozenset()
        speaking = [claim for claim in tier if claim.group or claim.user]
        if speaking:
            group = strictest((claim.group for claim in speaking), strictest_first)
            evidence.append(_group_evidence(address, group, speaking))
            return group, frozenset.intersection(*(claim.also for claim in speaking))
    return "", frozenset()


def _group_evidence(address: str, group: str, speaking: list[Claim]) -> Evidence:
    rank = speaking[0].rank
    if len({claim.group for claim in speaking}) > 1:
        said = ", ".join(f"{claim.source}: {claim.group or 'no group'}" for claim in speaking)
        return Evidence("group", group, f"sources disagree on {address} ({said})", rank)
    if not group:
        who = speaking[0].user
        return Evidence("group", "", f"{speaking[0].source}: {who} is in no group", rank)
    return Evidence("group", group, speaking[0].source, rank)


def strictest(groups: Iterable[str], strictest_first: Sequence[str]) -> str:
    """Give the strictest of some groups, or "" where that cannot be said.

    One group said by all is that group, whether or not it has a place in the order.
    """
    named = set(groups)
    if len(named) == 1:
        return named.pop()
    if not named or not named <= set(strictest_first):
        return ""
    return min(named, key=strictest_first.index)
