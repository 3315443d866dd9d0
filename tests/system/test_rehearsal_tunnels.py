"""A school device at home, on the far side of the internet: what its tunnel carries, and what it does not."""

import itertools
import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests import gateway
from tests.gateway import eventually
from tests.system.asking import SECONDS
from tests.system.conftest import program
from tests.system.namespaces import (
    HOME_VIA4,
    INSIDE4,
    NET4,
    NET6,
    NUMBER4,
    NUMBER6,
    OUTSIDE4,
    Machine,
    ip,
    needed,
)
from tests.system.test_rehearsal import (
    BLOCKED,
    CLAUSE,
    HELLO,
    PASSED,
    READ,
    Rehearsal,
    asked,
    rehearsed,
)

pytestmark = pytest.mark.long

PORT = 51820
TUNNELS = {"listen": f"[::]:{PORT}", "endpoint": f"{OUTSIDE4}:{PORT}"}
OWN4, OWN6 = "10.99.0.1", "fd00:99::1"
# The tunnel's own TCP takes every connection, and ends those that go nowhere.
SAYS_NOTHING = ("silent", "open", "cut Connection reset by peer")
_NUMBERS = itertools.count(1)


@dataclass
class Home:
    """A device at home whose WireGuard was told what the command line printed."""

    running: Rehearsal
    machine: Machine
    interface: str

    def wireguard(self, *arguments: str) -> str:
        """Run a part of the command, and give what it prints."""
        config = str(self.running.own.config)
        ended = gateway.schoolgate("wireguard", *arguments, "--config", config)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout

    def told(self, text: str) -> None:
        """Do what wg-quick does: keys, addresses, and all ways but the one to the gateway itself."""
        file = self.running.files / f"{self.interface}.conf"
        file.write_text(text)
        stripped = self.machine.run("wg-quick", "strip", str(file))
        assert stripped.returncode == 0, stripped.stderr
        set_ = self.machine.run(
            "wg", "setconf", self.interface, "/dev/stdin", stdin=stripped.stdout
        )
        assert set_.returncode == 0, set_.stderr

    def asked(self, what: str, *arguments: str) -> str:
        """Have the device try something, and give what came of it."""
        return asked(self.machine, what, *arguments)

    def curl(self, url: str, *options: str, trusts: Path | None = None) -> str:
        """Fetch a page as the device does."""
        return self.running.curl(url, *options, trusts=trusts, machine=self.machine)

    def gets_nothing(self, url: str) -> bool:
        """Ask for a page that cannot come, with less patience than for one that can."""
        return self.curl(url, "--max-time", str(2 * SECONDS)).startswith("failed")

    def lines(self, **wanted: str) -> list[dict[str, Any]]:
        """Give the lines of the journal with some values."""
        return [
            line
            for line in self.running.own.journal()
            if all(line.get(key) == value for key, value in wanted.items())
        ]


@contextmanager
def at_home(running: Rehearsal, name: str, *options: str) -> Iterator[Home]:
    """Have a device come in, with WireGuard as a program of its own: no kernel is asked for it."""
    needed("wg", "wg-quick", "wireguard-go")
    machine = running.town.home
    # Its socket has this name in a directory of the whole machine.
    interface = f"wg{os.getpid()}-{next(_NUMBERS)}"
    ip("-n", machine.name, "route", "add", OUTSIDE4, "via", HOME_VIA4)
    log = running.files / "go.log"
    go = machine.start(
        program("env"), "LOG_LEVEL=verbose", program("wireguard-go"), "--foreground", interface,
        log=log,
    )  # fmt: skip
    home = Home(running, machine, interface)
    try:
        # Not by asking "wg", which removes a socket on which nobody listens yet.
        assert eventually(lambda: "UAPI listener started" in log.read_text()), log.read_text()
        text = home.wireguard("add", name, *options)
        home.told(text)
        addresses = next(line for line in text.splitlines() if line.startswith("Address = "))
        for address in addresses.removeprefix("Address = ").split(", "):
            ip("-n", machine.name, "address", "add", address, "dev", interface)
        ip("-n", machine.name, "link", "set", interface, "mtu", "1280", "up")
        for half in ("0.0.0.0/1", "128.0.0.0/1", "::/0"):
            ip("-n", machine.name, "route", "add", half, "dev", interface)
        place = Path("/etc/netns") / machine.name
        place.mkdir(parents=True, exist_ok=True)
        (place / "resolv.conf").write_text(f"nameserver {OWN4}\noptions timeout:5 attempts:3\n")
        yield home
    finally:
        with suppress(ProcessLookupError):
            go.terminate()
        go.wait()
        ip("-n", machine.name, "route", "delete", OUTSIDE4)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    files = tmp_path_factory.mktemp("town")
    with rehearsed(files, tunnels=TUNNELS) as running, at_home(running, "library-ipad-3") as there:
        # Until its workers know the device.
        assert eventually(lambda: there.curl(f"https://{READ}/") == f"2 200 {HELLO}")
        yield there


