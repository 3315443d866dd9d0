"""What of the load balancers in front does not fit the proxy behind them."""

from ipaddress import ip_network

import pytest

from schoolgate.core.people import ForwardedHeader, LoadBalancers, People
from schoolgate.services.network import unbalanced
from schoolgate.settings.machine import ProxySettings

ANNOUNCED, WRITTEN = ForwardedHeader.PROXY_PROTOCOL, ForwardedHeader.X_FORWARDED_FOR


@pytest.mark.parametrize(
    ("ranges", "header", "listen", "workers", "want"),
    [
        pytest.param([], ANNOUNCED, "127.0.0.1:8080", 2, [], id="nobody in front"),
        pytest.param(["10.20.0.5/32"], ANNOUNCED, "[::]:8080", 4, [], id="well"),
        pytest.param(["10.20.0.5/32"], WRITTEN, "[::]:8080", 1, [], id="one worker"),
        pytest.param(
            ["10.20.0.5/32"], WRITTEN, "[::]:8080", 4, ["of 4 workers"], id="a header, and workers"
        ),
        pytest.param(
            ["10.20.0.5/32"], ANNOUNCED, "127.0.0.1:8080", 2, ["can reach"], id="out of reach"
        ),
        pytest.param(["127.0.0.1/32"], WRITTEN, "127.0.0.1:8080", 1, [], id="on this machine"),
        pytest.param(
            ["127.0.0.0/30"], ANNOUNCED, "127.0.0.1:8080", 1, ["asks itself"], id="what is ours"
        ),
        pytest.param(["::1/128"], ANNOUNCED, "[::]:8080", 1, ["asks itself"], id="ours in IPv6"),
        pytest.param(
            ["10.20.0.0/16", "fd00::/120"], ANNOUNCED, "[::]:8080", 1, ["10.20", "fd00"], id="wide"
        ),
    ],
)
def test_each_misfit_says_what_to_do(
    ranges: list[str], header: ForwardedHeader, listen: str, workers: int, want: list[str]
) -> None:
    balancers = LoadBalancers(tuple(map(ip_network, ranges)), header)
    proxy = ProxySettings(listen=listen, workers=workers)
    found = list(unbalanced(proxy, People(load_balancers=balancers)))
    assert len(found) == len(want)
    assert all(words in sentence for words, sentence in zip(want, found, strict=True))
