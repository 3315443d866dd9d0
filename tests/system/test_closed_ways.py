"""Each way round the filter, tried from the device as programs do it: closed, counted, written down.

Over IPv4 and IPv6, redirected and through the proxy; what is tried reaches the internet when it is not.
"""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from tests.gateway import PATIENCE_SECONDS, ROOT, eventually
from tests.hellos import hello
from tests.system.namespaces import (
    DEVICE4,
    INSIDE4,
    INSIDE6,
    NET4,
    NET6,
    NUMBER4,
    NUMBER6,
    Machine,
)
from tests.system.test_rehearsal import Rehearsal, rehearsed

pytestmark = pytest.mark.long

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


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    files = tmp_path_factory.mktemp("ways")
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
    assert here.circumventions().get(kind, 0.0) > before
    assert here.reached() == reached


def page(host: str, target: str = "/", *fields: str, method: str = "GET") -> list[str]:
    return [f"{method} {target} HTTP/1.1", f"Host: {host}", *fields]


def asked2(
    host: str, target: str = "/", *fields: tuple[str, str], method: str = "GET"
) -> list[list[str]]:
    names = ((":method", method), (":scheme", "https"), (":authority", host), (":path", target))
    return [list(pair) for pair in (*names, *fields)]


def test_the_gateway_filters_and_the_internet_answers(town: Town) -> None:
    """What is closed below is closed by the filter."""
    for family, is_explicit in WAYS_IN:
        found = town.tries(family, is_explicit=is_explicit, host=READ, sni=READ, lines=page(READ))
        assert (found["status"], found["is_origin"]) == (200, True)
        found = town.tries(
            family, is_explicit=is_explicit, host=READ, sni=READ, alpn="h2", asks=[asked2(READ)]
        )
        assert (found["status"], found["is_origin"]) == (200, True)
        # The origin says where else it is, and clients do not hear it.
        assert "alt-svc" not in found["fields"]


# -- by name: VPNs, proxies, Tor, encrypted DNS, relays ----------------------------------------------


@every_way_in
@pytest.mark.parametrize(
    "host",
    [
        pytest.param("www.nordvpn.com", id="a VPN"),
        pytest.param("www.torproject.org", id="Tor"),
        pytest.param("www.croxyproxy.com", id="a proxy"),
        pytest.param("anonymouse.org", id="an anonymiser"),
        pytest.param("dns.google", id="DNS over HTTPS"),
        pytest.param("one.one.one.one", id="DNS over HTTPS at an address with a name"),
        pytest.param("mask.icloud.com", id="Private Relay"),
        pytest.param("mask-h2.icloud.com", id="Private Relay by HTTP/2"),
        pytest.param("cloudflare-ech.com", id="the outer name of encrypted hellos"),
    ],
)
def test_sites_that_get_round_the_filter_show_why_they_are_closed(
    town: Town, family: int, is_explicit: bool, host: str
) -> None:
    # The names of Private Relay are answered with none; whoever has an address tries it.
    at = {} if is_explicit else {"at": NUMBERS[family]}
    with closed(town, "site"):
        found = town.tries(
            family, is_explicit=is_explicit, host=host, sni=host, lines=page(host), **at
        )
    assert (found["status"], found["clause"]) == (403, BYPASS)
    assert town.has_seen("site", host, family)


@every_way_in
@pytest.mark.parametrize("host", [BLOCKED, "www.nordvpn.com"])
def test_a_blocked_site_is_never_connected_to(
    town: Town, family: int, is_explicit: bool, host: str
) -> None:
    reached = town.reached()
    for alpn in ("http/1.1", "h2"):
        found = town.tries(family, is_explicit=is_explicit, host=host, sni=host, alpn=alpn,
                           at=NUMBERS[family], lines=page(host))  # fmt: skip
        assert found["status"] == 403
    assert town.reached() == reached


# -- by shape -------------------------------------------------------------------------------------------

DNS_MESSAGE = "application/dns-message"


