"""Which ways into the filter the settings open."""

from typing import Any

import pytest

from schoolgate.services.network import Ways
from tests.services.network.schools import BOTH, settings_with, ways

HERE: dict[str, Any] = {"inside": ["eth1"], "addresses": ["fd00:20::1", "10.20.0.1"]}


@pytest.mark.parametrize(
    ("listen", "proxies"),
    [
        pytest.param("127.0.0.1:8080", (), id="this machine alone"),
        pytest.param("localhost:8080", (), id="by name"),
        pytest.param("[::1]:8080", (), id="of IPv6"),
        pytest.param("0.0.0.0:8080", ("[fd00:20::1]:8080", "10.20.0.1:8080"), id="every address"),
        pytest.param("10.20.0.1:3128", ("[fd00:20::1]:3128", "10.20.0.1:3128"), id="one"),
    ],
)
def test_browsers_find_the_proxy_where_it_listens(listen: str, proxies: tuple[str, ...]) -> None:
    found = ways(HERE, listen=listen)
    assert found.proxies == proxies
    assert found.pac_url == ("http://[fd00:20::1]/wpad.dat" if proxies else "")
    assert found.transparent_port is None


def test_the_way_for_redirected_connections_is_the_one_that_is_listened_on() -> None:
    assert ways(HERE, **BOTH).transparent_port == 8081


@pytest.mark.parametrize(
    ("tunnels", "port", "ranges"),
    [
        ({}, None, []),
        ({"listen": "[::]:51820"}, 51820, ["10.99.0.0/16", "fd00:99::/64"]),
        ({"listen": "127.0.0.1:1", "ranges": ["10.9.0.0/24"]}, None, ["10.9.0.0/24"]),
    ],
)
def test_tunnels_come_in_where_they_are_listened_for(
    tunnels: dict[str, Any], port: int | None, ranges: list[str]
) -> None:
    found = Ways.of(settings_with(tunnels, HERE))
    assert found.tunnel_port == port
    assert [str(one) for one in found.tunnel_ranges] == ranges
