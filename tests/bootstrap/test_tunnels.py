"""Devices at home as policy and people know them."""

from dataclasses import replace
from pathlib import Path

import pytest

from schoolgate.bootstrap.tunnel_post import ways_of
from schoolgate.bootstrap.tunnels import with_devices_at_home
from schoolgate.core.errors import ConfigurationError
from schoolgate.core.people import Device, Membership, People, WireGuardPeer
from schoolgate.settings import Settings, load_settings
from schoolgate.settings.network import NetworkSettings
from schoolgate.settings.wireguard import WireGuardSettings
from schoolgate.wireguard import Peer, change_peers, new_key, public_key
from tests.school import write_school

KEY = public_key(new_key())
PEER = Peer("tablet", KEY, ("10.99.0.2", "fd00:99::2"))
TABLET = Device("tablet", "ipad", user="ann", membership=Membership("staff", frozenset({"x"})))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    read = load_settings(write_school(tmp_path / "school").config)
    tunnels = WireGuardSettings.model_validate({"listen": "[::]:51820"})
    return read.model_copy(update={"wireguard": tunnels})


def found(settings: Settings, peer: Peer, people: People) -> tuple[WireGuardPeer, ...]:
    from schoolgate.bootstrap.rules import load_policy_of

    change_peers(settings.wireguard_dir, lambda _: (peer,))
    return with_devices_at_home(settings, load_policy_of(settings), people).wireguard


@pytest.mark.parametrize(
    ("peer", "people", "want"),
    [
        pytest.param(PEER, People(), ("", "", Membership()), id="nothing is said"),
        pytest.param(
            replace(PEER, group="staff", user="Bob", kind="laptop"),
            People(),
            ("bob", "laptop", Membership("staff")),
            id="all is said",
        ),
        pytest.param(
            PEER,
            People(devices=(TABLET,)),
            ("ann", "ipad", TABLET.membership),
            id="people.yaml says it",
        ),
        pytest.param(
            replace(PEER, group="pupils"),
            People(devices=(TABLET,)),
            ("ann", "ipad", Membership("pupils")),
            id="another group",
        ),
    ],
)
def test_a_device_is_known_by_its_addresses(
    settings: Settings, peer: Peer, people: People, want: tuple[str, str, Membership]
) -> None:
    (known,) = found(settings, peer, people)
    assert (known.user, known.device_kind, known.membership) == want
    assert (known.device, known.public_key) == ("tablet", KEY)
    assert [str(one) for one in known.allowed_ips] == ["10.99.0.2/32", "fd00:99::2/128"]


@pytest.mark.parametrize(
    ("peer", "other", "want"),
    [
        pytest.param(replace(PEER, group="pupil"), None, "unknown group 'pupil'", id="a group"),
        pytest.param(PEER, ("10.99.0.0/24", "another"), "is a peer in", id="its address"),
        pytest.param(PEER, ("10.98.0.1/32", KEY), "is a peer in", id="its key"),
    ],
)
def test_what_is_no_groups_or_anothers_is_a_fault(
    settings: Settings, peer: Peer, other: tuple[str, str] | None, want: str
) -> None:
    import ipaddress

    others = (
        (WireGuardPeer(other[1], (ipaddress.ip_network(other[0]),)),) if other is not None else ()
    )
    with pytest.raises(ConfigurationError, match=want):
        found(settings, peer, People(wireguard=others))


def test_where_no_tunnels_are_served_nobody_is_believed_to_be_in_one(settings: Settings) -> None:
    closed = settings.model_copy(update={"wireguard": WireGuardSettings()})
    assert found(closed, PEER, People()) == ()


def test_what_is_the_gateways_own_within_a_tunnel(settings: Settings) -> None:
    network = NetworkSettings.model_validate({"inside": ["eth1"], "addresses": ["10.20.0.1"]})
    proxy = settings.proxy.model_copy(update={"listen": "[::]:3128"})
    here = settings.model_copy(update={"network": network, "proxy": proxy})
    ways = ways_of(here)
    assert ways.of("tcp", "10.20.0.1", 3128) == ways.of("tcp", "10.99.0.1", 3128) == "proxy"
    assert ways_of(settings).of("tcp", "10.99.0.1", 3128) == "others"