@every_way_in
@pytest.mark.parametrize(
    ("target", "fields", "method"),
    [
        pytest.param(f"/dns-query?dns={DNS_QUERY}", {}, "GET", id="GET"),
        pytest.param("/dns-query", {"accept": DNS_MESSAGE}, "GET", id="asked for by type"),
        pytest.param("/", {"content-type": DNS_MESSAGE}, "POST", id="POST"),
        pytest.param(
            "/a", {"content-type": "Application/DNS-Message"}, "POST", id="POST, in capitals"
        ),
        pytest.param("/a", {"accept": f"text/html, {DNS_MESSAGE}"}, "GET", id="among other types"),
        pytest.param(f"/a?d%6Es={DNS_QUERY}", {}, "GET", id="with an escape"),
    ],
)
@pytest.mark.parametrize("version", [1, 2])
def test_dns_over_https_to_an_open_site_is_closed_by_its_shape(
    town: Town,
    family: int,
    is_explicit: bool,
    target: str,
    fields: dict[str, str],
    method: str,
    version: int,
) -> None:
    sent: dict[str, Any] = (
        {"lines": page(READ, target, *(f"{n}: {v}" for n, v in fields.items()), method=method)}
        if version == 1
        else {"alpn": "h2", "asks": [asked2(READ, target, *fields.items(), method=method)]}
    )
    with closed(town, "doh"):
        found = town.tries(family, is_explicit=is_explicit, host=READ, sni=READ, **sent)
    assert (found["status"], found["clause"]) == (403, BYPASS)
    assert town.has_seen("doh", READ, family)


@pytest.mark.parametrize("family", [4, 6])
@pytest.mark.parametrize("is_tls", [True, False], ids=["https", "http"])
def test_an_address_in_the_place_of_a_name_is_closed_at_the_proxy(
    town: Town, family: int, is_tls: bool
) -> None:
    place = {4: "8.8.8.8", 6: "2001:4860:4860::8888"}[family]
    host = f"[{place}]" if family == 6 else place
    sent: dict[str, Any] = (
        {"sni": "", "lines": page(host, "/dns-query")}
        if is_tls
        else {"port": 80, "is_plain": True, "lines": page(host, f"http://{host}/dns-query")}
    )
    with closed(town, "address"):
        found = town.tries(family, is_explicit=True, host=place, **sent)
    assert (found["status"], found["clause"]) == (403, BYPASS)
    assert town.has_seen("address", place, family)


@redirected
def test_an_address_in_the_place_of_a_name_is_closed_where_it_is_redirected(
    town: Town, family: int
) -> None:
    """Without a name in its hello nobody can say what it is; with one, the address counts for nothing."""
    place = {4: "8.8.8.8", 6: "2001:4860:4860::8888"}[family]
    with closed(town, "tunnel"):
        found = town.tries(family, is_explicit=False, host=place, sni="", lines=page(place))
    assert "status" not in found
    assert town.has_seen("tunnel", place, family)
    with closed(town, "address"):
        host = f"[{place}]" if family == 6 else place
        found = town.tries(family, is_explicit=False, host=place, port=80, lines=page(host))
    assert found["status"] == 403


# -- addresses inside addresses -------------------------------------------------------------------------


