"""Where each thing goes that comes out of a tunnel."""

import pytest

from schoolgate.wireguard.kinds import REFUSED, Way, Ways

OWN = "10.20.0.1"
WAYS = Ways(frozenset({OWN, "fd00:99::1"}), 8080)


@pytest.mark.parametrize(
    ("protocol", "address", "port", "want"),
    [
        ("tcp", "198.51.100.1", 80, "web"),
        ("tcp", "2001:db8::1", 443, "web"),
        ("tcp", OWN, 443, "web"),
        ("tcp", OWN, 8080, "proxy"),
        ("tcp", "fd00:99::1", 8080, "proxy"),
        ("tcp", "198.51.100.1", 8080, "others"),
        ("udp", OWN, 8080, "others"),
        ("udp", "198.51.100.1", 53, "names"),
        ("tcp", OWN, 53, "names"),
        ("udp", "198.51.100.1", 443, "quic"),
        ("udp", "198.51.100.1", 80, "quic"),
        ("tcp", "198.51.100.1", 853, "dns_over_tls"),
        ("udp", "198.51.100.1", 853, "dns_over_tls"),
        ("udp", "198.51.100.1", 51820, "tunnels"),
        ("tcp", "198.51.100.1", 1194, "tunnels"),
        ("tcp", OWN, 22, "others"),
        ("tcp", "127.0.0.1", 9180, "others"),
        ("udp", "198.51.100.1", 123, "others"),
    ],
)
def test_each_way(protocol: str, address: str, port: int, want: str) -> None:
    assert WAYS.of(protocol, address, port) == want


def test_without_a_proxy_for_devices_its_port_is_like_any_other() -> None:
    assert Ways(frozenset({OWN})).of("tcp", OWN, 8080) == "others"


def test_what_goes_nowhere_has_a_name_to_be_counted_under() -> None:
    passed = {Way.WEB, Way.PROXY, Way.NAMES}
    assert set(Way) - passed <= set(REFUSED)
    assert not passed & set(REFUSED)
