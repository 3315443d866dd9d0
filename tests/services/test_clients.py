"""Who asks, as the policy sees them."""

import pytest

from schoolgate.core.clients import Client
from schoolgate.core.identity import Identity
from schoolgate.services.clients import Clients, client_of
from tests.core.policy.example import policy

POLICY = policy(devices={"tablet": "Tablet"})


@pytest.mark.parametrize(
    ("identity", "want"),
    [
        (Identity(), Client("10.0.0.7", "pupils")),
        (Identity(group="staff", user="ann", network="wifi"),
         Client("10.0.0.7", "staff", "ann", network="wifi")),
        (Identity(group="a group that is gone"), Client("10.0.0.7", "pupils")),
        (Identity(device="d1", device_kind="tablet"),
         Client("10.0.0.7", "pupils", device="d1", device_kind="tablet")),
        (Identity(device="d1", device_kind="phone"), Client("10.0.0.7", "pupils", device="d1")),
        (Identity(also=frozenset({"staff", "a group that is gone"})),
         Client("10.0.0.7", "pupils", also=frozenset({"staff"}))),
    ],
)  # fmt: skip
def test_what_the_policy_does_not_know_gives_nothing(identity: Identity, want: Client) -> None:
    assert client_of(identity, "10.0.0.7", POLICY) == want


@pytest.mark.parametrize(
    ("address", "want"),
    [
        ("::ffff:10.0.0.7", "10.0.0.7"),
        # 6to4 and NAT64 addresses are their own: they are no client of this network.
        ("2002:a00:7::5", "2002:a00:7::5"),
        ("64:ff9b::a00:7", "64:ff9b::a00:7"),
        ("FE80::1%eth0", "fe80::1"),
        ("nobody", ""),
        ("", ""),
    ],
)
def test_a_client_is_known_by_its_own_address(address: str, want: str) -> None:
    assert Clients().at(address, POLICY).address == want


def test_a_client_is_made_once_until_they_or_the_policy_change() -> None:
    said = [Identity(group="staff")]
    clients = Clients(lambda _address, _at, _claim: said[0])
    first = clients.at("10.0.0.7", POLICY)
    assert clients.at("10.0.0.7", POLICY) is first
    other = policy(default_group="staff")
    assert clients.at("10.0.0.7", other) is not first
    said[0] = Identity()
    assert clients.at("10.0.0.7", POLICY).group == "pupils"


def test_the_gateway_itself_asks_as_somebody_of_a_group_for_some_minutes() -> None:
    at = [1_000.0]
    clients = Clients(now=lambda: at[0])
    clients.introduce("100::7", "staff", "wifi")
    asked = clients.at("100::7", POLICY)
    assert (asked.group, asked.network, asked.is_synthetic) == ("staff", "wifi", True)
    at[0] += 301
    assert clients.at("100::7", POLICY).group == "pupils"


def test_nobody_else_becomes_somebody_by_that() -> None:
    clients = Clients()
    clients.introduce("100::7", "staff", "")
    other = clients.at("100::8", POLICY)
    assert (other.group, other.is_synthetic) == ("pupils", False)
