"""Who is where, of all that leases, neighbours, bindings and sessions say together."""

import ipaddress
from dataclasses import replace
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schoolgate.core.identity import UNKNOWN, Claim, Facts, Rank, identify
from schoolgate.core.people import Device, Membership, Network, People, WireGuardPeer
from schoolgate.identity import Binding, BindingState, Directory, Known, Lease, Neighbour, Session

AT = 1_000_000.0
IPAD = "00:1b:44:11:3a:b7"
LAPTOP = "00:1b:44:11:3a:b8"
PRIVATE = "da:a1:19:00:00:01"

PEOPLE = People(
    networks=(
        Network("site", (ipaddress.ip_network("10.0.0.0/8"),), Membership("guests")),
        Network(
            "wired",
            (ipaddress.ip_network("10.1.0.0/16"), ipaddress.ip_network("2001:db8:1::/64")),
            Membership("staff"),
        ),
        Network("byod", (ipaddress.ip_network("10.9.0.0/16"),)),
    ),
    devices=(
        Device("ipad-3", "school-mobile", frozenset({IPAD}), membership=Membership("pupils")),
        Device("tv", "screen", addresses=(ipaddress.ip_address("10.1.5.5"),)),
        Device(
            "laptop-9",
            macs=frozenset({LAPTOP}),
            hostname="laptop-9",
            membership=Membership("staff"),
        ),
        Device("phone", macs=frozenset({PRIVATE}), user="jsmith", membership=Membership("staff")),
    ),
    wireguard=(
        WireGuardPeer(
            "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=",
            (ipaddress.ip_network("10.200.0.0/24"),),
            device="site-link",
        ),
        WireGuardPeer(
            "TrMvSoP4jYQlY6RIzBgbssQqY3vxI2Pi+y71lOWWXX0=",
            (ipaddress.ip_network("10.200.0.7/32"),),
            user="head",
            device="head-laptop",
            device_kind="school-laptop",
            membership=Membership("staff", frozenset({"governors"})),
        ),
    ),
)
BINDING = Binding("b1", "ann", "staff", frozenset({"4b"}), "10.9.0.4", PRIVATE, AT - 10, AT + 100)
SESSION = Session(
    "10.0.0.2 ap", "s1", "bob", "pupils", frozenset(), IPAD, ("10.9.0.8",),
    (ipaddress.ip_network("2001:db8:9::/64"),), AT - 10, AT + 100,
)  # fmt: skip
ORDER = ("guests", "pupils", "staff")


def directory(**known: object) -> Directory:
    return Directory(Known(PEOPLE, strictest_first=ORDER, **known))  # type: ignore[arg-type]


def said(found: Directory, address: str, at: float = AT) -> tuple[str, str, str, str]:
    identity = found.identify(address, at)
    return identity.user, identity.device, identity.network, identity.group


@pytest.mark.parametrize(
    ("address", "want"),
    [
        ("10.5.0.1", ("", "", "site", "guests")),
        ("10.1.0.1", ("", "", "wired", "staff")),
        ("::ffff:10.1.0.1", ("", "", "wired", "staff")),
        ("2001:db8:1:0::5", ("", "", "wired", "staff")),
        ("10.9.0.1", ("", "", "byod", "")),
        ("10.1.5.5", ("", "tv", "wired", "staff")),
        ("10.200.0.7", ("head", "head-laptop", "site", "staff")),
        ("10.200.0.8", ("", "site-link", "site", "guests")),
        ("192.0.2.1", ("", "", "", "")),
        ("no address", ("", "", "", "")),
        ("", ("", "", "", "")),
    ],
)
def test_what_the_school_wrote_down_alone(address: str, want: tuple[str, str, str, str]) -> None:
    assert said(directory(), address) == want


def test_a_lease_leads_to_the_device_until_it_ends() -> None:
    found = directory(leases=[Lease("10.9.0.3", IPAD, "ipad", AT + 60)])
    assert said(found, "10.9.0.3") == ("", "ipad-3", "byod", "pupils")
    assert found.identify("10.9.0.3", AT).device_kind == "school-mobile"
    assert said(found, "10.9.0.3", AT + 59) == ("", "ipad-3", "byod", "pupils")
    assert said(found, "10.9.0.3", AT + 60) == ("", "", "byod", "")


