"""Files of leases: what they say, and that nothing that may stand in them does harm."""

import csv
import ipaddress
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schoolgate.core.people import LeaseKind
from schoolgate.identity.facts import Lease
from schoolgate.identity.leases import LeasesRead, parse_leases

AT = 1_700_000_000.0
LATER = int(AT) + 3600
MAC = "00:1b:44:11:3a:b7"

DNSMASQ = f"""\
{LATER} 00:1B:44:11:3A:B7 10.0.0.7 Ipad-3 01:00:1b:44:11:3a:b7
{LATER} 06-00:1b:44:11:3a:b8 10.0.0.8 * *
0 00:1b:44:11:3a:b9 10.0.0.9 printer *
{int(AT)} 00:1b:44:11:3a:c0 10.0.0.10 ended *
duid 00:01:00:01:2a:3b:4c:5d:00:1b:44:11:3a:01
{LATER} 12345 2001:db8::7 ipad-3 00:03:00:01:00:1b:44:11:3a:b7
{LATER} T12346 2001:db8::8 * 00:02:00:00:ab:11:3a:b7
"""

KEA4_HEAD = (
    "address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state,"
    "user_context,pool_id"
)
KEA6_HEAD = (
    "address,duid,valid_lifetime,expire,subnet_id,pref_lifetime,lease_type,iaid,prefix_len,"
    "fqdn_fwd,fqdn_rev,hostname,hwaddr,state,user_context,hwtype,hwaddr_source,pool_id"
)


def kea4(address: str, hwaddr: str = MAC, life: int = 3600, until: int = LATER, state: int = 0,
         hostname: str = "") -> str:  # fmt: skip
    return f"{address},{hwaddr},,{life},{until},1,0,0,{hostname},{state},,0"


def kea6(address: str, duid: str, hwaddr: str = "", kind: int = 0, state: int = 0) -> str:
    return f"{address},{duid},3600,{LATER},1,3000,{kind},7,128,0,0,,{hwaddr},{state},,1,0,0"


def read(kind: LeaseKind, *parts: str, at: float = AT) -> LeasesRead:
    return parse_leases(kind, [part.encode() for part in parts], at)


def lines(*rows: str) -> str:
    return "".join(f"{row}\n" for row in rows)


def test_dnsmasq_of_both_families() -> None:
    assert read(LeaseKind.DNSMASQ, DNSMASQ) == LeasesRead(
        (
            Lease("10.0.0.7", MAC, "ipad-3", LATER),
            Lease("10.0.0.8", "00:1b:44:11:3a:b8", "", LATER),
            Lease("10.0.0.9", "00:1b:44:11:3a:b9", "printer", inf),
            Lease("2001:db8::7", MAC, "ipad-3", LATER),
            Lease("2001:db8::8", "", "", LATER),
        )
    )


@pytest.mark.parametrize(
    ("rows", "want"),
    [
        ([kea4("10.0.0.7", hostname="Ipad-3.")], [Lease("10.0.0.7", MAC, "ipad-3", LATER)]),
        ([kea4("10.0.0.7", hostname="a&#x2cb")], [Lease("10.0.0.7", MAC, "a,b", LATER)]),
        # renewed: the last line counts
        (
            [kea4("10.0.0.7", until=LATER - 9), kea4("10.0.0.7")],
            [Lease("10.0.0.7", MAC, "", LATER)],
        ),
        # released, declined, reclaimed
        ([kea4("10.0.0.7"), kea4("10.0.0.7", life=0)], []),
        ([kea4("10.0.0.7"), kea4("10.0.0.7", state=1)], []),
        ([kea4("10.0.0.7"), kea4("10.0.0.7", state=2)], []),
        ([kea4("10.0.0.7"), kea4("10.0.0.7", state=3)], []),
        ([kea4("10.0.0.7", until=int(AT))], []),
        ([kea4("10.0.0.7", life=4294967295)], [Lease("10.0.0.7", MAC, "", inf)]),
        # known by its client identifier alone
        ([kea4("10.0.0.7", hwaddr="")], [Lease("10.0.0.7", "", "", LATER)]),
        # an older Kea wrote fewer columns
        ([f"10.0.0.7,{MAC},,3600,{LATER},1"], [Lease("10.0.0.7", MAC, "", LATER)]),
        (["", kea4("10.0.0.7") + "\r"], [Lease("10.0.0.7", MAC, "", LATER)]),
    ],
)
def test_kea_appends_and_the_last_line_of_an_address_counts(
    rows: list[str], want: list[Lease]
) -> None:
    found = read(LeaseKind.KEA4, lines(KEA4_HEAD, *rows))
    assert (list(found.leases), found.faults) == (want, ())


def test_kea_for_ipv6_knows_the_device_by_its_hardware_or_its_identifier() -> None:
    found = read(
        LeaseKind.KEA6,
        lines(
            KEA6_HEAD,
            kea6("2001:db8::1", "00:04:" + ":".join(["11"] * 16), MAC),
            kea6("2001:db8::2", "00:03:00:01:00:1b:44:11:3a:b8"),
            kea6("2001:db8::3", "00:02:00:00:ab:11:3a:b7"),
            kea6("2001:db8:1::", "00:03:00:01:00:1b:44:11:3a:b8", kind=2),
        ),
    )
    assert found.leases == (
        Lease("2001:db8::1", MAC, "", LATER),
        Lease("2001:db8::2", "00:1b:44:11:3a:b8", "", LATER),
        Lease("2001:db8::3", "", "", LATER),
    )


