"""Whether this gateway of a pair has the address that both share (docs/pair.md); no address in a label."""

import socket
from collections.abc import Callable, Iterator, Sequence
from ipaddress import IPv4Address, IPv6Address

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector


def is_held(addresses: Sequence[IPv4Address | IPv6Address]) -> bool:
    """Ask the kernel whether every one of these addresses is this machine's now; nothing is sent."""
    return bool(addresses) and all(_is_here(each) for each in addresses)


def _is_here(address: IPv4Address | IPv6Address) -> bool:
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as tried:
            # Refused where the address is another machine's, or not this one's yet (bind(2), EADDRNOTAVAIL).
            tried.bind((str(address), 0))
    except OSError:
        return False
    return True


class PairFigures(Collector):
    """Shows whether the shared addresses are here, where this gateway is one of a pair.

    Args:
        is_held: says whether they are here now; None where there is no pair.
    """

    def __init__(self, is_held: Callable[[], bool | None]) -> None:
        self._is_held = is_held

    def collect(self) -> Iterator[Metric]:
        """Give the figure."""
        held = self._is_held()
        if held is not None:
            yield GaugeMetricFamily(
                "schoolgate_pair_address_held",
                "1 while this gateway of a pair has every address that both share.",
                value=float(held),
            )
