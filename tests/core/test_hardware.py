"""A hardware address has one form, whatever spelling it came in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schoolgate.core.errors import BadAddressError
from schoolgate.core.hardware import (
    any_mac,
    is_randomised,
    mac_of_duid,
    mac_or_nothing,
    normalise_mac,
)

WANT = "00:1b:44:11:3a:b7"


@pytest.mark.parametrize(
    "raw",
    [
        "00:1b:44:11:3a:b7",
        "00:1B:44:11:3A:B7",
        "00-1B-44-11-3A-B7",
        "001b.4411.3ab7",
        "001b:4411:3ab7",
        "001b-4411-3ab7",
        "001b44-113ab7",
        "001b44:113ab7",
        "001B44113AB7",
        "0:1b:44:11:3a:b7",
        " 00:1b:44:11:3a:b7\n",
    ],
)
def test_every_common_spelling_is_one_address(raw: str) -> None:
    assert normalise_mac(raw) == WANT


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "00:1b:44:11:3a",
        "00:1b:44:11:3a:b7:00",
        "00:1b-44:11:3a:b7",
        "00:1b:44:11:3a:g7",
        "001b.4411-3ab7",
        "00:1b:44:11:3a:b7 x",
        "\u0660\u0660:1b:44:11:3a:b7",
        "0" * 1000,
        "00:00:00:00:00:00",  # unknown
        "ff:ff:ff:ff:ff:ff",  # everybody
        "01:00:5e:00:00:01",  # a group
    ],
)
def test_what_is_not_the_address_of_one_device_is_refused(raw: str) -> None:
    with pytest.raises(BadAddressError):
        normalise_mac(raw)
    assert mac_or_nothing(raw) == ""


@given(st.binary(min_size=6, max_size=6).filter(lambda b: not b[0] & 1 and any(b)), st.data())
def test_all_spellings_of_an_address_agree(raw: bytes, data: st.DataObject) -> None:
    want = raw.hex(":")
    spelt = data.draw(
        st.sampled_from([raw.hex(":"), raw.hex("-"), raw.hex(), raw.hex(".", 2), raw.hex("-", 3)])
    )
    if data.draw(st.booleans()):
        spelt = spelt.upper()
    assert normalise_mac(spelt) == want
    assert normalise_mac(want) == want


@given(st.text(max_size=40))
def test_any_text_is_an_address_or_refused(raw: str) -> None:
    found = mac_or_nothing(raw)
    assert found == "" or normalise_mac(found) == found


@pytest.mark.parametrize(
    ("mac", "want"),
    [
        ("00:1b:44:11:3a:b7", False),
        ("02:1b:44:11:3a:b7", True),
        ("da:a1:19:00:00:01", True),
        ("dc:a6:32:00:00:01", False),
    ],
)
def test_an_address_that_a_device_made_up_is_known_by_its_bit(mac: str, want: bool) -> None:
    assert is_randomised(mac) is want


@pytest.mark.parametrize(
    ("duid", "want"),
    [
        ("00:01:00:01:2a:3b:4c:5d:00:1b:44:11:3a:b7", WANT),  # link-layer address and time
        ("00:03:00:01:00:1b:44:11:3a:b7", WANT),  # link-layer address
        ("00030001001b44113ab7", WANT),
        ("00:02:00:00:ab:11:3a:b7", ""),  # a vendor's number
        ("00:04:" + ":".join(["11"] * 16), ""),  # a UUID
        ("00:03:00:06:00:1b:44:11:3a:b7", ""),  # no Ethernet
        ("00:03:00:01:00:1b:44:11:3a", ""),
        ("", ""),
    ],
)
def test_some_identifiers_of_dhcpv6_hold_a_hardware_address(duid: str, want: str) -> None:
    assert mac_of_duid(duid) == want


def test_the_first_that_is_one_counts() -> None:
    assert any_mac(["", "x", "001B44113AB7", "02:00:00:00:00:01"]) == WANT
    assert any_mac([]) == ""
