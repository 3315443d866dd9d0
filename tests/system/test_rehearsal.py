"""A device, the gateway and the internet in network namespaces: every way in, and the ways round it."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests import gateway
from tests.gateway import PATIENCE_SECONDS, Gateway, eventually
from tests.system.conftest import program
from tests.system.namespaces import (
    DEVICE4,
    INSIDE4,
    INSIDE6,
    NET4,
    NET6,
    NUMBER4,
    NUMBER6,
    RESOLVER4,
    RESOLVER6,
    Machine,
    Town,
    needed,
    town,
)  # fmt: skip

pytestmark = pytest.mark.long

BLOCKED, READ, PASSED = "www.bet365.com", "origin.test", "www.khanacademy.org"
CLAUSE = "W-6.3.1-gambling"
HELLO = "origin says hello"
# With or without a reset, as what was said has been read or not.
CLOSED = ("open", "cut Connection reset by peer")
NETWORK: dict[str, Any] = {
    "inside": ["eth1"],
    "outside": ["eth0"],
    "addresses": [INSIDE4, INSIDE6],
    "name_servers": [RESOLVER4],
    "leases": ["10.20.0.50-10.20.0.60"],
    "administration": ["10.20.1.0/28"],
}
# A name whose record of type HTTPS hints at HTTP/3: priority 1, no other name, alpn=h3.
HINTED = "hinted.test"
HINT = "00010000010003026833"


@dataclass
class Rehearsal:
    """The town with everything in it running."""

    town: Town
    own: Gateway
    files: Path

    def device(self, what: str, *arguments: str) -> str:
        """Have the device try something, and give what came of it."""
        return asked(self.town.device, what, *arguments)

    def curl(
        self, url: str, *options: str, trusts: Path | None = None, machine: Machine | None = None
    ) -> str:
        """Fetch a page as a device, and give its HTTP version, status, clause and text."""
        ca_file = trusts or self.own.ca_file
        ended = (machine or self.town.device).run(
            program("curl"), "--silent", "--show-error", "--max-time", "30", "--noproxy", "",
            "--cacert", str(ca_file), *options,
            "--write-out", "\n%{http_version} %{response_code} %header{x-schoolgate-clause}", url,
        )  # fmt: skip
        if ended.returncode != 0:
            return f"failed {ended.returncode}"
        text, _, last = ended.stdout.rpartition("\n")
        return f"{last.strip()} {HELLO if HELLO in text else ''}".strip()

    def seen(self) -> list[dict[str, Any]]:
        """Give what has reached the internet so far."""
        file = self.files / "seen.jsonl"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def asked(machine: Machine, what: str, *arguments: str) -> str:
    ended = machine.run(sys.executable, "-m", "tests.system.asking", what, *arguments)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.strip()


def _configure(files: Path, tunnels: dict[str, Any] | None = None, **network: Any) -> Path:
    return gateway.write_config(
        files,
        wireguard=tunnels or {},
        proxy={
            "listen": "[::]:8080",
            "transparent_listen": "[::]:8081",
            "allow_private_destinations": ["198.18.0.0/24", "2001:2::/48"],
            "upstream_ca": str(files / "origin-ca.pem"),
            "tunnel_ports": [443],
        },
        network={**NETWORK, "counters_file": str(files / "counters.json"), **network},
        # In a namespace of its own, where it is free.
        metrics={"listen": "127.0.0.1:9180"},
    )


def _printed(config: Path, part: str) -> str:
    ended = gateway.schoolgate("gateway", part, "--config", str(config))
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def _start_internet(here: Town, files: Path) -> None:
    log = files / "internet.log"
    here.internet.start(sys.executable, "-m", "tests.system.internet", str(files), log=log)
    here.internet.start(
        program("dnsmasq"), "--keep-in-foreground", "--conf-file=/dev/null", "--user=root",
        "--pid-file=", "--no-resolv", "--no-hosts", f"--address=/#/{NET4}", f"--address=/#/{NET6}",
        f"--dns-rr={HINTED},65,{HINT}", log=log,
    )  # fmt: skip
    assert eventually((files / "up").exists), log.read_text()


def _prepare_gateway(here: Town, config: Path) -> None:
    """Do what the package's units do: the kernel, the rules, names and addresses."""
    files = config.parent
    (files / "sysctl.conf").write_text(_printed(config, "sysctl"))
    here.gateway.run(program("sysctl"), "--quiet", "--load", str(files / "sysctl.conf"))
    applied = here.gateway.run(*gateway.COMMAND, "gateway", "apply", "--config", str(config))
    assert applied.returncode == 0, applied.stderr
    (files / "dnsmasq.conf").write_text(_printed(config, "dnsmasq"))
    here.gateway.start(
        program("dnsmasq"), "--keep-in-foreground", f"--conf-file={files / 'dnsmasq.conf'}",
        "--user=root", "--pid-file=", f"--dhcp-leasefile={files / 'leases'}", "--no-hosts",
        log=files / "dnsmasq.log",
    )  # fmt: skip


