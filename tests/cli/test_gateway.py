"""`schoolgate gateway`: what it prints for the rest of the machine."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from schoolgate import authority
from tests.cli.ended import DONE, NO, OUT_OF_REACH, WRONG, Here, refused
from tests.school import School
from tests.services.network.schools import BOTH, GOLDEN, HILL


def stands(school: School, network: dict[str, Any] | None = None, **proxy: str) -> None:
    """Write down how the machine stands."""
    school.write_config(network=HILL if network is None else network, proxy=proxy or BOTH)


@pytest.mark.parametrize(
    ("command", "file"),
    [
        ("rules", "rules.nft"),
        ("sysctl", "sysctl.conf"),
        ("dnsmasq", "dnsmasq.conf"),
        ("pac", "proxy.pac"),
    ],
)
def test_each_part_is_printed(school: School, here: Here, command: str, file: str) -> None:
    stands(school)
    ended = here("gateway", command)
    assert (ended.returncode, ended.stderr) == (DONE, "")
    assert ended.stdout == (GOLDEN / file).read_text()


@pytest.mark.parametrize("command", ["rules", "sysctl", "dnsmasq", "pac", "check", "apply"])
def test_a_machine_that_is_no_gateway_has_none(school: School, here: Here, command: str) -> None:
    ended = here("gateway", command)
    assert (ended.returncode, ended.stdout) == (WRONG, "")
    assert "network.inside is not set" in ended.stderr


def test_the_policy_of_a_browser_needs_the_ca(school: School, here: Here) -> None:
    stands(school)
    refused(here("gateway", "browser", "chrome"), OUT_OF_REACH, "There is no CA")
    authority.ensure(school.state / "ca", "Hill School", datetime(2026, 11, 23, tzinfo=UTC))
    found = json.loads(here("gateway", "browser", "chrome").stdout)
    assert found["ProxySettings"]["ProxyPacUrl"] == "http://10.20.0.1/wpad.dat"


def test_what_does_not_fit_together_is_said(school: School, here: Here) -> None:
    stands(school, HILL, **{**BOTH, "transparent_listen": "[::]:8081"})
    assert here("gateway", "check").returncode == DONE
    stands(school, HILL, listen="127.0.0.1:8080")
    ended = here("gateway", "check")
    assert ended.returncode == NO
    assert ended.stdout.startswith("No device can reach the filter")