def test_all_addresses_of_one_device_hang_together() -> None:
    private = ["2001:db8:9::aaaa", "2001:db8:9::bbbb"]
    found = directory(
        leases=[Lease("10.9.0.3", PRIVATE, "", AT + 60)],
        neighbours=[Neighbour(address, PRIVATE) for address in private],
        bindings=[BINDING],
    )
    for address in ["10.9.0.3", *private]:
        assert said(found, address)[:2] == ("ann", "phone")
    assert set(found.addresses_of(PRIVATE)) == {"10.9.0.3", *private}
    hardware = found.hardware("10.9.0.3")
    assert hardware is not None
    assert hardware.randomised
    # Not where it signed in once, but is no longer seen.
    assert said(found, BINDING.address) == ("", "", "byod", "")


def test_a_device_that_made_its_address_up_is_noted() -> None:
    found = directory(neighbours=[Neighbour("10.9.0.3", PRIVATE)]).identify("10.9.0.3", AT)
    assert "which it made up itself (neighbours)" in found.evidence[0].source


@pytest.mark.parametrize(
    ("hostname", "want"), [("laptop-9", "laptop-9"), ("", ""), ("somebody-elses", "")]
)
def test_a_device_may_have_to_carry_its_name_too(hostname: str, want: str) -> None:
    found = directory(leases=[Lease("10.9.0.3", LAPTOP, hostname)])
    assert said(found, "10.9.0.3")[1] == want


@pytest.mark.parametrize(
    ("lease", "neighbours", "want"),
    [
        # two devices answer, or another than the lease says: nobody, and the strictest group
        (IPAD, [(LAPTOP, True)], ("", "", "wired", "")),
        (None, [(IPAD, True), (LAPTOP, True)], ("", "", "wired", "")),
        (IPAD, [(IPAD, True), (LAPTOP, True)], ("", "", "wired", "")),
        # what the table remembers of an earlier device says nothing against the lease
        (IPAD, [(LAPTOP, False)], ("", "ipad-3", "wired", "pupils")),
        (IPAD, [(IPAD, True), (LAPTOP, False)], ("", "ipad-3", "wired", "pupils")),
        (LAPTOP, [(LAPTOP, True)], ("", "laptop-9", "wired", "staff")),
        (None, [(IPAD, False)], ("", "ipad-3", "wired", "pupils")),
        (None, [(IPAD, False), (LAPTOP, False)], ("", "", "wired", "")),
    ],
)
def test_an_address_that_two_devices_have_is_nobodys(
    lease: str | None, neighbours: list[tuple[str, bool]], want: tuple[str, str, str, str]
) -> None:
    found = directory(
        leases=[Lease("10.1.0.3", lease, "laptop-9")] if lease else [],
        neighbours=[Neighbour("10.1.0.3", mac, confirmed) for mac, confirmed in neighbours],
    )
    assert said(found, "10.1.0.3") == want


@pytest.mark.parametrize(
    "known",
    [
        {"bindings": [replace(BINDING, mac="", address="10.1.0.3")]},
        {"sessions": [replace(SESSION, mac="", addresses=("10.1.0.3",))]},
        {"sessions": [replace(SESSION, addresses=("10.1.0.3",))]},
    ],
)
def test_nor_does_a_sign_in_count_at_an_address_that_two_devices_have(
    known: dict[str, object],
) -> None:
    both = [Neighbour("10.1.0.3", mac, confirmed=True) for mac in (IPAD, LAPTOP)]
    assert said(directory(**known), "10.1.0.3")[0] != ""
    assert said(directory(neighbours=both, **known), "10.1.0.3") == ("", "", "wired", "")


def test_two_servers_that_lent_one_address_make_it_disputed_until_both_leases_end() -> None:
    found = directory(
        leases=[
            Lease("10.1.0.3", IPAD, "", AT + 20),
            Lease("10.1.0.3", LAPTOP, "laptop-9", AT + 10),
        ]
    )
    assert said(found, "10.1.0.3") == ("", "", "wired", "")
    assert said(found, "10.1.0.3", AT + 19) == ("", "", "wired", "")
    assert said(found, "10.1.0.3", AT + 20) == ("", "", "wired", "staff")


def test_a_lease_that_names_no_device_says_nothing() -> None:
    assert said(directory(leases=[Lease("10.1.0.3", "")]), "10.1.0.3") == ("", "", "wired", "staff")


