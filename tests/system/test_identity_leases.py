"""Leases as the real dnsmasq and the real Kea write them, for a client that really asks."""

import json
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from schoolgate.core.people import Device, LeaseKind, LeaseSource, Membership, People
from schoolgate.identity import LiveDirectory
from tests.system.conftest import program

pytestmark = pytest.mark.long

MAC = "00:1b:44:11:3a:b7"
PATIENCE_SECONDS = 60
SCRIPT = Path(__file__).with_name("dhcp.sh")


@contextmanager
def serving(directory: Path, server: str) -> Iterator[None]:
    """Run a server and a client until the end of the block."""
    for needed in ("unshare", "nsenter", "ip", "dhclient"):
        program(needed)
    if os.geteuid() != 0:
        pytest.skip("needs root for network namespaces")
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen(
            [
                program("unshare"),
                "--net",
                "--pid",
                "--fork",
                "--mount-proc",
                "--kill-child",
                "sh",
                SCRIPT,
                directory,
                server,
            ],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
        )
        try:
            yield
        finally:
            process.communicate(b"\n", timeout=PATIENCE_SECONDS)


def followed(*sources: LeaseSource) -> LiveDirectory:
    device = Device(
        "ipad-3", macs=frozenset({MAC}), hostname="ipad-3", membership=Membership("pupils")
    )
    nameless = Device("ipad-6", macs=frozenset({MAC}))
    people = People(devices=(device, nameless), leases=sources, neighbours=False)
    return LiveDirectory(people, now=time.time)


def addresses(live: LiveDirectory, count: int) -> list[str]:
    """Wait until the device has so many addresses, and give them."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        live.look()
        found = sorted(live.current.addresses_of(MAC))
        if len(found) == count:
            return found
        time.sleep(0.1)
    return []


def test_dnsmasq(tmp_path: Path) -> None:
    program("dnsmasq")
    live = followed(LeaseSource(LeaseKind.DNSMASQ, tmp_path / "leases"))
    with serving(tmp_path, "dnsmasq"):
        found = addresses(live, 2)
    assert [address.rpartition("." if "." in address else ":")[0] for address in found] == [
        "10.9.0",
        "2001:db8:9:",
    ], (tmp_path / "log").read_text()
    assert live.faults == ()
    # The name that its lease carries is part of being recognised.
    assert live.current.identify(found[0], time.time()).group == "pupils"


def kea(directory: Path, version: int) -> LeaseSource:
    """Write the configuration of one of the two servers, and give where its leases will be."""
    prefix, pool = {
        4: ("10.9.0.0/24", "10.9.0.50 - 10.9.0.60"),
        6: ("2001:db8:9::/64", "2001:db8:9::50 - 2001:db8:9::60"),
    }[version]
    file = directory / f"kea{version}.csv"
    settings: dict[str, object] = {
        "interfaces-config": {"interfaces": ["s0"]},
        "lease-database": {"type": "memfile", "name": str(file), "lfc-interval": 1},
        "valid-lifetime": 3600,
        f"subnet{version}": [{"subnet": prefix, "interface": "s0", "pools": [{"pool": pool}]}],
    }
    if version == 6:
        settings["server-id"] = {
            "type": "EN",
            "enterprise-id": 1,
            "identifier": "01",
            "persist": False,
        }
        settings["data-directory"] = str(directory)
    (directory / f"kea{version}.json").write_text(json.dumps({f"Dhcp{version}": settings}))
    return LeaseSource(LeaseKind(f"kea{version}"), file)


def test_kea_through_its_clean_up(tmp_path: Path) -> None:
    program("kea-dhcp4")
    program("kea-dhcp6")
    live = followed(kea(tmp_path, 4), kea(tmp_path, 6))
    with serving(tmp_path, "kea"):
        found = addresses(live, 2)
        assert found, (tmp_path / "log").read_text()
        # Its clean-up (LFC) moves the leases to another file and begins the first anew.
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline and not (
            MAC in read(tmp_path / "kea4.csv.2") and MAC not in read(tmp_path / "kea4.csv")
        ):
            live.look()
            assert sorted(live.current.addresses_of(MAC)) == found
            time.sleep(0.02)
        assert MAC in read(tmp_path / "kea4.csv.2")
        assert addresses(live, 2) == found
    assert [address.rpartition("." if "." in address else ":")[0] for address in found] == [
        "10.9.0",
        "2001:db8:9:",
    ]
    assert live.current.identify(found[0], time.time()).group == "pupils"


def read(file: Path) -> str:
    return file.read_text() if file.exists() else ""