@contextmanager
def rehearsed(
    files: Path, *, ends: int = 0, tunnels: dict[str, Any] | None = None, **network: Any
) -> Iterator[Rehearsal]:
    """Have everything running until the gateway ends with a code."""
    needed("curl", "sysctl")
    with town() as here:
        _start_internet(here, files)
        config = _configure(files, tunnels, **network)
        _prepare_gateway(here, config)
        command = here.gateway.command(*gateway.COMMAND)
        with gateway.running(config, command, ends=ends) as own:
            yield Rehearsal(here, own, files)


@pytest.fixture(scope="module")
def town_hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rehearsal]:
    with rehearsed(tmp_path_factory.mktemp("town")) as running:
        yield running


# -- the ways in ------------------------------------------------------------------------------------


@pytest.mark.parametrize("family", ["-4", "-6"])
@pytest.mark.parametrize(
    ("url", "options", "want"),
    [
        pytest.param(f"http://{READ}/", [], f"1.1 200 {HELLO}", id="HTTP"),
        pytest.param(f"https://{READ}/", ["--http1.1"], f"1.1 200 {HELLO}", id="HTTPS"),
        pytest.param(f"https://{READ}/", [], f"2 200 {HELLO}", id="HTTP/2"),
        pytest.param(f"http://{BLOCKED}/", [], f"1.1 403 {CLAUSE}", id="HTTP, blocked"),
        pytest.param(f"https://{BLOCKED}/", [], f"1.1 403 {CLAUSE}", id="HTTPS, blocked"),
        pytest.param(
            f"http://{READ}/", ["--data", "a=b"], f"1.1 200 {HELLO}", id="a form"
        ),
        pytest.param(
            f"http://{BLOCKED}/", ["--data", "a=b"], f"1.1 403 {CLAUSE}", id="a form, blocked"
        ),
    ],
)  # fmt: skip
def test_redirected_connections_are_filtered(
    town_hall: Rehearsal, family: str, url: str, options: list[str], want: str
) -> None:
    assert town_hall.curl(url, family, *options) == want


@pytest.mark.parametrize("place", [INSIDE4, f"[{INSIDE6}]"], ids=["IPv4", "IPv6"])
@pytest.mark.parametrize(
    ("host", "want"), [(READ, f"2 200 {HELLO}"), (BLOCKED, f"1.1 403 {CLAUSE}")]
)
def test_the_explicit_proxy_filters(town_hall: Rehearsal, place: str, host: str, want: str) -> None:
    assert town_hall.curl(f"https://{host}/", "--proxy", f"http://{place}:8080") == want


def test_a_client_that_trusts_its_own_authority_alone_works_where_nothing_is_read(
    town_hall: Rehearsal,
) -> None:
    pinned = town_hall.files / "origin-ca.pem"
    assert town_hall.curl(f"https://{PASSED}/", trusts=pinned) == f"2 200 {HELLO}"
    assert town_hall.curl(f"https://{READ}/", trusts=pinned) == "failed 60"


def test_the_address_that_was_connected_to_is_never_the_one_that_is_reached(
    town_hall: Rehearsal,
) -> None:
    elsewhere = f"{PASSED}:443:{NUMBER4}"
    pinned = town_hall.files / "origin-ca.pem"
    got = town_hall.curl(f"https://{PASSED}/", "--resolve", elsewhere, trusts=pinned)
    assert got == f"2 200 {HELLO}"
    assert {line["server"] for line in town_hall.seen() if line["way"] == "https"} <= {NET4, NET6}


