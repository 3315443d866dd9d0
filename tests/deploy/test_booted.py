"""The package in a Debian 13 that runs: installed, asked, broken, upgraded and purged, in this order."""

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.deploy import debian
from tests.deploy.machine import Machine, booted
from tests.gateway import eventually

SERVING = ("schoolgate-proxy", "schoolgate-portal", "schoolgate-jobs")
UNITS = (*SERVING, "schoolgate-network", "schoolgate-counters")
MOST_EXPOSED = 2.0
# Enough of them that every worker has some.
CLIENTS = [f"127.0.0.{number}" for number in range(1, 9)]
BLOCKED = "http://www.bet365.com/"
SETTINGS = "/etc/schoolgate/schoolgate.yaml"
EDITED = "\ngateway: edited\n"


@pytest.fixture(scope="module")
def machine(
    tree: Path, package: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Machine]:
    """A machine with the package, installed by one command that has nobody to ask."""
    with booted(tree, tmp_path_factory.mktemp("machine")) as machine:
        shutil.copy(package, machine.path("/root/schoolgate.deb"))
        start = time.monotonic()
        machine.run("apt", "install", "--yes", "/root/schoolgate.deb")
        print(f"\ninstalled in {time.monotonic() - start:.0f} s")
        yield machine


def answer(machine: Machine, *arguments: str) -> str:
    """Give status and clause of an answer through the proxy."""
    said = machine.curl(
        "--output", "/dev/null", "--write-out", "%{http_code} %header{x-schoolgate-clause}",
        "--proxy", "http://127.0.0.1:8080", *arguments,
    )  # fmt: skip
    return said.strip()


def filters(machine: Machine) -> bool:
    """Say whether every client gets the block page."""
    return all(
        answer(machine, "--interface", client, BLOCKED) == "403 W-6.3.1-gambling"
        for client in CLIENTS
    )


def test_the_units_are_active(machine: Machine) -> None:
    for unit in SERVING:
        assert machine.state_of(unit, "ActiveState", "UnitFileState") == {
            "ActiveState": "active",
            "UnitFileState": "enabled",
        }
    assert machine.state_of("schoolgate-network", "ActiveState", "UnitFileState") == {
        "ActiveState": "inactive",
        "UnitFileState": "disabled",
    }
    assert machine.ask("systemctl", "--failed", "--plain", "--no-legend").stdout == ""


def test_a_blocked_site_gets_the_block_page(machine: Machine, tmp_path: Path) -> None:
    assert eventually(lambda: filters(machine))
    shutil.copy(machine.path("/var/lib/schoolgate/ca/schoolgate-ca.crt"), tmp_path / "ca.crt")
    trusting = ("--cacert", str(tmp_path / "ca.crt"), BLOCKED.replace("http:", "https:"))
    assert answer(machine, *trusting) == "403 W-6.3.1-gambling"
    journal = next(machine.path("/var/lib/schoolgate/journal").glob("*.jsonl"))
    assert eventually(lambda: '"clause":"W-6.3.1-gambling"' in journal.read_text())


def test_the_portal_answers_itself_and_through_the_proxy(machine: Machine, tmp_path: Path) -> None:
    found: list[str] = []

    def is_told() -> bool:
        said = machine.run("journalctl", "--unit=schoolgate-portal", "--output=cat")
        found.extend(re.findall(r"set up +(http://127.0.0.1:8000/first/\S+)", said))
        return found != []

    assert eventually(is_told)
    assert "<form" in machine.curl(found[0])
    shutil.copy(machine.path("/var/lib/schoolgate/ca/schoolgate-ca.crt"), tmp_path / "ca.crt")
    page = machine.curl(
        "--proxy", "http://127.0.0.1:8080", "--cacert", str(tmp_path / "ca.crt"),
        "--location", "https://schoolgate.internal/",
    )  # fmt: skip
    assert "<h1" in page


@pytest.mark.parametrize(
    ("unit", "place", "want"),
    [
        ("schoolgate-portal", "/etc/schoolgate/local", True),
        ("schoolgate-portal", "/etc/schoolgate", False),
        ("schoolgate-proxy", "/etc/schoolgate/local", False),
        ("schoolgate-proxy", "/var/lib/schoolgate", True),
    ],
)
def test_a_unit_writes_only_where_it_must(
    machine: Machine, unit: str, place: str, *, want: bool
) -> None:
    process = str(machine.main_process(unit))
    ended = subprocess.run(
        ["nsenter", "--mount", "--target", process, "test", "-w", place], check=False
    )
    assert (ended.returncode == 0) is want


def test_doctor_finds_no_fault(machine: Machine) -> None:
    assert "FAULT" not in machine.run("schoolgate", "doctor")


