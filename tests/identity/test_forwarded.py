"""The client behind a load balancer: the rightmost hop that is not ours, or nobody."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schoolgate.core.people import ForwardedHeader, LoadBalancers
from schoolgate.core.prefixes import client_address
from schoolgate.identity import ForwardedBy

RANGES = tuple(map(ipaddress.ip_network, ("10.0.0.0/28", "2001:db8:1b::/64")))
XFF = ForwardedBy(LoadBalancers(RANGES))
FORWARDED = ForwardedBy(LoadBalancers(RANGES, ForwardedHeader.FORWARDED))
OURS, OURS6 = "10.0.0.5", "2001:db8:1b::5"
UNKNOWN = ""


@pytest.mark.parametrize(
    ("peer", "values", "want"),
    [
        # nobody but the load balancers is believed
        ("10.1.2.3", ["10.9.9.9"], "10.1.2.3"),
        ("10.1.2.3", [], "10.1.2.3"),
        ("::ffff:10.1.2.3", ["10.9.9.9"], "10.1.2.3"),
        (OURS, ["10.9.9.9"], "10.9.9.9"),
        ("::ffff:10.0.0.5", ["10.9.9.9"], "10.9.9.9"),
        (OURS6, ["2001:DB8::9"], "2001:db8::9"),
        (OURS, ["::ffff:10.9.9.9"], "10.9.9.9"),
        # what the client wrote itself is not looked at
        (OURS, ["10.1.1.1, 10.9.9.9"], "10.9.9.9"),
        (OURS, ["<script>, 10.9.9.9"], "10.9.9.9"),
        (OURS, ["10.1.1.1", "10.9.9.9"], "10.9.9.9"),
        # through several of ours
        (OURS, ["10.1.1.1, 10.9.9.9, 10.0.0.6"], "10.9.9.9"),
        (OURS, ["10.1.1.1, 10.9.9.9, 10.0.0.6, 2001:db8:1b::1"], "10.9.9.9"),
        (OURS, ["10.0.0.7, 10.0.0.6"], "10.0.0.7"),
        # with a port
        (OURS, ["10.9.9.9:4711"], "10.9.9.9"),
        (OURS, ["[2001:db8::9]:4711"], "2001:db8::9"),
        (OURS, ["[2001:db8::9]"], "2001:db8::9"),
        # where it cannot be known nobody is meant, and least of all the load balancer
        (OURS, [], UNKNOWN),
        (OURS, [""], UNKNOWN),
        (OURS, ["10.9.9.9,"], UNKNOWN),
        (OURS, ["unknown"], UNKNOWN),
        (OURS, ["10.9.9.9, unknown"], UNKNOWN),
        (OURS, ["10.9.9.9, x, 10.0.0.6"], UNKNOWN),
        (OURS, ["10.9.9.999"], UNKNOWN),
        (OURS, ["010.9.9.9"], UNKNOWN),
        (OURS, ["10.9.9.9:x"], UNKNOWN),
        (OURS, [", ".join(["10.0.0.6"] * 33)], UNKNOWN),
        (OURS, [", ".join(["10.9.9.9"] + ["10.0.0.6"] * 31)], "10.9.9.9"),
        (OURS, ["x" * 9000 + ", 10.9.9.9"], UNKNOWN),
        ("not an address", ["10.9.9.9"], UNKNOWN),
    ],
)
def test_x_forwarded_for(peer: str, values: list[str], want: str) -> None:
    assert XFF.client(peer, values) == want


@pytest.mark.parametrize(
    ("values", "want"),
    [
        (["for=10.9.9.9"], "10.9.9.9"),
        (["For=10.9.9.9;proto=https;by=10.0.0.5"], "10.9.9.9"),
        (['by=10.0.0.5 ; for="10.9.9.9:4711"'], "10.9.9.9"),
        (['for="[2001:db8::9]:4711"'], "2001:db8::9"),
        (['for="[2001:db8::9]"'], "2001:db8::9"),
        (["for=10.1.1.1, for=10.9.9.9"], "10.9.9.9"),
        (["for=10.1.1.1", 'for="10.9.9.9", for=10.0.0.6'], "10.9.9.9"),
        (['for="10\\.9.9.9"'], "10.9.9.9"),
        (['host="a,b;c", for=10.9.9.9'], "10.9.9.9"),
        (["for=_hidden"], UNKNOWN),
        (["for=unknown"], UNKNOWN),
        (["for=10.9.9.9, for=_SEVKISEK, for=10.0.0.6"], UNKNOWN),
        (["proto=https"], UNKNOWN),
        (["for=10.9.9.9, proto=https"], UNKNOWN),
        (["for=10.9.9.9;for=10.1.1.1"], UNKNOWN),
        (["for=[2001:db8::9]"], UNKNOWN),  # brackets need quotation marks
        (["for"], UNKNOWN),
        (["for="], UNKNOWN),
        (['for="10.9.9.9"xby=1'], UNKNOWN),
        (["for=10.9.9.9 by=1"], UNKNOWN),
        (["for=10.9.9.9,"], UNKNOWN),
        (["for=10.9.9.9;"], UNKNOWN),
        (["10.9.9.9"], UNKNOWN),
        ([], UNKNOWN),
        # a quotation mark that the client left open must not swallow what the load balancer wrote
        (['for=10.1.1.1;x="', "for=10.9.9.9"], UNKNOWN),
        (['for=10.1.1.1;x="', 'for="[2001:db8::9]:1"'], UNKNOWN),
        (['for=10.1.1.1;x="a\\', 'for="[2001:db8::9]:1"'], UNKNOWN),
    ],
)
def test_forwarded(values: list[str], want: str) -> None:
    assert FORWARDED.client(OURS, values) == want
    assert FORWARDED.client("10.1.2.3", values) == "10.1.2.3"


def test_the_header_that_is_read_is_named() -> None:
    assert (XFF.header, FORWARDED.header) == ("x-forwarded-for", "forwarded")


def test_without_load_balancers_nobody_is_believed() -> None:
    assert ForwardedBy(LoadBalancers()).client(OURS, ["10.9.9.9"]) == OURS


PIECES = st.sampled_from(
    ["for=", "10.9.9.9", "10.0.0.6", '"', "\\", ",", ";", " ", "[2001:db8::9]", ":1", "by=x", "_a"]
)


@given(st.lists(st.lists(PIECES, max_size=8).map("".join) | st.text(max_size=40), max_size=3))
def test_any_header_gives_an_address_or_nobody(values: list[str]) -> None:
    for reader in (XFF, FORWARDED):
        found = reader.client(OURS, values)
        assert found == UNKNOWN or client_address(found) == found


@pytest.mark.parametrize(
    "last", ["for=10.9.9.9", 'for="10.9.9.9:80"', 'for="[2001:db8::9]:1";by=_x']
)
@given(written=st.lists(PIECES, max_size=10).map("".join))
def test_whatever_the_client_wrote_it_cannot_name_another(last: str, written: str) -> None:
    found = FORWARDED.client(OURS, [written, last])
    assert found in {UNKNOWN, "10.9.9.9" if "10.9" in last else "2001:db8::9"}


@given(st.text(max_size=60))
def test_whatever_the_client_wrote_x_forwarded_for_ends_with_the_truth(written: str) -> None:
    assert XFF.client(OURS, [f"{written}, 10.9.9.9"]) in {"10.9.9.9", UNKNOWN}