@pytest.mark.parametrize(
    "url",
    [f"http://{INSIDE4}/wpad.dat", "http://wpad/wpad.dat", f"http://{INSIDE4}:8080/proxy.pac"],
)
def test_the_pac_file_is_found(town_hall: Rehearsal, url: str) -> None:
    ended = town_hall.town.device.run(program("curl"), "-sS", "--include", "--max-time", "30", url)
    head, _, body = ended.stdout.replace("\r", "").partition("\n\n")
    assert "Content-Type: application/x-ns-proxy-autoconfig" in head
    assert body == _printed(town_hall.own.config, "pac")


def test_devices_hear_of_the_pac_file_with_their_address(town_hall: Rehearsal) -> None:
    assert town_hall.device("dhcp", "dev0") == f"http://{INSIDE4}/wpad.dat"


def test_the_doctor_finds_everything_well(town_hall: Rehearsal) -> None:
    command = [*gateway.COMMAND, "doctor", "--config", str(town_hall.own.config)]
    found = town_hall.town.gateway.run(*command).stdout.splitlines()
    assert not [line for line in found if line.startswith("FAULT")]
    assert any(line.startswith("ok") and " rules: loaded" in line for line in found)
    assert any(f" names at {INSIDE4}: schoolgate.internal" in line for line in found)
    for said in (
        "QUIC: refused", f"name server {RESOLVER4}: it answers", f"canary names at {INSIDE6}: ",
        "workers: 2 of 2", "blocked categories: a site of each is refused",
    ):  # fmt: skip
        assert any(line.startswith("ok") and said in line for line in found), said


def test_what_the_packet_filter_refuses_is_counted_and_told(town_hall: Rehearsal) -> None:
    own = town_hall.own
    assert town_hall.device("udp", NUMBER4, "443") == "refused"
    command = [*gateway.COMMAND, "gateway", "count", "--config", str(own.config)]
    counted = town_hall.town.gateway.run(*command)
    assert counted.returncode == 0, counted.stderr
    packets = int(re.findall(r"quic (\d+)", counted.stdout)[0])
    assert packets > 0

    def told() -> int:
        lines = [line for line in own.journal() if line["event"] == "circumvention.seen"]
        return sum(line.get("count", 0) for line in lines if line["kind"] == "quic")

    assert eventually(lambda: told() == packets)
    seen = town_hall.town.gateway.run(
        program("curl"), "-sS", "http://127.0.0.1:9180/metrics"
    ).stdout
    assert f'schoolgate_circumvention_total{{kind="quic"}} {packets}.0' in seen
    assert (own.state / "refused.json").exists()


# -- the ways round ---------------------------------------------------------------------------------


@pytest.mark.parametrize("place", [NUMBER4, NUMBER6], ids=["IPv4", "IPv6"])
@pytest.mark.parametrize(
    ("way", "port", "counter"),
    [
        pytest.param("udp", 443, "quic", id="QUIC"),
        pytest.param("udp", 853, "dns_over_tls", id="DNS over QUIC"),
        pytest.param("tcp", 853, "dns_over_tls", id="DNS over TLS"),
        pytest.param("udp", 51820, "tunnels", id="WireGuard"),
        pytest.param("udp", 1194, "tunnels", id="OpenVPN"),
        pytest.param("tcp", 1194, "tunnels", id="OpenVPN over TCP"),
        pytest.param("tcp", 1080, "others", id="SOCKS outside"),
        pytest.param("tcp", 4444, "others", id="any other port"),
    ],
)
def test_beside_the_web_nothing_leaves(
    town_hall: Rehearsal, place: str, way: str, port: int, counter: str
) -> None:
    here = town_hall.town
    # It answers, to whoever is let through.
    got = asked(here.gateway, way, place, str(port), *(["68656c6c6f"] if way == "tcp" else []))
    assert got.startswith(("answered", "open"))
    before, reached = here.counter(counter), len(town_hall.seen())
    assert town_hall.device(way, place, str(port)) == "refused"
    assert here.counter(counter) > before
    assert len(town_hall.seen()) == reached


@pytest.mark.parametrize("transport", ["udp", "tcp"])
@pytest.mark.parametrize("server", ["8.8.8.8", "2001:4860:4860::8888", INSIDE4, INSIDE6])
def test_whichever_name_server_is_asked_the_gateway_answers(
    town_hall: Rehearsal, server: str, transport: str
) -> None:
    assert town_hall.device("dns", server, READ, "1", transport) == json.dumps([0, [NET4]])
    assert town_hall.device("dns", server, READ, "28", transport) == json.dumps([0, [NET6]])


