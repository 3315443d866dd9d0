"""Two gateways that share an address by keepalived, a device that browses, and the internet."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from tests import gateway
from tests.gateway import ROOT, eventually
from tests.system.conftest import program
from tests.system.knocking import ALLOWED, BLOCKED
from tests.system.namespaces import (
    NET4,
    NET6,
    NUMBER4,
    NUMBER6,
    Machine,
    address,
    ip,
    line,
    machine_processes,
    needed,
    remove,
)  # fmt: skip

# What the two share, and what each has of its own.
SHARED4, SHARED6 = "10.20.0.1", "fd00:20::1"
OWN4 = ("10.20.0.2", "10.20.0.3")
OUTSIDE4 = ("198.18.0.2", "198.18.0.3")
DEVICE4, DEVICE6 = "10.20.0.7", "fd00:20::7"
FRONT4 = "10.20.0.5"
PORT = 8080
SHIPPED = ROOT / "deploy/pair"
_STATE = re.compile(r"\(school\) Entering (\w+) STATE")


@dataclass
class Member:
    """One gateway of the two."""

    machine: Machine
    number: int
    files: Path
    running: dict[str, "subprocess.Popen[str]"] = field(default_factory=dict)

    @property
    def config(self) -> Path:
        """Its settings."""
        return self.files / "schoolgate.yaml"

    @property
    def log(self) -> Path:
        """What keepalived says."""
        return self.files / "keepalived.log"

    def start(self) -> None:
        """Start the gateway, and wait until it filters."""
        log = self.files / "gateway.log"
        log.write_text("")
        self.running["schoolgate"] = self.machine.start(
            *gateway.COMMAND, "run", "--config", str(self.config), log=log
        )
        assert eventually(lambda: gateway.READY in log.read_text()), log.read_text()

    def start_keepalived(self) -> None:
        """Start keepalived, and wait until it stands by or has the address."""
        self.log.write_text("")
        names = [f"--{what}={self.files / what}" for what in ("pid", "vrrp_pid")]
        self.running["keepalived"] = self.machine.start(
            program("keepalived"), "--dont-fork", "--log-console", "--vrrp",
            f"--use-file={self.files / 'keepalived.conf'}", *names, log=self.log,
        )  # fmt: skip
        assert eventually(lambda: self.state in ("BACKUP", "MASTER")), self.log.read_text()
        assert "VRRP_Script(gateway) succeeded" in self.log.read_text()

    def end(self, name: str) -> None:
        """Stop one of them as systemd does."""
        process = self.running.pop(name)
        process.terminate()
        process.wait(gateway.PATIENCE_SECONDS)
        self.machine.processes.remove(process)

    def kill(self) -> None:
        """Kill whatever runs on the machine."""
        for pid in machine_processes(self.machine):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for process in self.running.values():
            process.wait(gateway.PATIENCE_SECONDS)
            self.machine.processes.remove(process)
        self.running.clear()

    def signal(self, what: int) -> None:
        """Send a signal to every process of the gateway."""
        for pid in machine_processes(self.machine):
            with suppress(OSError):
                name = Path(f"/proc/{pid}/comm").read_text()
                if name.startswith("sg ") or pid == self.running["schoolgate"].pid:
                    os.kill(pid, what)

    @property
    def state(self) -> str:
        """What keepalived said last that it is: MASTER, BACKUP or FAULT; "" where it does not run."""
        found = _STATE.findall(self.log.read_text()) if "keepalived" in self.running else []
        return found[-1] if found else ""

    def has(self, shared: str) -> bool:
        """Ask whether it has a shared address."""
        said = self.machine.run(program("ip"), "-o", "address", "show", "dev", "eth1").stdout
        return f" {shared}/" in said

    def journal(self) -> list[dict[str, Any]]:
        """Give every line of its journal so far."""
        return [
            json.loads(each)
            for path in sorted((self.files / "state/journal").glob("*.jsonl"))
            for each in path.read_text().split("\n")[:-1]
        ]


@dataclass
class Pair:
    """All of it."""

    members: Sequence[Member]
    switch: Machine
    device: Machine
    internet: Machine
    front: Machine
    files: Path

    @property
    def active(self) -> Member:
        """Who has the address, once that is one of them."""
        found: list[Member] = []

        def is_settled() -> bool:
            found[:] = [one for one in self.members if one.state == "MASTER"]
            return len(found) == 1 and all(x.state in ("MASTER", "BACKUP") for x in self.members)

        assert eventually(is_settled), [one.log.read_text() for one in self.members]
        return found[0]

    @property
    def passive(self) -> Member:
        """Who has it not."""
        active = self.active
        [found] = [one for one in self.members if one is not active]
        return found

    def plug(self, member: Member, side: str, state: str) -> None:
        """Plug the cable of a gateway in (``up``) or pull it (``down``), at ``eth0`` or ``eth1``."""
        other = self.switch if side == "eth1" else self.internet
        ip("-n", other.name, "link", "set", f"to-gw{member.number}", state)

    # -- the device -------------------------------------------------------------------------------

    def knock(self, *proxies: str) -> None:
        """Have the device browse from here on."""
        trusts = str(self.members[0].files / "state/ca/schoolgate-ca.crt")
        command = (sys.executable, "-m", "tests.system.knocking", trusts, NET4, *proxies)
        number = len(list(self.files.glob("attempts-*.jsonl")))
        self.device.start(*command, log=self.files / f"attempts-{number}.jsonl")
        assert eventually(lambda: {x["came"] for x in self.attempted()} >= {"site", "refused"})

    def attempted(self) -> list[dict[str, Any]]:
        """Give what came of each attempt so far."""
        return [
            json.loads(one)
            for file in sorted(self.files.glob("attempts-*.jsonl"))
            for one in file.read_text().split("\n")[:-1]
        ]

    def resumed(self, since: float, kinds: Collection[str]) -> float:
        """Give the seconds from a moment until something of each kind succeeded that began after it."""
        first: dict[str, float] = {}

        def all_came() -> bool:
            for one in self.attempted():
                if one["came"] == "site" and one["began"] > since and one["kind"] in kinds:
                    first.setdefault(one["kind"], one["ended"] - since)
            return first.keys() == set(kinds)

        assert eventually(all_came), f"only {first} of {kinds}"
        return max(first.values())

    def longest_gap(self, since: float, kind: str) -> float:
        """Give the longest time since a moment in which nothing of a kind succeeded, seconds."""
        ends: list[float] = sorted(
            one["ended"]
            for one in self.attempted()
            if one["came"] == "site" and one["kind"] == kind and one["ended"] > since
        )
        return max(later - sooner for sooner, later in pairwise([since, *ends]))

    def leaks(self) -> list[object]:
        """Give what of the blocked site was seen: by the device, and by whoever would have been asked."""
        lines = (self.files / "seen.jsonl").read_text().splitlines()
        asked = [one for one in map(json.loads, lines) if one.get("host") == BLOCKED]
        seen = [x for x in self.attempted() if x["host"] == BLOCKED and x["came"] == "site"]
        return [*asked, *seen]

    def refusals(self) -> int:
        """Give how often the blocked site was refused."""
        return sum(x["host"] == BLOCKED and x["came"] == "refused" for x in self.attempted())


@contextmanager
def pair(files: Path, **sections: Any) -> Iterator[Pair]:
    """Have two gateways running behind the rules of the packet filter, and keepalived on both."""
    needed("keepalived", "haproxy", "curl")
    with ExitStack() as made:
        own = f"sg{os.getpid()}-pair"
        names = ("sw", "gw1", "gw2", "dev", "net", "lb")
        machines = {name: Machine(f"{own}-{name}") for name in names}
        for machine in machines.values():
            ip("netns", "add", machine.name)
            made.callback(remove, machine)
            ip("-n", machine.name, "link", "set", "lo", "up")
        _lay(machines)
        here = Pair(
            [_member(machines, number, files, made, sections) for number in (1, 2)],
            machines["sw"], machines["dev"], machines["net"], machines["lb"], files,
        )  # fmt: skip
        log = files / "internet.log"
        here.internet.start(sys.executable, "-m", "tests.system.internet", str(files), log=log)
        assert eventually((files / "up").exists), log.read_text()
        first, second = here.members
        _protect(first)
        first.start()
        # The authority that devices trust is the same on both.
        shutil.copytree(first.files / "state/ca", second.files / "state/ca", dirs_exist_ok=True)
        _protect(second)
        second.start()
        for member in here.members:
            member.start_keepalived()
        yield here


def _lay(machines: dict[str, Machine]) -> None:
    """Connect the machines: the school's switch, and the line of each gateway to the internet."""
    switch, internet = machines["sw"], machines["net"]
    for machine, bridge in ((switch, "school"), (internet, "lines")):
        ip("-n", machine.name, "link", "add", bridge, "type", "bridge")
        ip("-n", machine.name, "link", "set", bridge, "up")
    for name, end in (("gw1", "eth1"), ("gw2", "eth1"), ("dev", "dev0"), ("lb", "eth1")):
        line(machines[name], switch, end, f"to-{name}")
        ip("-n", switch.name, "link", "set", f"to-{name}", "master", "school")
    for number, name in enumerate(("gw1", "gw2")):
        line(machines[name], internet, "eth0", f"to-{name}")
        ip("-n", internet.name, "link", "set", f"to-{name}", "master", "lines")
        address(machines[name], "eth0", f"{OUTSIDE4[number]}/24")
        address(machines[name], "eth1", f"{OWN4[number]}/16", f"fd00:20::{number + 2}/64")
    numbers = [f"{one}/24" for one in (NET4, NUMBER4)]
    address(internet, "lines", *numbers, *(f"{one}/64" for one in (NET6, NUMBER6)))
    address(machines["dev"], "dev0", f"{DEVICE4}/16", f"{DEVICE6}/64")
    address(machines["lb"], "eth1", f"{FRONT4}/16")
    ip("-n", machines["dev"].name, "route", "add", "default", "via", SHARED4)


