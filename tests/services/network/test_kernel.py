"""What the kernel is told before the rules are loaded, and after."""

from typing import Any

import pytest

from schoolgate.services.network import forwarding, sysctl
from tests.services.network.schools import BOTH, GOLDEN, hill, ways

HERE = {"inside": ["eth1"], "outside": ["eth0.7"], "addresses": ["10.20.0.1"]}


def test_the_file_is_the_one_that_was_read() -> None:
    assert sysctl(hill()) == (GOLDEN / "sysctl.conf").read_text()


@pytest.mark.parametrize(
    ("network", "ipv4", "ipv6"),
    [
        pytest.param({}, False, False, id="the filter itself needs none"),
        pytest.param({"bypass": ["10.20.9.0/24"]}, True, False, id="round the filter"),
        pytest.param({"bypass": ["fd00:9::/64"]}, False, True, id="by IPv6"),
        pytest.param({"open": [{"to": ["17.0.0.0/8"], "tcp": [5223]}]}, True, False, id="open"),
        pytest.param({"addresses": ["fd00:20::1"]}, False, True, id="a router of IPv6"),
    ],
)
def test_only_what_must_be_is_forwarded(network: dict[str, Any], ipv4: bool, ipv6: bool) -> None:
    found = ways({**HERE, **network}, **BOTH)
    assert forwarding(found) == {
        "net/ipv4/ip_forward": ipv4,
        "net/ipv6/conf/all/forwarding": ipv6,
    }
    # From boot on nothing is.
    assert "net.ipv4.ip_forward = 0\nnet.ipv6.conf.all.forwarding = 0\n" in sysctl(found)
    assert ("net.ipv6.conf.eth0/7.accept_ra = 2" in sysctl(found)) == ipv6
