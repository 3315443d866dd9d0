"""What in the settings does not fit together."""

from ipaddress import ip_network
from typing import Any

import pytest

from schoolgate.core.people import Network, People
from schoolgate.services.network import misfits, strays
from tests.services.network.schools import BOTH, HILL, settings, settings_with

HERE = {"inside": ["eth1"], "addresses": ["10.20.0.1"], "administration": ["10.20.1.0/28"]}


@pytest.mark.parametrize(
    ("network", "proxy", "want"),
    [
        pytest.param({}, {}, [], id="no gateway"),
        pytest.param(HERE, BOTH, [], id="well"),
        pytest.param(HILL, {**BOTH, "transparent_listen": "[::]:8081"}, [], id="everything"),
        pytest.param(HERE, {}, ["No device can reach the filter"], id="no way in"),
        pytest.param(
            HERE,
            {**BOTH, "transparent_listen": "127.0.0.1:8081"},
            ["come to the address of their interface"],
            id="not where they come",
        ),
        pytest.param(
            {**HERE, "addresses": ["10.20.0.1", "fd00:20::1"]}, BOTH, ["IPv6"], id="one family"
        ),
        pytest.param(
            HERE, {**BOTH, "transparent_listen": "0.0.0.0:8080"}, ["a port that"], id="one port"
        ),
        pytest.param(
            {**HERE, "bypass": ["10.20.9.0/24"]},
            BOTH,
            ["without network.outside"],
            id="nowhere to go",
        ),
        pytest.param(
            {**HERE, "leases": ["10.20.0.5-10.20.0.9"]}, BOTH, ["name_servers"], id="no names"
        ),
        pytest.param({**HERE, "administration": []}, BOTH, ["SSH"], id="locked out"),
    ],
)
def test_each_misfit_says_what_to_do(
    network: dict[str, Any], proxy: dict[str, str], want: list[str]
) -> None:
    found = list(misfits(settings(network, **proxy)))
    assert len(found) == len(want)
    assert all(words in sentence for words, sentence in zip(want, found, strict=True))


@pytest.mark.parametrize(
    ("network", "place", "want"),
    [
        pytest.param({}, "10.30.0.0/16", "", id="no gateway"),
        pytest.param(HERE, "10.30.0.0/16", "", id="whoever is inside"),
        pytest.param({**HERE, "clients": ["10.20.0.0/16"]}, "10.20.4.0/22", "", id="within"),
        pytest.param(
            {**HERE, "clients": ["10.20.0.0/17", "10.20.128.0/17", "fd00::/64"]},
            "10.20.0.0/16",
            "",
            id="within two that touch",
        ),
        pytest.param(
            {**HERE, "clients": ["10.20.0.0/16"]}, "10.30.0.0/16", "network.clients", id="outside"
        ),
        pytest.param(
            {**HERE, "clients": ["10.20.0.0/16"]}, "fd00:20::/64", "network.clients", id="IPv6"
        ),
        pytest.param({**HERE, "bypass": ["10.20.9.0/24"]}, "10.20.0.0/16", "", id="cameras in it"),
        pytest.param(
            {**HERE, "bypass": ["10.20.0.0/16"]}, "10.20.9.0/24", "network.bypass", id="all round"
        ),
    ],
)
def test_a_network_with_a_group_must_come_to_the_filter(
    network: dict[str, Any], place: str, want: str
) -> None:
    people = People(networks=(Network("wifi", (ip_network(place),)),))
    found = list(strays(settings(network).network, people))
    assert len(found) == bool(want)
    assert all(want in sentence and f"wifi ({place})" in sentence for sentence in found)


TUNNELS = {"listen": "[::]:51820", "endpoint": "vpn.school.example:51820"}
ROUTER = {**HERE, "outside": ["eth0"]}


@pytest.mark.parametrize(
    ("network", "tunnels", "want"),
    [
        pytest.param(ROUTER, TUNNELS, [], id="well"),
        pytest.param(
            ROUTER, {**TUNNELS, "listen": "127.0.0.1:51820"}, ["cannot reach"], id="inside alone"
        ),
        pytest.param(ROUTER, {"listen": "[::]:51820"}, ["wireguard.endpoint"], id="nobody is told"),
        pytest.param(HERE, TUNNELS, ["without network.outside"], id="no outside"),
        pytest.param(
            ROUTER,
            {**TUNNELS, "ranges": ["10.20.0.0/24"]},
            ["10.20.0.0/24, are those"],
            id="the school's addresses",
        ),
    ],
)
def test_each_misfit_of_tunnels_says_what_to_do(
    network: dict[str, Any], tunnels: dict[str, Any], want: list[str]
) -> None:
    found = list(misfits(settings_with(tunnels, network, **BOTH)))
    assert len(found) == len(want)
    assert all(words in sentence for words, sentence in zip(want, found, strict=True))
