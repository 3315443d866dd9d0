"""What of the load balancers in front does not fit the proxy, as sentences that say what to do."""

from collections.abc import Iterator
from ipaddress import ip_address

from schoolgate.core.hosts import IpNetwork
from schoolgate.core.people import ForwardedHeader, LoadBalancers, People
from schoolgate.settings.machine import ProxySettings, split_address

# Believed as a whole, a network of more machines than this is no row of load balancers.
_MOST_MACHINES = 16
_HERE = (ip_address("127.0.0.1"), ip_address("::1"))


def unbalanced(proxy: ProxySettings, people: People) -> Iterator[str]:
    """Say what does not fit; nothing where nobody is in front.

    Args:
        proxy: where it listens, and with how many workers.
        people: names the load balancers and the networks.
    """
    balancers = people.load_balancers
    if not balancers.ranges:
        return
    yield from _unreachable(proxy, balancers)
    yield from _too_wide(people)
    if balancers.header is ForwardedHeader.PROXY_PROTOCOL:
        yield from _checks(balancers)
    elif proxy.workers > 1:
        yield (
            f"Workers have their clients by address, and requests without TLS stay with that of the "
            f"load balancer: of {proxy.workers} workers few have most of them. "
            "With load_balancers.header: proxy-protocol each client has its own."
        )


def _unreachable(proxy: ProxySettings, balancers: LoadBalancers) -> Iterator[str]:
    host, _ = split_address(proxy.listen)
    if host in ("127.0.0.1", "::1", "localhost") and not any(map(_is_here, balancers.ranges)):
        yield (
            f"No load balancer can reach proxy.listen ({proxy.listen}): "
            "set it to an address of the school's network."
        )


def _too_wide(people: People) -> Iterator[str]:
    for place in people.load_balancers.ranges:
        if place.num_addresses > _MOST_MACHINES:
            yield (
                f"Every device of {place} is believed when it says that it is another one, as that is in "
                "load_balancers.ranges: name the load balancers alone."
            )


def _checks(balancers: LoadBalancers) -> Iterator[str]:
    for place in filter(_is_here, balancers.ranges):
        yield (
            f"What this gateway asks itself, and keepalived's check, come from {place} and announce nobody, "
            "so that they are closed: take it out of load_balancers.ranges."
        )


def _is_here(place: IpNetwork) -> bool:
    return any(one.version == place.version and one in place for one in _HERE)
