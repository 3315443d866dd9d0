"""The section of the tunnels."""

from typing import Any

import pytest
from pydantic import ValidationError

from schoolgate.settings.wireguard import WireGuardSettings


@pytest.mark.parametrize(
    ("section", "want"),
    [
        ({"endpoint": "vpn.school.example"}, "is not of the form"),
        ({"endpoint": "vpn.school.example:0"}, "is not of the form"),
        ({"endpoint": "vpn school:1"}, "not"),
        ({"ranges": []}, "at least 1"),
        ({"ranges": ["10.1.0.0/16", "10.2.0.0/16"]}, "two of one family"),
        ({"ranges": ["10.1.0.0/31"]}, "too small"),
        ({"ranges": ["fd00::/127"]}, "too small"),
        ({"name_server": "127.0.0.1"}, "is not an address"),
        ({"listens": "[::]:51820"}, "listens"),
    ],
)
def test_what_cannot_be_meant_is_refused(section: dict[str, Any], want: str) -> None:
    with pytest.raises(ValidationError, match=want):
        WireGuardSettings.model_validate(section)


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("VPN.School.Example:51820", "vpn.school.example:51820"),
        ("[2001:db8::1]:51820", "[2001:db8::1]:51820"),
        ("198.51.100.1:1", "198.51.100.1:1"),
    ],
)
def test_the_endpoint_has_one_form(text: str, want: str) -> None:
    assert WireGuardSettings.model_validate({"endpoint": text}).endpoint == want


@pytest.mark.parametrize(
    ("ranges", "taken", "want"),
    [
        (["10.99.0.0/16", "fd00:99::/64"], [], ["10.99.0.2", "fd00:99::2"]),
        (
            ["10.99.0.0/16", "fd00:99::/64"],
            ["10.99.0.2", "10.99.0.4", "fd00:99::2"],
            ["10.99.0.3", "fd00:99::3"],
        ),
        (["10.99.0.0/30"], [], ["10.99.0.2"]),
        (["fd00::/126"], ["fd00::2"], ["fd00::3"]),
    ],
)
def test_a_device_gets_the_first_free_addresses(
    ranges: list[str], taken: list[str], want: list[str]
) -> None:
    settings = WireGuardSettings.model_validate({"ranges": ranges})
    assert [str(one) for one in settings.free_addresses(frozenset(taken))] == want


@pytest.mark.parametrize(
    ("ranges", "taken"), [("10.99.0.0/30", ["10.99.0.2"]), ("fd00::/126", ["fd00::2", "fd00::3"])]
)
def test_a_full_range_has_none_left(ranges: str, taken: list[str]) -> None:
    settings = WireGuardSettings.model_validate({"ranges": [ranges]})
    with pytest.raises(ValueError, match="no address left"):
        list(settings.free_addresses(frozenset(taken)))


def test_the_gateway_has_the_first_of_each_range() -> None:
    assert [str(one) for one in WireGuardSettings().own_addresses] == ["10.99.0.1", "fd00:99::1"]
