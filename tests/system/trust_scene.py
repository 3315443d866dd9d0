"""A trust in namespaces: its centre, two gateways of one school behind HAProxy, one of another, and lines.

Each gateway is the real command on the school's schema by TCP, with a leaf of NATS beside it. Its line to the
centre can be cut without a word: packets are lost, and nobody is told.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import yaml

from schoolgate.core.nats_files import Files, leaf_text
from schoolgate.storage.schools import add_school
from tests import gateway
from tests.gateway import Gateway, eventually
from tests.nats import Server
from tests.system import trust
from tests.system.conftest import program
from tests.system.counting import ALLOWED, BLOCKED
from tests.system.namespaces import (
    NAMESPACES,
    NET4,
    NET6,
    NUMBER4,
    NUMBER6,
    Machine,
    address,
    ip,
    line,
    needed,
    remove,
)
from tests.system.pair import FRONT4, PORT, SHIPPED
from tests.system.trust_centre import CENTRE4, HOST, LEAVES_PORT, Centre, centre, standing_in

SHOP = "www.ebay.co.uk"
# The school's devices: so many that HAProxy gives each of its gateways some.
DEVICES = tuple(f"10.20.0.{number}" for number in range(7, 13))
OTHER_DEVICE = "10.30.0.7"
_USER = "leaf.user"


@dataclass
class Gate:
    """One gateway, with its leaf."""

    machine: Machine
    school: str
    name: str
    number: int
    files: Path
    leaf: Server
    process: "subprocess.Popen[str] | None" = None

    @property
    def config(self) -> Path:
        """Its settings."""
        return self.files / "schoolgate.yaml"

    @property
    def state(self) -> Path:
        """What it keeps."""
        return self.files / "state"

    @property
    def inside(self) -> str:
        """Its address in the school."""
        return f"10.20.0.{self.number + 1}" if self.number < 3 else "10.30.0.2"

    @property
    def lines(self) -> list[str]:
        """What it printed."""
        return (self.files / "gateway.log").read_text().splitlines()

    def start(self) -> None:
        """Start it; `wait` until it filters."""
        (self.files / "gateway.log").write_text("")
        command = (*gateway.COMMAND, "run", "--config", str(self.config))
        self.process = self.machine.start(*self.knowing(*command), log=self.files / "gateway.log")

    def wait(self) -> None:
        """Wait until it filters."""
        assert eventually(lambda: gateway.READY in "\n".join(self.lines)), self.lines

    def knowing(self, *command: str) -> Sequence[str]:
        """Give a command with what the environment of the service has."""
        return "env", f"PGPASSFILE={self.files / 'pgpass'}", "PYTHONUNBUFFERED=1", *command

    def client(self, *, address: str | None = None) -> httpx.Client:
        """Give a client of a device's, as `Gateway.client`; to be called where the device is."""
        assert self.process is not None
        said = [f"proxy http://{self.inside}:{PORT}"]
        return Gateway(self.process, self.config, self.state, said).client(address=address)

    def journal(self) -> list[dict[str, Any]]:
        """Give every line of its journal so far."""
        return [
            json.loads(each)
            for path in sorted((self.state / "journal").glob("*.jsonl"))
            for each in path.read_bytes().split(b"\n")[:-1]
        ]