@pytest.mark.parametrize("unit", UNITS)
def test_little_of_the_machine_is_within_its_reach(machine: Machine, unit: str) -> None:
    said = machine.run("systemd-analyze", "security", "--no-pager", f"{unit}.service")
    found = re.search(r"Overall exposure level for \S+: ([0-9.]+)", said)
    assert found is not None, said
    print(f"\n{unit}: exposure {found[1]}")
    assert float(found[1]) <= MOST_EXPOSED


def _supervisor(machine: Machine) -> int:
    return machine.main_process("schoolgate-proxy")


def _worker(machine: Machine) -> int:
    return machine.workers()[0]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "hangs"])
@pytest.mark.parametrize("victim", [_supervisor, _worker], ids=["supervisor", "worker"])
def test_it_filters_again_soon(
    machine: Machine, victim: Callable[[Machine], int], number: signal.Signals
) -> None:
    # A figure to look at, at most 10 s on a quiet machine: nearly all of it is the gateway's start.
    seconds = recovery_seconds(machine, victim, number)
    print(f"\n{victim.__name__[1:]}, {number.name}, all filters again after {seconds:.1f} s")


def recovery_seconds(
    machine: Machine, victim: Callable[[Machine], int], number: signal.Signals
) -> float:
    """Signal a process, and give how long it takes until another one has its place and all filters."""
    assert eventually(lambda: victim(machine) != 0 and filters(machine))
    old = victim(machine)
    start = time.monotonic()
    os.kill(old, number)
    assert eventually(lambda: not Path(f"/proc/{old}").exists())
    assert eventually(lambda: filters(machine))
    return time.monotonic() - start


@pytest.mark.parametrize("unit", ["schoolgate-portal", "schoolgate-jobs"])
def test_the_others_are_started_again_too(machine: Machine, unit: str) -> None:
    old = machine.main_process(unit)
    os.kill(old, signal.SIGKILL)
    assert eventually(lambda: machine.main_process(unit) not in (0, old))


def test_an_upgrade_keeps_what_was_edited_and_asks_nothing(
    machine: Machine, package: Path, tmp_path: Path
) -> None:
    machine.run("schoolgate", "grants", "add", "bbc.co.uk", "--until", "2h",
                "--decided-by", "headteacher", "--reason", "kept over the upgrade")  # fmt: skip
    with machine.path(SETTINGS).open("a") as settings:
        settings.write(EDITED)
    machine.run("systemctl", "disable", "--now", "schoolgate-jobs")
    changed = {
        f"usr/share/schoolgate/config/{name}": "# of the newer one\n"
        for name in ("schoolgate.yaml", "ages.yaml")
    }
    newer = debian.newer(package, tmp_path / "newer.deb", changed)
    shutil.copy(newer, machine.path("/root/schoolgate.deb"))
    old = machine.main_process("schoolgate-proxy")
    machine.run("apt", "install", "--yes", "/root/schoolgate.deb")

    assert machine.path(SETTINGS).read_text().endswith(EDITED)
    assert machine.path(f"{SETTINGS}.ucf-dist").read_text().endswith("# of the newer one\n")
    assert machine.path("/etc/schoolgate/ages.yaml").read_text().endswith("# of the newer one\n")
    assert eventually(lambda: filters(machine))
    assert machine.main_process("schoolgate-proxy") not in (0, old)
    assert "kept over the upgrade" in machine.run("schoolgate", "grants", "list")
    journal = machine.path("/var/lib/schoolgate/journal")
    assert eventually(
        lambda: any('"gateway":"edited"' in each.read_text() for each in journal.glob("*.jsonl"))
    )
    # Who was told not to run still does not.
    assert machine.state_of("schoolgate-jobs", "ActiveState", "UnitFileState") == {
        "ActiveState": "inactive",
        "UnitFileState": "disabled",
    }


def test_removed_it_stops_and_purged_it_leaves_the_evidence_alone(machine: Machine) -> None:
    machine.run("apt", "remove", "--yes", "schoolgate")
    assert machine.workers() == []
    assert answer(machine, BLOCKED) == "000"
    assert machine.path(SETTINGS).read_text().endswith(EDITED)
    assert machine.path("/var/lib/schoolgate/schoolgate.db").exists()
    said = machine.run("apt", "purge", "--yes", "schoolgate")
    [kept] = machine.path("/var/backups").glob("schoolgate-*")
    assert f"/var/backups/{kept.name}" in said
    assert {each.name for each in kept.iterdir()} >= {"schoolgate.db", "journal"}
    assert not machine.path("/etc/schoolgate").exists()
    assert not machine.path("/var/lib/schoolgate").exists()
    assert "schoolgate" not in machine.path("/etc/passwd").read_text()
    assert "schoolgate" not in machine.ask("systemctl", "list-unit-files", "schoolgate-*").stdout