@every_way_in
@pytest.mark.parametrize(
    ("host", "target"),
    [
        pytest.param("www-bet365-com.translate.goog", "/?_x_tr_sl=en", id="Google Translate"),
        pytest.param(
            "et365-com.translate.goog", "/?_x_tr_sl=en&_x_tr_hp=www-b", id="with a prefix elsewhere"
        ),
        pytest.param(
            "translate.google.com", f"/translate?sl=en&u=https://{BLOCKED}/", id="by its address"
        ),
        pytest.param(
            "www.translatetheweb.com", f"/?from=&to=en&a=https%3A%2F%2F{BLOCKED}%2F", id="Bing"
        ),
        pytest.param("web.archive.org", f"/web/2020/https://{BLOCKED}/", id="an archive"),
        pytest.param("archive.ph", f"/newest/https://{BLOCKED}/", id="another archive"),
        pytest.param("webcache.googleusercontent.com", f"/search?q=cache:{BLOCKED}/", id="a cache"),
        pytest.param("cdn.ampproject.org", f"/c/s/{BLOCKED}/a", id="AMP"),
        pytest.param("www.google.com", f"/amp/s/{BLOCKED}/a", id="AMP of a search engine"),
        pytest.param("r.jina.ai", f"/https://{BLOCKED}/", id="a reader"),
        pytest.param("12ft.io", f"/https://{BLOCKED}/", id="another reader"),
        pytest.param("wsrv.nl", f"/?url={BLOCKED}/a.png", id="an image proxy"),
        pytest.param("i0.wp.com", f"/{BLOCKED}/a.png", id="another image proxy"),
        pytest.param("corsproxy.io", f"/?https%3A%2F%2F{BLOCKED}", id="a proxy for scripts"),
    ],
)
def test_a_page_within_another_service_is_judged_by_its_own_address(
    town: Town, family: int, is_explicit: bool, host: str, target: str
) -> None:
    with closed(town, "inner-address"):
        found = town.tries(
            family, is_explicit=is_explicit, host=host, sni=host, lines=page(host, target)
        )
    assert (found["status"], found["clause"]) == (403, GAMBLING)
    assert town.has_seen("inner-address", host, family)


# -- tunnels ----------------------------------------------------------------------------------------------


@redirected
@pytest.mark.parametrize("port", [22, 1080, 1194, 8443])
def test_a_tunnel_to_an_odd_port_is_refused(town: Town, family: int, port: int) -> None:
    with closed(town, "odd-port"):
        found = town.tries(family, is_explicit=True, host=READ, port=port, say="00")
    assert (found["status"], found.get("connect")) == (403, True)
    assert town.has_seen("odd-port", READ, family)


@redirected
@pytest.mark.parametrize("port", [53, 853])
def test_a_tunnel_for_names_is_refused(town: Town, family: int, port: int) -> None:
    with closed(town, "dns"):
        found = town.tries(family, is_explicit=True, host=READ, port=port, say="00")
    assert (found["status"], found.get("connect")) == (403, True)


@every_way_in
@pytest.mark.parametrize("host", [READ, PASSED], ids=["read", "passed"])
@pytest.mark.parametrize(
    "said",
    [
        pytest.param(b"SSH-2.0-OpenSSH_10.0\r\n", id="SSH"),
        pytest.param(b"\x00\x0e\x38\x01" + bytes(12), id="OpenVPN"),
        pytest.param(b"\x05\x01\x00", id="SOCKS within"),
    ],
)
def test_what_is_no_tls_on_its_port_ends(
    town: Town, family: int, is_explicit: bool, host: str, said: bytes
) -> None:
    before = town.circumventions().get("tunnel", 0.0)
    found = town.tries(family, is_explicit=is_explicit, host=host, say=said.hex())
    assert found.get("heard", "") == ""
    assert eventually(lambda: town.circumventions().get("tunnel", 0.0) > before)
    assert town.has_seen("tunnel", host if is_explicit else {4: NET4, 6: NET6}[family], family)


@redirected
@pytest.mark.parametrize("host", [READ, PASSED], ids=["read", "passed"])
def test_a_request_in_a_tunnel_for_tls_ends(town: Town, family: int, host: str) -> None:
    """Redirected, a request that names its host is plain HTTP, whichever port it came from."""
    said = b"GET / HTTP/1.1\r\nHost: origin.test\r\n\r\n"
    before = town.circumventions().get("tunnel", 0.0)
    found = town.tries(family, is_explicit=True, host=host, say=said.hex())
    assert found.get("heard", "") == ""
    assert eventually(lambda: town.circumventions().get("tunnel", 0.0) > before)
    assert town.has_seen("tunnel", host, family)


@every_way_in
def test_tls_within_tls_ends(town: Town, family: int, is_explicit: bool) -> None:
    with closed(town, "tls-in-tls"):
        inner = hello("hidden.example").hex()
        found = town.tries(family, is_explicit=is_explicit, host=READ, sni=READ, inner=inner)
        assert found.get("heard", "") == ""
        assert town.has_seen("tls-in-tls", READ, family)