# -- bindings and sessions ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("binding", "at", "want"),
    [
        (BINDING, AT, ("ann", "phone", "wired", "staff")),
        (BINDING, AT + 100, ("jsmith", "phone", "wired", "staff")),
        (replace(BINDING, state=BindingState.ENDED), AT, ("jsmith", "phone", "wired", "staff")),
        (replace(BINDING, state=BindingState.BANNED), AT, ("ann", "phone", "wired", "")),
        (replace(BINDING, mac=IPAD), AT, ("jsmith", "phone", "wired", "staff")),
        (replace(BINDING, mac="", address="10.1.0.4"), AT, ("ann", "phone", "wired", "staff")),
        (replace(BINDING, group=""), AT, ("ann", "phone", "wired", "")),
    ],
)
def test_a_binding_counts_for_its_device_and_its_time(
    binding: Binding, at: float, want: tuple[str, str, str, str]
) -> None:
    found = directory(leases=[Lease("10.1.0.4", PRIVATE)], bindings=[binding])
    assert said(found, "10.1.0.4", at) == want


@pytest.mark.parametrize(
    ("leases", "address", "want"),
    [
        ([], "10.9.0.8", ("bob", "", "byod", "pupils")),
        ([], "2001:db8:9::77", ("bob", "", "", "pupils")),
        # by the device, at an address that the NAS did not name
        ([Lease("10.9.0.9", IPAD)], "10.9.0.9", ("bob", "ipad-3", "byod", "pupils")),
        ([Lease("10.9.0.8", IPAD)], "10.9.0.8", ("bob", "ipad-3", "byod", "pupils")),
        # another device has the address by now
        ([Lease("10.9.0.8", LAPTOP, "laptop-9")], "10.9.0.8", ("", "laptop-9", "byod", "")),
        ([], "10.9.0.9", ("", "", "byod", "")),
    ],
)
def test_a_session_counts_for_its_addresses_and_its_device(
    leases: list[Lease], address: str, want: tuple[str, str, str, str]
) -> None:
    assert said(directory(leases=leases, sessions=[SESSION]), address) == want


def test_two_people_at_one_address_are_nobody() -> None:
    other = replace(SESSION, nas="10.0.0.3", user="eve", group="guests", mac="")
    found = directory(sessions=[SESSION, other])
    assert said(found, "10.9.0.8") == ("", "", "byod", "guests")


def test_what_was_proved_on_the_connection_comes_first() -> None:
    found = directory(sessions=[SESSION])
    proved = Claim(Rank.PROXY_AUTHENTICATION, "password", user="ann", group="staff", until=AT + 5)
    assert found.identify("10.9.0.8", AT, proved).user == "ann"
    assert found.identify("10.9.0.8", AT).user == "bob"
    assert found.identify("10.9.0.8", AT + 5, proved).user == "bob"
    assert found.identify("no address", AT, proved) == UNKNOWN


def test_people_who_share_an_address_are_told_apart_by_what_they_proved() -> None:
    found = directory()
    ann, bob = (
        Claim(Rank.PROXY_AUTHENTICATION, "password", user=name, group=group)
        for name, group in (("ann", "staff"), ("bob", "pupils"))
    )
    for _ in range(2):
        assert found.identify("10.9.0.8", AT, ann).group == "staff"
        assert found.identify("10.9.0.8", AT, bob).group == "pupils"
        assert found.identify("10.9.0.8", AT).group == ""


# -- what is remembered ---------------------------------------------------------------------------


def test_the_second_look_gives_the_same_object_until_something_ends() -> None:
    found = directory(leases=[Lease("10.9.0.3", IPAD, "", AT + 60)])
    first = found.identify("10.9.0.3", AT)
    assert found.identify("10.9.0.3", AT + 59) is first
    assert found.identify("10.9.0.3", AT + 60) is not first


def test_a_client_that_goes_through_its_network_does_not_fill_the_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("schoolgate.identity.directory._REMEMBERED", 10)
    found = directory()
    for host in range(100):
        assert found.identify(f"2001:db8:1::{host:x}", AT).network == "wired"
    assert len(found._remembered) <= 10


MACS = st.sampled_from([IPAD, LAPTOP, PRIVATE])
ADDRESSES = st.sampled_from(["10.1.0.1", "10.1.0.2", "10.9.0.3", "2001:db8:1::1"])
UNTIL = st.sampled_from([AT - 1, AT + 10, AT + 20, inf])


@given(
    st.lists(st.builds(Lease, ADDRESSES, MACS, st.just("laptop-9"), UNTIL), max_size=4),
    st.lists(st.builds(Neighbour, ADDRESSES, MACS, st.booleans()), max_size=4),
    st.lists(
        st.builds(
            Session, st.just("nas"), st.just("s"), st.sampled_from(["", "a"]),
            st.sampled_from(["", "pupils"]), st.just(frozenset()), MACS, st.tuples(ADDRESSES),
            st.just(()), st.just(AT), UNTIL,
        ),
        max_size=2,
    ),
    st.lists(st.tuples(ADDRESSES, st.sampled_from([AT, AT + 10, AT + 15, AT + 20])), max_size=6),
)  # fmt: skip
def test_what_is_remembered_is_what_would_be_worked_out(
    leases: list[Lease],
    neighbours: list[Neighbour],
    sessions: list[Session],
    asked: list[tuple[str, float]],
) -> None:
    found = directory(leases=leases, neighbours=neighbours, sessions=sessions)
    for address, at in sorted(asked, key=lambda pair: pair[1]):
        want = identify(address, Facts(found.claims(address, at), at, ORDER))
        assert found.identify(address, at) == want


