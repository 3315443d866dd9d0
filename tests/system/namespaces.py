"""Machines in namespaces: a device, the gateway, the internet with sites and a name server, and a home.

Every name begins with the process id of the tests, so that runs beside each other do not meet, and
everything is taken away at the end, whatever happened.
"""

import itertools
import json
import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from shutil import rmtree

import pytest

from tests.gateway import PATIENCE_SECONDS, ROOT
from tests.system.conftest import program

INSIDE4, INSIDE6 = "10.20.0.1", "fd00:20::1"
DEVICE4, DEVICE6 = "10.20.0.7", "fd00:20::7"
# The gateway's and the internet's sides of the line between them.
OUTSIDE4, OUTSIDE6 = "198.18.0.2", "2001:2::2"
NET4, NET6 = "198.18.0.1", "2001:2::1"
# Where somebody else's name server is, of both families.
RESOLVER4, RESOLVER6 = "198.18.0.8", "2001:2::8"
# A place on the internet that is asked for by its number.
NUMBER4, NUMBER6 = "198.18.0.9", "2001:2::9"
# A device at home, and the internet's side of its line.
HOME4, HOME_VIA4 = "203.0.113.7", "203.0.113.1"
_NUMBERS = itertools.count(1)
NAMESPACES = Path("/etc/netns")


def needed(*programs: str) -> None:
    """Skip where namespaces cannot be had."""
    for name in ("ip", "nft", "dnsmasq", *programs):
        program(name)
    if os.geteuid() != 0:
        message = "needs root for network namespaces"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)


def ip(*arguments: str) -> None:
    """Run ip(8)."""
    subprocess.run([program("ip"), *arguments], check=True, capture_output=True, text=True)


@dataclass
class Machine:
    """A namespace."""

    name: str
    processes: list["subprocess.Popen[str]"] = field(default_factory=list)

    def command(self, *arguments: str) -> list[str]:
        """Give the command that runs another one in here."""
        return [program("ip"), "netns", "exec", self.name, *arguments]

    def run(self, *arguments: str, stdin: str = "") -> "subprocess.CompletedProcess[str]":
        """Run a command to its end."""
        return subprocess.run(
            self.command(*arguments),
            cwd=ROOT,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS * 2,
            check=False,
        )

    def start(self, *arguments: str, log: Path) -> "subprocess.Popen[str]":
        """Start a command that runs until the end."""
        with log.open("ab") as out:
            process = subprocess.Popen(
                self.command(*arguments),
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                text=True,
            )
        self.processes.append(process)
        return process

    def stop(self) -> None:
        """End what was started here, last first."""
        for process in reversed(self.processes):
            process.terminate()
            try:
                process.wait(PATIENCE_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.processes.clear()


@dataclass
class Town:
    """The machines."""

    device: Machine
    gateway: Machine
    internet: Machine
    home: Machine

    def counter(self, name: str) -> int:
        """Give how many packets a counter of the gateway's rules has seen."""
        ended = self.gateway.run("nft", "--json", "list", "counter", "inet", "schoolgate", name)
        items = json.loads(ended.stdout)["nftables"]
        return next(int(item["counter"]["packets"]) for item in items if "counter" in item)


@contextmanager
def town() -> Iterator[Town]:
    """Make the machines and the lines between them."""
    own = f"sg{os.getpid()}-{next(_NUMBERS)}"
    device, gateway, internet, home = (
        Machine(f"{own}-{name}") for name in ("dev", "gw", "net", "home")
    )
    with ExitStack() as made:
        for machine in (device, gateway, internet, home):
            ip("netns", "add", machine.name)
            made.callback(remove, machine)
            ip("-n", machine.name, "link", "set", "lo", "up")
        line(device, gateway, "dev0", "eth1")
        line(gateway, internet, "eth0", "net0")
        line(home, internet, "home0", "net1")
        address(gateway, "eth1", f"{INSIDE4}/16", f"{INSIDE6}/64")
        address(device, "dev0", f"{DEVICE4}/16", f"{DEVICE6}/64")
        address(gateway, "eth0", f"{OUTSIDE4}/24", f"{OUTSIDE6}/64")
        numbers = [f"{one}/24" for one in (NET4, RESOLVER4, NUMBER4)]
        address(internet, "net0", *numbers, *(f"{one}/64" for one in (NET6, RESOLVER6, NUMBER6)))
        address(home, "home0", f"{HOME4}/24")
        address(internet, "net1", f"{HOME_VIA4}/24")
        ip("-n", home.name, "route", "add", "default", "via", HOME_VIA4)
        internet.run("sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward")
        for machine, via4, via6 in (
            (device, INSIDE4, INSIDE6), (gateway, NET4, NET6), (internet, OUTSIDE4, OUTSIDE6),
        ):  # fmt: skip
            ip("-n", machine.name, "route", "add", "default", "via", via4)
            ip("-n", machine.name, "-6", "route", "add", "default", "via", via6)
        _resolves_at(device, INSIDE4)
        _resolves_at(gateway, RESOLVER4)
        yield Town(device, gateway, internet, home)


def line(one: Machine, other: Machine, end: str, other_end: str) -> None:
    """Lay a line between two machines, with an interface at each end."""
    ip(
        "link", "add", end, "netns", one.name, "type", "veth",
        "peer", "name", other_end, "netns", other.name,
    )  # fmt: skip
    for machine, name in ((one, end), (other, other_end)):
        # Addresses are used at once, without asking whether somebody has them already.
        machine.run("sh", "-c", f"echo 0 > /proc/sys/net/ipv6/conf/{name}/accept_dad")
        # veth leaves checksums to whoever takes the packet, whom nft's reject does not wait for.
        ip("-n", machine.name, "link", "set", name, "up")


def address(machine: Machine, name: str, *addresses: str) -> None:
    """Give an interface some addresses."""
    for one in addresses:
        flags = ["nodad"] if ":" in one else []
        ip("-n", machine.name, "address", "add", one, "dev", name, *flags)


def _resolves_at(machine: Machine, server: str) -> None:
    place = NAMESPACES / machine.name
    place.mkdir(parents=True, exist_ok=True)
    (place / "resolv.conf").write_text(f"nameserver {server}\noptions timeout:2 attempts:2\n")


def remove(machine: Machine) -> None:
    """End whatever runs on a machine, and take it away."""
    machine.stop()
    # A browser leaves processes of its own.
    for pid in machine_processes(machine):
        with suppress(ProcessLookupError):
            os.kill(pid, 9)
    rmtree(NAMESPACES / machine.name, ignore_errors=True)
    subprocess.run(
        [program("ip"), "netns", "delete", machine.name], check=False, capture_output=True
    )


def machine_processes(machine: Machine) -> Sequence[int]:
    """Give what runs in a namespace of ours."""
    ended = subprocess.run(
        [program("ip"), "netns", "pids", machine.name], capture_output=True, text=True, check=False
    )
    return [int(pid) for pid in ended.stdout.split()]
