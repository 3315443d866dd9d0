"""The rules of nftables: as they were last read by a person, and what holds for every network."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schoolgate.services.network import Ways, ruleset
from tests.services.network.schools import BOTH, GOLDEN, hill, settings_with, ways

NETWORKS = st.one_of(
    st.ip_addresses().map(lambda ip: f"{ip}/{ip.max_prefixlen}"),
    st.sampled_from(["10.20.9.0/24", "fd00:20:9::/64"]),
)
INTERFACES = st.from_regex(r"\A[a-z][a-z0-9]{0,5}(\.[1-9][0-9]?)?\Z")


@st.composite
def networks(draw: st.DrawFn) -> dict[str, Any]:
    """Give a section of the settings."""
    names = draw(st.lists(INTERFACES, min_size=2, max_size=4, unique=True))
    ports = st.lists(st.sampled_from([22, 123, 993, 5223]), max_size=2)
    opened = st.fixed_dictionaries(
        {"to": st.lists(NETWORKS, min_size=1, max_size=2), "tcp": ports, "udp": ports}
    )
    return {
        "inside": names[1:],
        "outside": draw(st.sampled_from([[], names[:1]])),
        "addresses": ["10.20.0.1"],
        "clients": draw(st.lists(NETWORKS, max_size=2)),
        "bypass": draw(st.lists(NETWORKS, max_size=3)),
        "open": draw(st.lists(opened, max_size=2)),
        "masquerade": draw(st.booleans()),
        "name_servers": draw(st.sampled_from([[], ["192.0.2.53"]])),
    }


def chain(text: str, name: str) -> list[str]:
    """Give the rules of a chain."""
    body = text.partition(f"\tchain {name} {{\n")[2].partition("\n\t}")[0]
    return [line.strip() for line in body.split("\n") if line.strip()]


def test_the_rules_are_those_that_were_read() -> None:
    assert ruleset(hill()) == (GOLDEN / "rules.nft").read_text()


@given(networks())
def test_what_is_forwarded_is_named_in_the_settings(network: dict[str, Any]) -> None:
    text = ruleset(ways(network, **BOTH))
    assert text.count("{") == text.count("}")
    assert "type filter hook forward priority filter; policy drop;" in chain(text, "forward")
    assert "type filter hook input priority filter; policy drop;" in chain(text, "input")
    jumps = [rule for rule in chain(text, "forward") if "jump" in rule]
    assert len(jumps) == bool(network["outside"])
    assert not any(re.search(r"\baccept\b(?! :)", rule) for rule in chain(text, "forward")[2:])
    places = {place for part in network["open"] for place in part["to"]}
    for rule in chain(text, "leaving"):
        if rule.endswith("accept"):
            named = re.search(r"daddr \{ (.*?) \}", rule)
            assert "saddr @bypass" in rule or (named and set(named[1].split(", ")) <= places)
    # Whatever comes after the ways round the filter is refused.
    assert chain(text, "leaving")[-1] == "counter name others goto refused"


@given(networks())
def test_the_table_is_made_anew_in_one_transaction(network: dict[str, Any]) -> None:
    text = ruleset(ways(network, **BOTH))
    lines = [line for line in text.split("\n") if line and not line.startswith(("#", "\t"))]
    assert lines == [
        "table inet schoolgate",
        "delete table inet schoolgate",
        "table inet schoolgate {",
        "}",
    ]


@pytest.mark.parametrize(
    ("proxy", "network", "want"),
    [
        pytest.param(BOTH, {}, ["tcp dport { 80, 443 } redirect to :8081"], id="transparent"),
        pytest.param(
            {"listen": "0.0.0.0:3128"},
            {},
            ["fib daddr type local tcp dport 80 redirect to :3128"],
            id="explicit: the PAC file alone",
        ),
        pytest.param({}, {}, [], id="none: the proxy is this machine's alone"),
        pytest.param(
            {},
            {"name_servers": ["192.0.2.53"]},
            ["meta l4proto { tcp, udp } th dport 53 redirect to :53"],
            id="names",
        ),
    ],
)
def test_what_is_redirected_is_what_is_listened_for(
    proxy: dict[str, str], network: dict[str, Any], want: list[str]
) -> None:
    text = ruleset(ways({"inside": ["eth1"], "addresses": ["10.20.0.1"], **network}, **proxy))
    assert [rule for rule in chain(text, "redirected") if "redirect to" in rule] == want


SPOOFED = [
    'iifname != "lo" ip saddr { 10.99.0.0/16 } counter name others drop',
    'iifname != "lo" ip6 saddr { fd00:99::/64 } counter name others drop',
]


def test_tunnels_open_their_port_and_nobody_else_has_their_addresses() -> None:
    network = {"inside": ["eth1"], "outside": ["eth0"], "addresses": ["10.20.0.1"]}
    tunnels = {"listen": "[::]:51820"}
    without, text = (
        ruleset(ways(network, **BOTH)),
        ruleset(Ways.of(settings_with(tunnels, network, **BOTH))),
    )
    opened = 'iifname { "eth1", "eth0" } udp dport 51820 accept'
    added = [line.strip() for line in text.split("\n") if line not in without.split("\n")]
    assert sorted(added[1:]) == sorted([*SPOOFED, *SPOOFED, opened])
    for name in ("input", "forward"):
        assert chain(text, name)[1:3] == SPOOFED
    assert opened in chain(text, "input")


def test_the_other_gateway_of_a_pair_may_say_that_it_is_there_and_nobody_else() -> None:
    network = {"inside": ["eth1"], "addresses": ["10.20.0.1"]}
    text = ruleset(ways({**network, "pair": ["10.20.0.3", "fd00:20::3"]}, **BOTH))
    assert [rule for rule in chain(text, "input") if "112" in rule] == [
        "ip saddr { 10.20.0.3 } meta l4proto 112 accept",
        "ip6 saddr { fd00:20::3 } meta l4proto 112 accept",
    ]
    assert "l4proto 112" not in ruleset(ways(network, **BOTH))