def _member(
    machines: dict[str, Machine],
    number: int,
    files: Path,
    made: ExitStack,
    sections: dict[str, Any],
) -> Member:
    place = files / f"gw{number}"
    place.mkdir()
    gateway.write_config(
        place,
        gateway=f"gw{number}",
        proxy={
            "listen": f"[::]:{PORT}",
            "transparent_listen": "[::]:8081",
            "allow_private_destinations": ["198.18.0.0/24"],
            "hosts": {ALLOWED: NET4, BLOCKED: NET4},
            "upstream_ca": str(files / "origin-ca.pem"),
            "tunnel_ports": [443],
        },
        network={
            "inside": ["eth1"],
            "outside": ["eth0"],
            "addresses": [SHARED4, SHARED6],
            "pair": [OWN4[2 - number]],
            "counters_file": str(place / "counters.json"),
        },
        metrics={"listen": "127.0.0.1:9180"},
        **sections,
    )
    _write_keepalived(place, number, made)
    return Member(machines[f"gw{number}"], number, place)


def _write_keepalived(place: Path, number: int, made: ExitStack) -> None:
    """Put the shipped file in place for one of the two; the other's is the same but for three lines."""
    text = (SHIPPED / "keepalived.conf").read_text()
    # Where nobody may run it, keepalived goes on without it.
    script = Path(tempfile.mkdtemp(prefix="pair-", dir="/var/tmp")) / "check-gateway"
    made.callback(shutil.rmtree, script.parent)
    script.parent.chmod(0o755)
    shutil.copy(SHIPPED / "check-gateway", script)
    text = text.replace("/usr/lib/schoolgate/check-gateway", str(script))
    if number == 2:
        text = text.replace("priority 150", "priority 100")
        text = re.sub(r"unicast_src_ip .*", f"unicast_src_ip {OWN4[1]}", text)
        text = text.replace("        10.20.0.3\n", f"        {OWN4[0]}\n")
    (place / "keepalived.conf").write_text(text)


def _protect(member: Member) -> None:
    """Load the rules of the packet filter."""
    command = (*gateway.COMMAND, "gateway", "apply", "--config", str(member.config))
    applied = member.machine.run(*command)
    assert applied.returncode == 0, applied.stderr
