"""Tunnels, hellos that hide where they go and names within others: tried from the device, and closed."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.gateway import eventually
from tests.hellos import hello
from tests.system.namespaces import (
    NET4,
    NET6,
)
from tests.system.trying import (
    BLOCKED,
    GAMBLING,
    NUMBERS,
    PASSED,
    PROXIES,
    READ,
    WEBSOCKET,
    Town,
    asked2,
    closed,
    every_way_in,
    page,
    redirected,
    tried,
)

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with tried(tmp_path_factory.mktemp("ways")) as running:
        yield running


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
