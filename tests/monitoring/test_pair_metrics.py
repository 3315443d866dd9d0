"""Whether the address that two gateways share is here: asked of the kernel, shown where there is a pair."""

from ipaddress import ip_address

import pytest
from prometheus_client import CollectorRegistry

from schoolgate.monitoring.pair_metrics import PairFigures, is_held

# Of documentation (RFC 5737, RFC 3849): no machine has them.
ELSEWHERE = ("192.0.2.1", "2001:db8::1")


@pytest.mark.parametrize(
    ("addresses", "want"),
    [
        (("127.0.0.1",), True),
        (("127.0.21.9", "127.0.0.1"), True),
        (ELSEWHERE[:1], False),
        (ELSEWHERE[1:], False),
        # Both families move together; half of it is not the pair's address.
        (("127.0.0.1", ELSEWHERE[1]), False),
        ((), False),
    ],
)
def test_it_is_held_where_every_address_is_this_machines(
    addresses: tuple[str, ...], want: bool
) -> None:
    assert is_held([ip_address(each) for each in addresses]) is want


@pytest.mark.parametrize(("held", "want"), [(True, 1.0), (False, 0.0), (None, None)])
def test_it_is_shown_where_there_is_a_pair(held: bool | None, want: float | None) -> None:
    registry = CollectorRegistry()
    registry.register(PairFigures(lambda: held))
    assert registry.get_sample_value("schoolgate_pair_address_held") == want
