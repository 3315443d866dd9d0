"""All that is known, as rows: what each is, where it belongs, how it is named in a suspension."""

from ipaddress import ip_address, ip_network

import pytest

from schoolgate.core.bindings import Binding, BindingState
from schoolgate.core.people import Device, Membership, Network, People, WireGuardPeer
from schoolgate.core.policy import Group
from schoolgate.services.known import Known, known
from tests.core.policy.example import policy

POLICY = policy(groups={"pupils": Group("pupils", "Pupils"), "staff": Group("staff", "Staff")})
PEOPLE = People(
    networks=(Network("wired", (ip_network("10.1.0.0/16"),), Membership("staff")),),
    devices=(
        Device(
            "tablet", "school-mobile", frozenset({"00:1b:44:11:3a:b7"}), (ip_address("10.1.0.9"),),
            user="ann", membership=Membership("pupils", frozenset({"class-4b"})),
        ),
    ),
    people={"ann": Membership("staff")},
    wireguard=(WireGuardPeer("key", (ip_network("10.200.0.7/32"),), user="ben"),),
)  # fmt: skip
BINDING = Binding("b", "cid", "staff", frozenset(), "10.1.0.3", "", 0, 60, BindingState.BANNED)


def rows() -> list[Known]:
    return list(known(POLICY, PEOPLE, [BINDING]))


def test_everything_known_is_a_row() -> None:
    assert [(one.kind.value, one.name, one.said, one.groups, one.subject) for one in rows()] == [
        ("signed in", "cid", "10.1.0.3, banned", ("Staff",), "user:cid"),
        ("person", "ann", "", ("Staff",), "user:ann"),
        (
            "device", "tablet", "school-mobile, 00:1b:44:11:3a:b7, 10.1.0.9, of ann",
            ("Pupils", "class-4b"), "device:tablet",
        ),
        ("WireGuard peer", "ben", "10.200.0.7/32, of ben", (), "user:ben"),
        ("network", "wired", "10.1.0.0/16", ("Staff",), ""),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("words", "want"),
    [
        ("", ["cid", "ann", "tablet", "ben", "wired"]),
        ("STAFF", ["cid", "ann", "wired"]),
        ("device ann", ["tablet"]),
        ("3a:B7", ["tablet"]),
        ("nobody", []),
    ],
)
def test_rows_are_found_by_any_words_in_them(words: str, want: list[str]) -> None:
    assert [one.name for one in rows() if one.holds(words)] == want