@redirected
@pytest.mark.parametrize("said", ["050100", "040101bbc612000900"], ids=["SOCKS 5", "SOCKS 4"])
def test_socks_is_refused_at_the_proxy(town: Town, family: int, said: str) -> None:
    place, port = PROXIES[family]
    with closed(town, "socks"):
        found = town.tries(family, is_explicit=False, host=place, port=port, say=said)
    assert found["heard"].startswith("05ff" if said.startswith("05") else "005b")


# -- hellos that hide where they go ---------------------------------------------------------------------


@every_way_in
@pytest.mark.parametrize("host", [READ, PASSED], ids=["read", "passed"])
@pytest.mark.parametrize(
    ("said", "kind", "want"),
    [
        pytest.param(hello(None), "no-name", "16", id="no name"),
        pytest.param(hello(READ, has_esni=True), "hidden-name", "16", id="an encrypted name"),
        pytest.param(hello(READ, versions=(0x0302, 0x0301)), "old-tls", "1503", id="TLS 1.1"),
        pytest.param(hello(READ, versions=None, legacy=0x0301), "old-tls", "1503", id="TLS 1.0"),
    ],
)
def test_a_hello_that_hides_its_site_or_is_old_gets_nowhere(
    town: Town, family: int, is_explicit: bool, host: str, said: bytes, kind: str, want: str
) -> None:
    if not is_explicit and kind == "no-name":
        # There is no tunnel's name beside it: nobody can even be told why.
        kind, want = "tunnel", ""
    before, seen = town.circumventions().get(kind, 0.0), len(town.running.seen())
    said = said.replace(READ.encode(), host.encode()) if len(READ) == len(host) else said
    found = town.tries(family, is_explicit=is_explicit, host=host, say=said.hex())
    assert found.get("heard", "").startswith(want)
    assert eventually(lambda: town.circumventions().get(kind, 0.0) > before)
    assert len(town.running.seen()) == seen


@every_way_in
def test_noise_that_looks_like_an_encrypted_hello_is_judged_by_the_name_beside_it(
    town: Town, family: int, is_explicit: bool
) -> None:
    """Browsers send it with every connection: it opens nothing, and closes nothing."""
    reached = town.reached()
    found = town.tries(
        family, is_explicit=is_explicit, host=BLOCKED, say=hello(BLOCKED, has_ech=True).hex()
    )
    assert found["heard"].startswith("16")
    assert town.reached() == reached
    found = town.tries(
        family, is_explicit=is_explicit, host=PASSED, say=hello(PASSED, has_ech=True).hex()
    )
    assert found["heard"].startswith("16")
    assert town.reached() > reached


# -- one name outside, another one within ---------------------------------------------------------------


@every_way_in
@pytest.mark.parametrize(
    "sent",
    [
        pytest.param({"lines": page(BLOCKED)}, id="Host"),
        pytest.param({"lines": page(READ, f"https://{BLOCKED}/")}, id="in the request line"),
        pytest.param({"alpn": "h2", "asks": [asked2(BLOCKED)]}, id=":authority"),
        pytest.param(
            {"alpn": "h2", "asks": [asked2(READ, "/", ("host", BLOCKED))]}, id="Host over HTTP/2"
        ),
        pytest.param(
            {"alpn": "h2", "asks": [asked2(READ), asked2(BLOCKED)]}, id="a connection for both"
        ),
        pytest.param({"lines": page(BLOCKED, "/", *WEBSOCKET)}, id="WebSocket"),
    ],
)
def test_the_stricter_of_two_names_holds(
    town: Town, family: int, is_explicit: bool, sent: dict[str, Any]
) -> None:
    before = town.circumventions().get("fronting", 0.0)
    found = town.tries(family, is_explicit=is_explicit, host=READ, sni=READ, **sent)
    assert found.get("status") in (403, 400, None)
    assert not found.get("is_origin")
    if found.get("status") == 403:
        assert found["clause"] == GAMBLING
        assert eventually(lambda: town.circumventions().get("fronting", 0.0) > before)
    assert all(line.get("host") != BLOCKED for line in town.running.seen())