# -- sources that fail ----------------------------------------------------------------------------


def strictness(group: str) -> int:
    return ORDER.index(group) if group else -1


WIRED = "10.1.0.3"  # in a network whose strangers are staff: less knowledge would open more


@pytest.mark.parametrize(
    ("unread", "known", "want"),
    [
        ({}, {}, "staff"),
        ({Rank.DEVICE: "leases"}, {}, ""),
        ({Rank.RADIUS: "sessions"}, {}, ""),
        ({Rank.SIGN_IN: "sign-ins"}, {}, ""),
        # what is kept, or better known, counts
        ({Rank.DEVICE: "leases"}, {"leases": [Lease(WIRED, IPAD)]}, "pupils"),
        ({Rank.DEVICE: "leases"}, {"leases": [Lease(WIRED, LAPTOP, "laptop-9")]}, "staff"),
        ({Rank.DEVICE: "leases"}, {"leases": [Lease(WIRED, IPAD, "", AT)]}, ""),  # it ended
        ({Rank.DEVICE: "leases"}, {"leases": [Lease(WIRED, "00:1b:44:11:3a:99")]}, "staff"),
        ({Rank.DEVICE: "leases"}, {"sessions": [replace(SESSION, addresses=(WIRED,))]}, "pupils"),
        ({Rank.RADIUS: "sessions"}, {"leases": [Lease(WIRED, LAPTOP, "laptop-9")]}, ""),
        (
            {Rank.RADIUS: "sessions"},
            {"bindings": [replace(BINDING, address=WIRED, mac="")]},
            "staff",
        ),
    ],
)
def test_of_whom_a_failing_source_may_have_spoken_nobody_gets_a_group_from_below(
    unread: dict[Rank, str], known: dict[str, object], want: str
) -> None:
    identity = directory(unread=unread, **known).identify(WIRED, AT)
    assert identity.group == want
    if not want:
        [said] = unread.values()
        assert identity.evidence[-1].source == f"{said}: cannot be read"


def test_what_is_kept_of_a_device_that_is_not_listed_ends_with_its_lease() -> None:
    kept = [Lease(WIRED, "00:1b:44:11:3a:99", "", AT + 10)]
    found = directory(leases=kept, unread={Rank.DEVICE: "leases"})
    assert found.identify(WIRED, AT + 9).group == "staff"
    assert found.identify(WIRED, AT + 10).group == ""


@given(
    st.dictionaries(ADDRESSES, MACS),
    st.dictionaries(ADDRESSES, st.sampled_from(["", "guests", "pupils", "staff"])),
    st.dictionaries(ADDRESSES, st.sampled_from(["", "guests", "pupils", "staff"])),
    st.sampled_from(["leases", "bindings", "sessions"]),
    ADDRESSES,
)
def test_a_source_that_is_lost_never_opens_more(
    macs: dict[str, str],
    signed_in: dict[str, str],
    on_wifi: dict[str, str],
    lost: str,
    address: str,
) -> None:
    known: dict[str, object] = {
        "leases": [Lease(at, mac, "laptop-9") for at, mac in macs.items()],
        "bindings": [
            replace(BINDING, address=at, mac="", group=group) for at, group in signed_in.items()
        ],
        "sessions": [
            replace(SESSION, addresses=(at,), prefixes=(), group=group, mac="")
            for at, group in on_wifi.items()
        ],
    }
    rank = {"leases": Rank.DEVICE, "bindings": Rank.SIGN_IN, "sessions": Rank.RADIUS}[lost]
    before = directory(**known).identify(address, AT)
    after = directory(**{**known, lost: []}, unread={rank: lost}).identify(address, AT)
    assert strictness(after.group) <= strictness(before.group)


@pytest.mark.parametrize("address", ["10.9.0.8", "2001:db8:9::77"])
def test_claims_can_be_asked_for_one_by_one(address: str) -> None:
    first, *_ = directory(sessions=[SESSION]).claims(address, AT)
    assert (first.rank, first.user) == (Rank.RADIUS, "bob")