@pytest.mark.parametrize(
    ("name", "kind", "want"),
    [
        pytest.param("use-application-dns.net", "1", [3, []], id="Firefox's canary"),
        pytest.param("mask.icloud.com", "1", [3, []], id="Private Relay"),
        pytest.param("mask-h2.icloud.com", "28", [3, []], id="Private Relay by HTTP/2"),
        pytest.param(HINTED, "65", [0, []], id="a hint at HTTP/3"),
        pytest.param("schoolgate.internal", "1", [0, [INSIDE4]], id="the portal"),
        pytest.param("schoolgate.internal", "28", [0, [INSIDE6]], id="the portal by IPv6"),
        pytest.param("wpad", "1", [0, [INSIDE4]], id="the PAC file"),
    ],
)
def test_names_about_the_filter_are_answered_as_browsers_want(
    town_hall: Rehearsal, name: str, kind: str, want: list[Any]
) -> None:
    assert town_hall.device("dns", INSIDE4, name, kind) == json.dumps(want)


def test_the_hint_is_there_to_be_filtered(town_hall: Rehearsal) -> None:
    got = asked(town_hall.town.gateway, "dns", RESOLVER6, HINTED, "65")
    assert got == json.dumps([0, [65]])


@pytest.mark.parametrize("place", [NUMBER4, NUMBER6], ids=["IPv4", "IPv6"])
def test_what_names_no_site_reaches_none(town_hall: Rehearsal, place: str) -> None:
    reached = len(town_hall.seen())
    ca_file = str(town_hall.own.ca_file)
    assert town_hall.device("tls", place, "443", "", ca_file).startswith("cut")
    socks = "050100"
    assert town_hall.device("tcp", place, "443", socks) in CLOSED
    host = f"[{place}]" if ":" in place else place
    assert town_hall.curl(f"https://{host}/").startswith("failed")
    assert len(town_hall.seen()) == reached

    def is_written() -> bool:
        hosts = [line.get("host") for line in town_hall.own.journal()]
        return hosts.count(host) >= 2

    assert eventually(is_written)


def test_whoever_connects_straight_to_the_port_for_redirected_connections_is_refused(
    town_hall: Rehearsal,
) -> None:
    assert town_hall.device("tcp", INSIDE4, "8081", "474554") == "refused"


def test_what_a_school_does_not_serve_is_closed_inside_and_outside(town_hall: Rehearsal) -> None:
    assert town_hall.device("tcp", INSIDE4, "22", "00") == "refused"
    for port in ("8080", "8081", "53"):
        assert asked(town_hall.town.internet, "tcp", "198.18.0.2", port, "00") == "silent"


# -- a browser ----------------------------------------------------------------------------------------


class Browser:
    """Chromium on the device, with QUIC and DNS over HTTPS as they come."""

    def __init__(self, running: Rehearsal, home: Path) -> None:
        needed("chromium", "certutil")
        self._device = running.town.device
        self._home = home
        nss = home / ".pki" / "nssdb"
        nss.mkdir(parents=True)
        certutil = [program("certutil"), "-d", f"sql:{nss}"]
        subprocess.run([*certutil, "-N", "--empty-password"], check=True)
        subprocess.run(
            [*certutil, "-A", "-t", "C,,", "-n", "sg", "-i", str(running.own.ca_file)], check=True
        )
        data = home / "data"
        data.mkdir()
        doh = {"mode": "automatic", "templates": "https://dns.google/dns-query{?dns}"}
        (data / "Local State").write_text(json.dumps({"dns_over_https": doh}))

    def page(self, url: str, *options: str) -> str:
        """Give what is on the screen."""
        ended = self._device.run(
            "env", f"HOME={self._home}", program("chromium"), "--headless", "--no-sandbox",
            "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
            f"--user-data-dir={self._home / 'data'}", *options, "--dump-dom", url,
        )  # fmt: skip
        return ended.stdout


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_browser_with_quic_and_doh_left_on_gets_the_block_page(
    town_hall: Rehearsal, tmp_path: Path, scheme: str
) -> None:
    page = Browser(town_hall, tmp_path).page(f"{scheme}://{BLOCKED}/", "--enable-quic")
    assert "This page is blocked" in page
    assert CLAUSE in page