@dataclass
class Trust:
    """All of it."""

    files: Path
    centre: Centre
    gates: Sequence[Gate]
    internet: Machine
    schools: Sequence[Machine]
    urls: dict[str, str] = field(repr=False)
    at_centre: ThreadPoolExecutor
    at_school: ThreadPoolExecutor
    front: Machine

    @property
    def pair(self) -> Sequence[Gate]:
        """The two of one school."""
        return self.gates[:2]

    def cut(self, gate: Gate) -> None:
        """Lose every packet between a gateway and the centre from here on."""
        ip("-n", self.centre.machine.name, "link", "set", f"to-gw{gate.number}", "nomaster")

    def heal(self, gate: Gate) -> None:
        """Lose none any more."""
        ip("-n", self.centre.machine.name, "link", "set", f"to-gw{gate.number}", "master", "lines")

    def ask(self, seconds: float) -> None:
        """Have devices ask all the time, past HAProxy and by it, each so many seconds."""
        first, second, other = (gate.inside for gate in self.gates)
        ways = [f"gw1={DEVICES[0]}@{first}:{PORT}", f"gw2={DEVICES[0]}@{second}:{PORT}"]
        ways += [f"lb{n}={one}@{FRONT4}:{PORT}" for n, one in enumerate(DEVICES[1:5])]
        for machine, gate, some in (
            (self.schools[0], self.gates[0], ways),
            (self.schools[1], self.gates[2], [f"gw3={OTHER_DEVICE}@{other}:{PORT}"]),
        ):
            trusts = str(gate.state / "ca/schoolgate-ca.crt")
            command = (sys.executable, "-m", "tests.system.counting", trusts, str(seconds), *some)
            machine.start(*command, log=self.files / f"asked-{machine.name}.jsonl")
        assert eventually(lambda: {one["way"] for one in self.asked()} >= {"gw1", "lb0", "gw3"})

    def rest(self) -> None:
        """Let nobody ask any more, once all was answered; HAProxy asks too."""
        for machine in (*self.schools, self.front):
            machine.stop()

    def asked(self) -> list[dict[str, Any]]:
        """Give every request of the devices so far, and what came of it."""
        return [
            json.loads(one)
            for file in sorted(self.files.glob("asked-*.jsonl"))
            for one in file.read_text().split("\n")[:-1]
        ]

    def leaks(self) -> list[object]:
        """Give what of the blocked site was seen: by devices, and by whoever would have been asked."""
        lines = (self.files / "seen.jsonl").read_text().splitlines()
        seen = [one for one in map(json.loads, lines) if one.get("host") == BLOCKED]
        return [*seen, *(x for x in self.asked() if BLOCKED in x["url"] and x["came"] == "site")]


@contextmanager
def scene(files: Path) -> Iterator[Trust]:
    """Have all of it running; nobody asks yet."""
    needed("haproxy", "nats-server", "runuser")
    with ExitStack() as made:
        names = ("centre", "net", "sw", "dev", "other", "lb", "gw1", "gw2", "gw3")
        machines = {name: Machine(f"sg{os.getpid()}-t-{name}") for name in names}
        for machine in machines.values():
            ip("netns", "add", machine.name)
            made.callback(remove, machine)
            ip("-n", machine.name, "link", "set", "lo", "up")
            _knows_centre(machine)
        _lay(machines)
        known = [("hermitage", "gw1"), ("hermitage", "gw2"), ("hill", "gw3")]
        middle = made.enter_context(centre(machines["centre"], files, known))
        at_centre = made.enter_context(standing_in(machines["centre"]))
        schools = {
            name: at_centre.submit(add_school, middle.database.owner, name).result()
            for name in ("hermitage", "hill")
        }
        gates = [
            _gate(machines[name], school, name, files, schools[school]) for school, name in known
        ]
        at_school = made.enter_context(standing_in(machines["dev"]))
        urls = {
            name: one.url.replace(f"{name}@", f"{name}:{one.password}@")
            for name, one in schools.items()
        }
        here = Trust(
            files, middle, gates, machines["net"], [machines["dev"], machines["other"]], urls,
            at_centre, at_school, machines["lb"],
        )  # fmt: skip
        made.callback(_end, here)
        _start(here, known, made)
        config = str(SHIPPED / "haproxy.cfg")
        here.front.start(program("haproxy"), "-db", "-f", config, log=files / "haproxy.log")
        yield here


def _start(here: Trust, known: Sequence[tuple[str, str]], made: ExitStack) -> None:
    log = here.files / "internet.log"
    here.internet.start(sys.executable, "-m", "tests.system.internet", str(here.files), log=log)
    assert eventually((here.files / "up").exists), log.read_text()
    sources = here.centre.command("sources", *("/".join(one) for one in known))
    ended = here.centre.machine.run(*sources)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    here.centre.consume()
    for gate in here.gates:
        made.callback(gate.leaf.end, signal.SIGKILL)
        gate.leaf.start()
    first, second, other = here.gates
    first.start()
    other.start()
    first.wait()
    # The authority that devices trust is the same on both.
    shutil.copytree(first.state / "ca", second.state / "ca", dirs_exist_ok=True)
    second.start()
    for gate in (second, other):
        gate.wait()


