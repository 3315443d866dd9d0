"""Somebody on a device who tries ways round the filter, and what the gateway and the internet see of it."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.gateway import PATIENCE_SECONDS, ROOT, eventually
from tests.system.namespaces import DEVICE4, INSIDE4, INSIDE6, NUMBER4, NUMBER6, Machine
from tests.system.test_rehearsal import Rehearsal, rehearsed

BLOCKED, READ, PASSED = "www.bet365.com", "origin.test", "www.khanacademy.org"
GAMBLING, BYPASS = "W-6.3.1-gambling", "W-6.3.1-bypass"
DNS_QUERY = "AAABAAABAAAAAAAAA3d3dwdleGFtcGxlA2NvbQAAAQAB"
WEBSOCKET = (
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
)
PROXIES = {4: (INSIDE4, 8080), 6: (INSIDE6, 8080)}
# Of IPv6 it has an address of its own making, too.
DEVICES = {4: DEVICE4, 6: INSIDE6.removesuffix("1")}
NUMBERS = {4: NUMBER4, 6: NUMBER6}
WAYS_IN = [(4, False), (6, False), (4, True), (6, True)]
NAMED = ["IPv4, redirected", "IPv6, redirected", "IPv4, proxy", "IPv6, proxy"]
redirected = pytest.mark.parametrize("family", [4, 6], ids=["IPv4", "IPv6"])
every_way_in = pytest.mark.parametrize(("family", "is_explicit"), WAYS_IN, ids=NAMED)


@dataclass
class Agent:
    """A program inside a namespace, asked line by line."""

    process: "subprocess.Popen[str]"

    def ask(self, **what: Any) -> dict[str, Any]:
        """Have it try something."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(what) + "\n")
        self.process.stdin.flush()
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        return answer


@contextmanager
def agent(machine: Machine) -> Iterator[Agent]:
    """Have one in a namespace."""
    command = machine.command(sys.executable, "-m", "tests.system.device")
    process = subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        yield Agent(process)
    finally:
        process.communicate(timeout=PATIENCE_SECONDS)


@dataclass
class Town:
    """What is running, with somebody on the device and somebody at the gateway."""

    running: Rehearsal
    device: Agent
    at_gateway: Agent

    def circumventions(self) -> Mapping[str, float]:
        """Give how often each way was counted."""
        found = self.at_gateway.ask(metrics="schoolgate_circumvention_total")
        return {name.split('"')[1]: value for name, value in found.items()}

    def reached(self) -> int:
        """Give how many connections came to the internet's web servers, whoever they were from."""
        chain = self.running.town.internet.run(
            "nft", "--json", "list", "counter", "inet", "watch", "c"
        )
        items = json.loads(chain.stdout)["nftables"]
        return next(int(item["counter"]["packets"]) for item in items if "counter" in item)

    def tries(self, family: int, *, is_explicit: bool, **what: Any) -> dict[str, Any]:
        """Have the device try something, by one of the ways in."""
        proxy = {"proxy": PROXIES[family]} if is_explicit else {}
        return self.device.ask(family=family, **{"port": 443, **proxy, **what})

    def has_seen(self, kind: str, host: str, family: int) -> bool:
        """Wait for the journal to say who tried what."""

        def is_there() -> bool:
            return any(
                line["event"] == "circumvention.seen"
                and line["kind"] == kind
                and line["client"].startswith(DEVICES[family])
                and line["host"].strip("[]") == host
                for line in self.running.own.journal()
            )  # fmt: skip

        return eventually(is_there)


WATCH = """\
table inet watch {
  counter c {}
  chain in {
    type filter hook input priority 0;
    tcp dport { 80, 443 } tcp flags & (syn | ack) == syn counter name c
    udp dport 443 counter name c
  }
}
"""


@contextmanager
def tried(files: Path) -> Iterator[Town]:
    """Have somebody on the device and at the gateway, and count what comes to the internet."""
    with rehearsed(files) as running:
        done = running.town.internet.run("nft", "-f", "-", stdin=WATCH)
        assert done.returncode == 0, done.stderr
        with agent(running.town.device) as device, agent(running.town.gateway) as at_gateway:
            yield Town(running, device, at_gateway)


@contextmanager
def closed(here: Town, kind: str) -> Iterator[None]:
    """See that meanwhile a way was tried and counted, and that nothing came to the internet."""
    before, reached = here.circumventions().get(kind, 0.0), here.reached()
    yield
    assert eventually(lambda: here.circumventions().get(kind, 0.0) > before)
    assert here.reached() == reached


def page(host: str, target: str = "/", *fields: str, method: str = "GET") -> list[str]:
    return [f"{method} {target} HTTP/1.1", f"Host: {host}", *fields]


def asked2(
    host: str, target: str = "/", *fields: tuple[str, str], method: str = "GET"
) -> list[list[str]]:
    names = ((":method", method), (":scheme", "https"), (":authority", host), (":path", target))
    return [list(pair) for pair in (*names, *fields)]