@pytest.mark.parametrize("family", ["-4", "-6"])
@pytest.mark.parametrize(
    ("url", "options", "want"),
    [
        pytest.param(f"http://{READ}/", [], f"1.1 200 {HELLO}", id="HTTP"),
        pytest.param(f"https://{READ}/", [], f"2 200 {HELLO}", id="HTTPS"),
        pytest.param(f"http://{BLOCKED}/", [], f"1.1 403 {CLAUSE}", id="HTTP, blocked"),
        pytest.param(f"https://{BLOCKED}/", [], f"1.1 403 {CLAUSE}", id="HTTPS, blocked"),
    ],
)
def test_the_web_is_filtered_at_home(
    home: Home, family: str, url: str, options: list[str], want: str
) -> None:
    assert home.curl(url, family, *options) == want


def test_what_is_not_read_has_the_certificate_of_its_site(home: Home) -> None:
    pinned = home.running.files / "origin-ca.pem"
    assert home.curl(f"https://{PASSED}/", trusts=pinned) == f"2 200 {HELLO}"
    assert home.curl(f"https://{READ}/", trusts=pinned) == "failed 60"


def test_a_browser_that_was_told_of_the_proxy_finds_it(home: Home) -> None:
    for own in (INSIDE4, OWN4):
        proxy = ("--proxy", f"http://{own}:8080")
        assert home.curl(f"https://{READ}/", *proxy) == f"2 200 {HELLO}"
        assert home.curl(f"https://{BLOCKED}/", *proxy) == f"1.1 403 {CLAUSE}"


@pytest.mark.parametrize("transport", ["udp", "tcp"])
@pytest.mark.parametrize("server", ["8.8.8.8", "2001:4860:4860::8888", OWN4, OWN6])
def test_the_gateway_answers_for_names(home: Home, server: str, transport: str) -> None:
    assert home.asked("dns", server, READ, "1", transport) == json.dumps([0, [NET4]])
    assert home.asked("dns", server, READ, "28", transport) == json.dumps([0, [NET6]])
    canary = home.asked("dns", server, "use-application-dns.net", "1", transport)
    assert canary == json.dumps([3, []])


def test_the_journal_names_the_device_and_its_address_in_the_tunnel(home: Home) -> None:
    home.curl(f"http://{BLOCKED}/named")
    named = {"host": BLOCKED, "device": "library-ipad-3", "client": "10.99.0.2"}
    assert eventually(lambda: bool(home.lines(**named)))


@pytest.mark.parametrize("place", [NUMBER4, NUMBER6], ids=["IPv4", "IPv6"])
@pytest.mark.parametrize(
    ("way", "port", "kind"),
    [
        pytest.param("udp", 443, "quic", id="QUIC"),
        pytest.param("tcp", 853, "dns_over_tls", id="DNS over TLS"),
        pytest.param("udp", 853, "dns_over_tls", id="DNS over QUIC"),
        pytest.param("udp", 51820, "tunnels", id="WireGuard"),
        pytest.param("tcp", 1194, "tunnels", id="OpenVPN over TCP"),
        pytest.param("tcp", 1080, "others", id="SOCKS outside"),
        pytest.param("tcp", 4444, "others", id="any other port"),
    ],
)
def test_beside_the_web_nothing_leaves(
    home: Home, place: str, way: str, port: int, kind: str
) -> None:
    here = home.running.town
    got = asked(here.gateway, way, place, str(port), *(["68656c6c6f"] if way == "tcp" else []))
    assert got.startswith(("answered", "open"))
    before, reached = _refused(home, kind), len(home.running.seen())
    assert home.asked(way, place, str(port)) in SAYS_NOTHING
    assert eventually(lambda: _refused(home, kind) > before)
    assert len(home.running.seen()) == reached


def _refused(home: Home, kind: str) -> float:
    ended = home.running.town.gateway.run(program("curl"), "-sS", "http://127.0.0.1:9180/metrics")
    wanted = f'schoolgate_tunnel_refused_total{{kind="{kind}"}} '
    found = [line for line in ended.stdout.splitlines() if line.startswith(wanted)]
    return float(found[0].removeprefix(wanted)) if found else 0.0


@pytest.mark.parametrize("port", ["443", "22", "8000", "9180"])
def test_the_gateways_own_ports_are_no_devices(home: Home, port: str) -> None:
    for own in (INSIDE4, OWN4):
        assert home.asked("tcp", own, port, "00") in SAYS_NOTHING


