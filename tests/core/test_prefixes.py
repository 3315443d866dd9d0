"""The longest prefix is the one that a naive look through all networks finds."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schoolgate.core.errors import BadAddressError
from schoolgate.core.hosts import IpNetwork
from schoolgate.core.prefixes import (
    Prefixes,
    client_address,
    network_in_one_form,
    parsed_address,
)


@pytest.mark.parametrize(
    ("raw", "want"),
    [
        ("10.0.0.7", "10.0.0.7"),
        ("::ffff:10.0.0.7", "10.0.0.7"),
        ("::FFFF:a00:7", "10.0.0.7"),
        ("2001:DB8:0:0::1", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("::1", "::1"),
    ],
)
def test_a_client_has_one_address_in_one_form(raw: str, want: str) -> None:
    assert client_address(raw) == want


@pytest.mark.parametrize("raw", ["", "x", "10.0.0", "010.0.0.1", "[::1]", "1" * 100, "10.0.0.7/8"])
def test_what_is_no_address_is_refused(raw: str) -> None:
    with pytest.raises(BadAddressError):
        client_address(raw)


def test_a_mapped_network_is_the_one_of_ipv4() -> None:
    assert str(network_in_one_form(ipaddress.ip_network("::ffff:10.1.0.0/112"))) == "10.1.0.0/16"
    assert str(network_in_one_form(ipaddress.ip_network("2001:db8::/96"))) == "2001:db8::/96"


def table(*entries: tuple[str, str]) -> Prefixes[str]:
    return Prefixes((ipaddress.ip_network(prefix), name) for prefix, name in entries)


TABLE = table(
    ("10.0.0.0/8", "site"),
    ("10.1.0.0/16", "wired"),
    ("10.1.2.0/24", "library"),
    ("10.1.2.3/32", "desk"),
    ("2001:db8::/32", "site6"),
    ("2001:db8:1::/48", "wired6"),
    ("::ffff:192.168.0.0/112", "mapped"),
    ("10.1.0.0/16", "second"),
)


@pytest.mark.parametrize(
    ("address", "want"),
    [
        ("10.1.2.3", "desk"),
        ("10.1.2.4", "library"),
        ("10.1.3.4", "wired"),
        ("10.2.0.1", "site"),
        ("11.0.0.1", None),
        ("2001:db8:1::5", "wired6"),
        ("2001:db8:2::5", "site6"),
        ("2001:db9::", None),
        ("::ffff:10.1.2.3", "desk"),
        ("192.168.3.4", "mapped"),
    ],
)
def test_the_smallest_network_that_holds_an_address_counts(address: str, want: str | None) -> None:
    assert TABLE.longest(parsed_address(address)) == want


def test_an_empty_table_holds_nobody() -> None:
    assert len(table()) == 0
    assert table().longest(parsed_address("10.0.0.1")) is None
    assert table(("0.0.0.0/0", "all")).longest(parsed_address("10.0.0.1")) == "all"
    assert table(("0.0.0.0/0", "all")).longest(parsed_address("::1")) is None


# Few bits, so that networks nest and addresses fall into them.
V4 = st.builds(
    lambda bits, length: ipaddress.IPv4Network((0x0A000000 | bits << 20, length), strict=False),
    st.integers(0, 15),
    st.integers(6, 32),
)
V6 = st.builds(
    lambda bits, length: ipaddress.IPv6Network(
        (0x20010DB8 << 96 | bits << 88, length), strict=False
    ),
    st.integers(0, 255),
    st.integers(30, 128),
)
ADDRESSES = st.one_of(
    st.integers(0, 1 << 12).map(lambda n: ipaddress.IPv4Address(0x0A000000 | n << 12)),
    st.integers(0, 1 << 10).map(lambda n: ipaddress.IPv6Address(0x20010DB8 << 96 | n << 86)),
)


@given(st.lists(st.one_of(V4, V6), max_size=20, unique=True), ADDRESSES)
def test_it_finds_what_a_look_through_all_finds(
    networks: list[IpNetwork], address: ipaddress.IPv4Address | ipaddress.IPv6Address
) -> None:
    holding = [n for n in networks if n.version == address.version and address in n]
    want = max(holding, key=lambda network: network.prefixlen, default=None)
    assert Prefixes((network, network) for network in networks).longest(address) == want
