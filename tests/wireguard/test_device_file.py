"""What a device is told."""

from schoolgate.wireguard import Peer, device_file

PEER = Peer("library-ipad-3", "x", ("10.99.0.2", "fd00:99::2"))
WANT = """\
# library-ipad-3
[Interface]
PrivateKey = its own
Address = 10.99.0.2/32, fd00:99::2/128
DNS = 10.99.0.1, fd00:99::1
MTU = 1280

[Peer]
PublicKey = the gateway's
AllowedIPs = 0.0.0.0/0, ::/0
Endpoint = vpn.school.example:51820
PersistentKeepalive = 25
"""


def told(key: str) -> str:
    servers = ("10.99.0.1", "fd00:99::1")
    return device_file(PEER, key, "the gateway's", "vpn.school.example:51820", servers)


def test_it_is_all_that_wireguard_needs() -> None:
    assert told("its own") == WANT


def test_without_the_private_key_its_place_is_shown() -> None:
    assert told("") == WANT.replace("PrivateKey = its own", "# PrivateKey = the device's own")