def test_nobody_uses_the_address_of_another_device(home: Home) -> None:
    before = _refused(home, "spoofed")
    machine, interface = home.machine, home.interface
    ip("-n", machine.name, "address", "add", "10.99.0.9/32", "dev", interface)
    try:
        away = ("-4", "--interface", "10.99.0.9", "--max-time", str(2 * SECONDS))
        assert home.curl(f"https://{READ}/", *away).startswith("failed")
    finally:
        ip("-n", machine.name, "address", "delete", "10.99.0.9/32", "dev", interface)
    assert eventually(lambda: _refused(home, "spoofed") > before)
    assert not home.lines(client="10.99.0.9")


def test_nobody_in_school_uses_the_address_of_a_device_at_home(home: Home) -> None:
    device = home.running.town.device
    ip("-n", device.name, "address", "add", "10.99.0.2/32", "dev", "dev0")
    counted = home.running.town.counter("others")
    try:
        got = home.running.curl(
            f"https://{READ}/", "-4", "--interface", "10.99.0.2", "--max-time", str(SECONDS)
        )
    finally:
        ip("-n", device.name, "address", "delete", "10.99.0.2/32", "dev", "dev0")
    assert got.startswith("failed")
    # By the rules, or by the kernel, which expects that address elsewhere.
    assert home.running.town.counter("others") >= counted


def test_from_outside_only_the_tunnel_is_open(home: Home) -> None:
    internet = home.running.town.internet
    for port in ("8080", "8081", "53"):
        assert asked(internet, "tcp", OUTSIDE4, port, "00") == "silent"
    assert asked(internet, "udp", OUTSIDE4, str(PORT)) == "silent"


def test_the_list_and_the_doctor_tell_of_the_device(home: Home) -> None:
    def is_seen() -> bool:
        line = next(x for x in home.wireguard("list").splitlines() if "library-ipad-3" in x)
        return "ago" in line and "never" not in line

    assert eventually(is_seen)
    command = [*gateway.COMMAND, "doctor", "--config", str(home.running.own.config)]
    found = home.running.town.gateway.run(*command).stdout.splitlines()
    assert any(line.startswith("ok") and "1 device at home, 1 heard of" in line for line in found)


def test_a_device_is_cut_off_when_it_is_removed_and_comes_back_with_another_key(
    tmp_path: Path,
) -> None:
    with (
        rehearsed(tmp_path, tunnels=TUNNELS) as running,
        at_home(running, "laptop", "--group", "staff") as there,
    ):
        assert eventually(lambda: there.curl(f"https://{READ}/") == f"2 200 {HELLO}")
        old = (tmp_path / f"{there.interface}.conf").read_text()
        there.wireguard("remove", "laptop")
        assert eventually(lambda: there.asked("tcp", NET4, "80", "00") == "silent")
        assert there.gets_nothing(f"https://{READ}/")
        there.told(there.wireguard("add", "laptop"))
        assert eventually(lambda: there.curl(f"https://{READ}/") == f"2 200 {HELLO}")
        there.told(old)
        assert there.gets_nothing(f"https://{READ}/")


def test_without_the_gateway_a_tunnel_carries_nothing(tmp_path: Path) -> None:
    with (
        rehearsed(tmp_path, tunnels=TUNNELS, ends=-signal.SIGKILL) as running,
        at_home(running, "laptop") as there,
    ):
        assert eventually(lambda: there.curl(f"https://{READ}/") == f"2 200 {HELLO}")
        own = running.own
        # Its own process first, which is made anew: the device comes in again by itself.
        for pid in own.processes("tunnels"):
            os.kill(pid, signal.SIGKILL)
        assert eventually(lambda: there.curl(f"https://{READ}/") == f"2 200 {HELLO}")
        for pid in (own.process.pid, *own.processes(), *own.processes("metrics")):
            os.kill(pid, signal.SIGKILL)
        own.process.wait()
        reached = len(running.seen())
        for url in (f"https://{READ}/", f"http://{READ}/", f"https://{PASSED}/"):
            assert there.gets_nothing(url)
        assert len(running.seen()) == reached


def test_keys_are_the_services_alone(home: Home) -> None:
    directory = home.running.own.state / "wireguard"
    assert directory.stat().st_mode & 0o777 == 0o700
    for file in directory.iterdir():
        assert file.stat().st_mode & 0o077 == 0 or file.suffix == ".lock"
    config = yaml.safe_load(home.running.own.config.read_text())
    assert config["wireguard"] == TUNNELS
    private = (home.running.files / f"{home.interface}.conf").read_text().split("PrivateKey = ")[1]
    key = private.partition("\n")[0]
    assert all(key not in file.read_text() for file in directory.iterdir())