@pytest.mark.parametrize(
    "option",
    [f"--proxy-pac-url=http://{INSIDE4}/wpad.dat", "--proxy-auto-detect"],
    ids=["PAC", "WPAD"],
)
def test_a_browser_follows_the_pac_file(town_hall: Rehearsal, tmp_path: Path, option: str) -> None:
    browser = Browser(town_hall, tmp_path)
    with _only_the_proxy(town_hall.town):
        assert HELLO in browser.page(f"https://{READ}/", option)
        assert CLAUSE in browser.page(f"https://{BLOCKED}/", option)


@contextmanager
def _only_the_proxy(here: Town) -> Iterator[None]:
    """Turn nothing to the filter meanwhile, so that only who asks the proxy gets anywhere."""
    rule = [
        "nft",
        "insert",
        "rule",
        "inet",
        "schoolgate",
        "redirected",
        "tcp",
        "dport",
        "443",
        "return",
    ]
    assert here.gateway.run(*rule).returncode == 0
    try:
        yield
    finally:
        listed = here.gateway.run(
            "nft", "--handle", "list", "chain", "inet", "schoolgate", "redirected"
        )
        handle = next(
            line.rpartition(" ")[2]
            for line in listed.stdout.splitlines()
            if "dport 443 return" in line
        )
        where = ["inet", "schoolgate", "redirected", "handle", handle]
        here.gateway.run("nft", "delete", "rule", *where)


# -- closed when it fails -----------------------------------------------------------------------------


def nothing_passes(running: Rehearsal) -> None:
    """See that nothing of the web or beside it comes through."""
    reached = len(running.seen())
    for family in ("-4", "-6"):
        for url in (f"https://{READ}/", f"http://{READ}/", f"https://{PASSED}/"):
            assert running.curl(url, family).startswith("failed")
    for place in (NUMBER4, NUMBER6):
        for way, port in (("tcp", "4444"), ("tcp", "443"), ("udp", "443")):
            assert running.device(way, place, port) in ("refused", "silent")
    assert len(running.seen()) == reached


def test_without_workers_nothing_passes(tmp_path: Path) -> None:
    with rehearsed(tmp_path, ends=-signal.SIGKILL) as running:
        assert running.curl(f"https://{READ}/") == f"2 200 {HELLO}"
        own = running.own
        for pid in (own.process.pid, *own.processes(), *own.processes("metrics")):
            os.kill(pid, signal.SIGKILL)
        own.process.wait(PATIENCE_SECONDS)
        nothing_passes(running)


def test_rules_are_loaded_whole_or_not_at_all(tmp_path: Path) -> None:
    needed("sysctl")
    config = _configure(tmp_path, bypass=[f"{DEVICE4}/32"])
    broken = _printed(config, "rules").replace("policy drop;", "policy perhaps;")
    with town() as here:
        _start_internet(here, tmp_path)
        (tmp_path / "sysctl.conf").write_text(_printed(config, "sysctl"))
        here.gateway.run(program("sysctl"), "--quiet", "--load", str(tmp_path / "sysctl.conf"))
        ask = ("tcp", NUMBER4, "4444", "00")
        # From boot: nothing is loaded, and nothing is forwarded.
        assert here.gateway.run("nft", "-f", "-", stdin=broken).returncode != 0
        assert asked(here.device, *ask) == "silent"
        for _ in range(2):
            done = here.gateway.run(*gateway.COMMAND, "gateway", "apply", "--config", str(config))
            assert done.returncode == 0, done.stderr
            before = here.gateway.run("nft", "list", "table", "inet", "schoolgate").stdout
        # A device that goes round the filter does so, by the family that is written down.
        assert asked(here.device, *ask) == "open 00"
        assert asked(here.device, "tcp", NUMBER6, "4444", "00") == "refused"
        assert here.gateway.run("nft", "-f", "-", stdin=broken).returncode != 0
        counted = here.gateway.run("nft", "list", "table", "inet", "schoolgate").stdout
        assert _without_counts(counted) == _without_counts(before)
        assert asked(here.device, "tcp", NUMBER6, "4444", "00") == "refused"
        here.gateway.run(*gateway.COMMAND, "gateway", "close", "--config", str(config))
        assert asked(here.device, *ask) == "silent"


def _without_counts(rules: str) -> str:
    return re.sub(r"packets \d+ bytes \d+", "", rules)