@every_way_in
@pytest.mark.parametrize("port", [443, 80], ids=["wss", "ws"])
def test_a_websocket_to_a_blocked_site_is_refused(
    town: Town, family: int, is_explicit: bool, port: int
) -> None:
    reached = town.reached()
    fields = ("Connection: Upgrade", *WEBSOCKET)
    sent: dict[str, Any] = {"lines": page(BLOCKED, "/ws", *fields)}
    if port == 443:
        sent["sni"] = BLOCKED
    elif is_explicit:
        sent = {"is_plain": True, "lines": page(BLOCKED, f"http://{BLOCKED}/ws", *fields)}
    found = town.tries(family, is_explicit=is_explicit, host=BLOCKED, port=port, **sent)
    assert (found["status"], found["clause"]) == (403, GAMBLING)
    assert town.reached() == reached


@every_way_in
@pytest.mark.parametrize("authority", [READ, BLOCKED])
def test_a_websocket_over_http2_gets_nowhere(
    town: Town, family: int, is_explicit: bool, authority: str
) -> None:
    """The gateway does not say that it speaks RFC 8441; whoever asks all the same has no tunnel."""
    asked = [[":method", "CONNECT"], [":protocol", "websocket"], [":scheme", "https"],
             [":authority", authority], [":path", "/ws"]]  # fmt: skip
    found = town.tries(
        family, is_explicit=is_explicit, host=READ, sni=READ, alpn="h2", asks=[asked]
    )
    assert found.get("status") != 200
    assert all(line.get("host") != BLOCKED for line in town.running.seen())


@redirected
@pytest.mark.parametrize(
    "said",
    [
        pytest.param([f"GET http://{BLOCKED}/ HTTP/1.1", f"Host: {READ}"], id="absolute"),
        pytest.param(["GET / HTTP/1.1", f"Host: {BLOCKED}."], id="a dot at the end"),
        pytest.param(["GET / HTTP/1.1", f"Host: {BLOCKED.upper()}:80"], id="capitals and a port"),
        pytest.param(["GET / HTTP/1.1", f"Host: {READ}", f"Host: {BLOCKED}"], id="two hosts"),
        pytest.param(["GET / HTTP/1.1", f"Host: {BLOCKED}@{READ}"], id="userinfo"),
        pytest.param(["GET / HTTP/1.1", f"X: y\n\tHost: {READ}", f"Host: {BLOCKED}"], id="lines"),
        pytest.param(
            [*page(READ), "", f"GET / HTTP/1.1\r\nHost: {BLOCKED}"], id="the second request"
        ),
        pytest.param([f"CONNECT {BLOCKED}:443 HTTP/1.1", f"Host: {BLOCKED}"], id="a tunnel"),
        pytest.param(
            ["PROXY TCP4 10.20.1.1 10.20.0.1 1 2", f"GET / HTTP/1.1\r\nHost: {BLOCKED}"],
            id="an announcement",
        ),
    ],
)
def test_a_redirected_request_is_judged_however_it_is_spelt(
    town: Town, family: int, said: list[str]
) -> None:
    found = town.tries(
        family, is_explicit=False, host=READ, port=80, at=NUMBERS[family], lines=said
    )
    assert not found.get("is_origin") or said[0] == page(READ)[0]
    assert all(line.get("host") != BLOCKED for line in town.running.seen())


# -- QUIC -------------------------------------------------------------------------------------------------


@redirected
def test_http3_is_there_and_does_not_get_through(town: Town, family: int) -> None:
    place = {4: NET4, 6: NET6}[family]
    found = town.at_gateway.ask(is_quic=True, host=READ, at=place)
    assert found == {"status": 200}
    before, reached = town.running.town.counter("quic"), town.reached()
    assert "cut" in town.device.ask(is_quic=True, host=READ, at=place)
    assert town.running.town.counter("quic") > before
    assert town.reached() == reached