def test_the_parts_of_kea_count_in_their_order() -> None:
    before = lines(KEA4_HEAD, kea4("10.0.0.7", "00:1b:44:11:3a:01"), kea4("10.0.0.8"))
    after = lines(KEA4_HEAD, kea4("10.0.0.7"), kea4("10.0.0.8", life=0))
    assert read(LeaseKind.KEA4, before, after).leases == (Lease("10.0.0.7", MAC, "", LATER),)


def test_a_part_that_was_only_just_made_says_nothing_yet() -> None:
    found = read(LeaseKind.KEA4, lines(KEA4_HEAD, kea4("10.0.0.7")), "")
    assert (len(found.leases), found.faults) == (1, ())


def test_columns_are_found_by_their_names() -> None:
    text = lines("expire,hwaddr,address,valid_lifetime", f"{LATER},{MAC},10.0.0.7,60")
    assert read(LeaseKind.KEA4, text).leases == (Lease("10.0.0.7", MAC, "", LATER),)


@pytest.mark.parametrize(
    ("kind", "text", "leases", "faults", "readable"),
    [
        (LeaseKind.DNSMASQ, "", 0, (), True),
        (LeaseKind.DNSMASQ, f"{LATER} {MAC} 10.0.0.7 x *", 0, (), True),  # being written
        (LeaseKind.DNSMASQ, f"{LATER} {MAC} 10.0.0.7 x *\n{LATER} {MAC} 10.0", 1, (), True),
        (LeaseKind.DNSMASQ, f"{LATER} {MAC} 10.0.0.7 x *\nx {MAC} 10.0.0.8 x *\n", 1,
         ("line 2: 'x' is not a time",), True),
        (LeaseKind.DNSMASQ, "<html>\n", 0, ("line 1: has 1 words where a lease has 5",), False),
        (LeaseKind.DNSMASQ, "1 2 3 4 5\n", 0, ("line 1: '2' is not a hardware address",), False),
        (LeaseKind.DNSMASQ, f"{LATER} {MAC} 10.0.0.777 x *\n", 0,
         ("line 1: '10.0.0.777' is not an IP address",), False),
        (LeaseKind.KEA4, "", 0, ("line 1: does not name Kea's columns",), False),
        (LeaseKind.KEA4, "\0\0\0\n", 0, ("line 1: does not name Kea's columns",), False),
        (LeaseKind.KEA4, lines(KEA4_HEAD), 0, (), True),
        (LeaseKind.KEA4, lines(KEA4_HEAD, kea4("10.0.0.7"), "10.0.0.8,x"), 1,
         ("line 3: has 2 columns of 12",), True),
        (LeaseKind.KEA4, lines(KEA4_HEAD, kea4("10.0.0.7"), kea4("x")), 1,
         ("line 3: 'x' is not an IP address",), True),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_said_and_takes_nothing_else_away(
    kind: LeaseKind, text: str, leases: int, faults: tuple[str, ...], readable: bool
) -> None:
    found = read(kind, text)
    assert (len(found.leases), found.faults, found.readable) == (leases, faults, readable)


def test_of_many_faults_a_few_are_shown_and_all_are_counted() -> None:
    found = read(LeaseKind.DNSMASQ, "x\n" * 100)
    assert (len(found.faults), found.bad_lines) == (3, 100)


@given(st.sampled_from(LeaseKind), st.lists(st.binary(max_size=300), max_size=3))
def test_any_bytes_are_read_without_an_error(kind: LeaseKind, parts: list[bytes]) -> None:
    assert parse_leases(kind, parts, AT).leases == () or parts


ROWS = st.lists(
    st.tuples(
        st.integers(1, 6),  # the last byte of the address
        st.integers(1, 4),  # of the hardware address
        st.sampled_from([0, 3600]),
        st.sampled_from([int(AT) - 5, LATER, LATER + 5]),
        st.sampled_from([0, 1, 2]),
    ),
    max_size=12,
)


@given(ROWS)
def test_kea_is_read_as_a_naive_reader_reads_it(rows: list[tuple[int, int, int, int, int]]) -> None:
    text = lines(
        KEA4_HEAD,
        *(kea4(f"10.0.0.{a}", f"00:00:00:00:00:0{m}", v, e, s) for a, m, v, e, s in rows),
    )
    want: dict[str, dict[str, str]] = {}
    for row in csv.DictReader(text.splitlines()):
        want[row["address"]] = row
    assert {(le.address, le.mac, le.until) for le in read(LeaseKind.KEA4, text).leases} == {
        (a, r["hwaddr"], float(r["expire"]))
        for a, r in want.items()
        if r["state"] == "0" and r["valid_lifetime"] != "0" and int(r["expire"]) > AT
    }


@given(ROWS)
def test_dnsmasq_is_read_as_a_naive_reader_reads_it(
    rows: list[tuple[int, int, int, int, int]],
) -> None:
    text = lines(*(f"{e} 00:00:00:00:00:0{m} 10.0.0.{a} * *" for a, m, _, e, _ in rows))
    want = {line.split()[2]: line.split() for line in text.splitlines()}
    assert {(le.address, le.mac, le.until) for le in read(LeaseKind.DNSMASQ, text).leases} == {
        (words[2], words[1], float(words[0])) for words in want.values() if int(words[0]) > AT
    }


@given(st.integers(0, len(DNSMASQ.encode())))
def test_a_cut_file_gives_leases_of_the_whole_one(cut: int) -> None:
    whole = set(read(LeaseKind.DNSMASQ, DNSMASQ).leases)
    found = parse_leases(LeaseKind.DNSMASQ, [DNSMASQ.encode()[:cut]], AT)
    assert set(found.leases) <= whole
    assert found.faults == ()
    assert all(ipaddress.ip_address(lease.address) for lease in found.leases)