def _end(here: Trust) -> None:
    """End the gateways, all at once."""
    for gate in here.gates:
        if gate.process is not None:
            gate.process.terminate()


def _knows_centre(machine: Machine) -> None:
    place = NAMESPACES / machine.name
    place.mkdir(parents=True, exist_ok=True)
    (place / "hosts").write_text(f"127.0.0.1 localhost\n{CENTRE4} {HOST}\n")


def _lay(machines: dict[str, Machine]) -> None:
    """Connect the machines: two schools, the line of each gateway to the centre, and to the internet."""
    middle, internet, switch = machines["centre"], machines["net"], machines["sw"]
    for machine, bridge in ((middle, "lines"), (internet, "lines"), (switch, "school")):
        ip("-n", machine.name, "link", "add", bridge, "type", "bridge")
        ip("-n", machine.name, "link", "set", bridge, "up")
    for number in (1, 2, 3):
        machine = machines[f"gw{number}"]
        for other, end, net in ((internet, "eth0", "198.18.0"), (middle, "eth2", "10.99.0")):
            _plug(machine, other, end, f"to-gw{number}", "lines")
            address(machine, end, f"{net}.{number + 1}/24")
    for name, address4 in (("gw1", "10.20.0.2"), ("gw2", "10.20.0.3"), ("lb", FRONT4)):
        _plug(machines[name], switch, "eth1", f"to-{name}", "school")
        address(machines[name], "eth1", f"{address4}/16")
    _plug(machines["dev"], switch, "dev0", "to-dev", "school")
    address(machines["dev"], "dev0", *(f"{one}/16" for one in DEVICES))
    line(machines["gw3"], machines["other"], "eth1", "dev0")
    address(machines["gw3"], "eth1", "10.30.0.2/16")
    address(machines["other"], "dev0", f"{OTHER_DEVICE}/16")
    address(middle, "lines", f"{CENTRE4}/24")
    numbers = [f"{one}/24" for one in (NET4, NUMBER4)]
    address(internet, "lines", *numbers, *(f"{one}/64" for one in (NET6, NUMBER6)))


def _plug(machine: Machine, other: Machine, end: str, other_end: str, bridge: str) -> None:
    line(machine, other, end, other_end)
    ip("-n", other.name, "link", "set", other_end, "master", bridge)


def _gate(machine: Machine, school: str, name: str, files: Path, added: Any) -> Gate:
    place, number = files / name, int(name[-1])
    place.mkdir()
    (place / _USER).write_text(":".join(trust.GATEWAY.values()) + "\n")
    (place / "pgpass").write_text(added.pgpass)
    (place / "pgpass").chmod(0o600)
    people = {"load_balancers": {"ranges": [f"{FRONT4}/32"], "header": "proxy-protocol"}}
    (place / "people.yaml").write_text(yaml.safe_dump(people))
    gateway.write_config(
        place,
        gateway=name,
        database=added.url,
        people=str(place / "people.yaml"),
        proxy={
            "listen": f"0.0.0.0:{PORT}",
            "allow_private_destinations": ["198.18.0.0/24"],
            "hosts": dict.fromkeys((ALLOWED, BLOCKED, SHOP), NET4),
            "upstream_ca": str(files / "origin-ca.pem"),
            "tunnel_ports": [443],
        },
        # Requests are made at the first.
        portal={"enabled": number == 1, "listen": "127.0.0.1:0"},
        trust={"school": school, "gateway": name},
        shipping={
            "personal": "names",
            "sites": "urls",
            "to": [{"kind": "nats", "user_file": str(place / _USER)}],
        },
    )
    keys = Files(str(place / "leaf"), str(files / "keys" / f"{school}-{name}"))
    text = leaf_text(school, name, f"{HOST}:{LEAVES_PORT}", "127.0.0.1:4222", keys)
    leaf = trust.server(place / "leaf.conf", text, 4222, machine.command())
    return Gate(machine, school, name, number, place, leaf)


def centre_settings(here: Trust, school: str) -> Path:
    """Write the settings with which the centre decides in a school's name; give the file."""
    place = here.files / f"centre-{school}"
    place.mkdir()
    return gateway.write_config(place, database=here.urls[school])
