"""Redirected connections at the gate: what names a site is decided by that name, all else ends."""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest

from schoolgate.core.policy import Inspection, InspectionMode, NamesOnly
from schoolgate.proxy.gate.gate import Bounds
from schoolgate.proxy.gate.original import Place, original_destination
from schoolgate.proxy.gate.redirected import named_host
from schoolgate.services.engines import Engines
from tests.core.policy.example import engine
from tests.gateway import PATIENCE_SECONDS
from tests.proxy.gate.stage import BLOCKED, Stage, closed, own_leaf, staged

WHERE = Place("198.51.100.7", 443)


def run(story: Callable[[Stage], Awaitable[None]], where: Place | None = WHERE) -> None:
    """Run a story at a gate to which everything is redirected on its way to a place."""

    def original(_connection: socket.socket) -> Place:
        if where is None:
            raise ConnectionRefusedError("not redirected")
        return where

    async def told() -> None:
        async with staged(Bounds(), own_leaf, original) as stage:
            await asyncio.wait_for(story(stage), PATIENCE_SECONDS)

    asyncio.run(told())


def hello(name: str | None) -> bytes:
    """Give the ClientHello of a client that looks for a site."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    out = ssl.MemoryBIO()
    with suppress(ssl.SSLWantReadError):
        context.wrap_bio(ssl.MemoryBIO(), out, server_hostname=name).do_handshake()
    return out.read()


@pytest.mark.parametrize(
    ("head", "want"),
    [
        pytest.param("GET / HTTP/1.1\r\nHost: a.example", "a.example", id="plain"),
        pytest.param("GET / HTTP/1.1\r\nX: y\r\nhost:A.Example:80 ", "a.example", id="with a port"),
        pytest.param("GET / HTTP/1.1\r\nHost: 198.51.100.1", "198.51.100.1", id="an address"),
        pytest.param("GET / HTTP/1.1\r\nHost: [2001:DB8::1]:80", "[2001:db8::1]", id="of IPv6"),
        pytest.param("GET / HTTP/1.0\r\nX: y", None, id="none"),
        pytest.param("GET / HTTP/1.1\r\nHost:", None, id="empty"),
        pytest.param("GET / HTTP/1.1\r\nHost: a.example\r\nHost: b.example", None, id="two"),
        pytest.param("GET / HTTP/1.1\r\nHost : a.example", None, id="a space before the colon"),
        pytest.param("GET / HTTP/1.1\r\nHost: a.example\r\nhOST: a.example", None, id="twice"),
        pytest.param("GET / HTTP/1.1\r\nHost: a example", None, id="no host"),
        pytest.param("GET / HTTP/1.1\r\nHost: ä.example", None, id="beyond ASCII"),
    ],
)
def test_the_host_of_a_request_is_the_one_that_it_names_once(head: str, want: str | None) -> None:
    assert named_host(head.encode() + b"\r\n\r\nHost: body.example\r\n\r\n") == want


def test_what_is_read_goes_on_under_its_name_and_not_to_the_address_it_was_sent_to() -> None:
    async def story(stage: Stage) -> None:
        _, writer = await stage.dial()
        writer.write(hello("open.example"))
        await stage.until(lambda: bool(stage.behind.connections))
        connection, destination = stage.behind.connections[0]
        assert destination == ("open.example", 443)
        assert connection.recv(3, socket.MSG_PEEK) == b"\x16\x03\x01"
        writer.close()

    run(story)


@pytest.mark.parametrize(
    "said",
    [
        pytest.param(b"GET /page HTTP/1.1\r\nHost: open.example\r\n\r\n", id="plain"),
        pytest.param(
            b"POST /form HTTP/1.1\r\nHost: open.example\r\nContent-Length: 1\r\n\r\nx", id="a body"
        ),
    ],
)
def test_a_request_goes_on_under_the_host_that_it_names(said: bytes) -> None:
    async def story(stage: Stage) -> None:
        _, writer = await stage.dial()
        writer.write(said)
        await stage.until(lambda: bool(stage.behind.connections))
        connection, destination = stage.behind.connections[0]
        assert destination == ("open.example", 80)
        assert connection.recv(100, socket.MSG_PEEK) == said
        writer.close()

    run(story, Place("2001:db8::7", 80))


def test_a_blocked_site_has_its_page_over_http_and_the_connection_stays_redirected() -> None:
    async def story(stage: Stage) -> None:
        reader, writer = await stage.dial()
        for _ in range(2):
            writer.write(b"GET / HTTP/1.1\r\nHost: games.example\r\n\r\n")
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 403 ")
            size = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
            await reader.readexactly(size)
        assert not stage.behind.connections
        assert {line["host"] for line in stage.journal.lines if "host" in line} == {"games.example"}
        writer.close()

    run(story, Place("198.51.100.7", 80))


def test_a_blocked_site_has_its_page_over_tls() -> None:
    async def story(stage: Stage) -> None:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", stage.port, ssl=context, server_hostname="games.example"
        )
        writer.write(b"GET / HTTP/1.1\r\nHost: games.example\r\n\r\n")
        assert (await reader.readline()).startswith(b"HTTP/1.1 403 ")
        assert not stage.behind.connections
        writer.close()

    run(story)


@pytest.mark.parametrize(
    "said",
    [
        pytest.param(hello(None), id="a ClientHello without a name"),
        pytest.param(b"GET / HTTP/1.0\r\n\r\n", id="a request without a host"),
        pytest.param(
            b"CONNECT open.example:443 HTTP/1.1\r\nHost: open.example\r\n\r\n", id="CONNECT"
        ),
        pytest.param(b"\x05\x01\x00", id="SOCKS 5"),
        pytest.param(b"\x04\x01\x01\xbb\xc6\x33\x64\x07\x00", id="SOCKS 4"),
        pytest.param(b"\x00\x0e\x38\x01" + bytes(12), id="OpenVPN"),
        pytest.param(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", id="HTTP/2 without TLS"),
        pytest.param(b"\x16\x03\x01\x00\x05hello", id="no ClientHello"),
        pytest.param(b"SSH-2.0-OpenSSH_10.0\r\n", id="SSH"),
        pytest.param(
            b"PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\nGET / HTTP/1.1\r\nHost: open.example\r\n\r\n",
            id="an announcement of nobody's load balancer",
        ),
        pytest.param(
            b"GET / HTTP/1.1\r\nHost: open.example\r\nHost: games.example\r\n\r\n", id="two hosts"
        ),
        pytest.param(b"GET / HTTP/1.1\r\nHost: a@open.example\r\n\r\n", id="userinfo"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: open.example, b.example\r\n\r\n", id="a list"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: open.example:80:80\r\n\r\n", id="two ports"),
        pytest.param(
            b"GET / HTTP/1.1\r\nHost : open.example\r\n\r\n", id="a space before the colon"
        ),
    ],
)
def test_what_names_no_site_ends_and_is_written_down(said: bytes) -> None:
    async def story(stage: Stage) -> None:
        reader, writer = await stage.dial()
        writer.write(said)
        await closed(reader)
        await stage.until(lambda: bool(stage.journal.lines))
        line = stage.journal.lines[0]
        assert (line["host"], line["clause"]) == ("198.51.100.7", "gateway-no-web")
        assert not stage.behind.connections
        assert stage.faults() == 0
        writer.close()

    run(story)


@pytest.mark.parametrize("host", ["games.example", "open.example"])
def test_whoever_trusts_no_certificate_of_ours_costs_none(host: str) -> None:
    """Neither the gate nor what is behind it makes one: refused by an alert, or carried to the site."""
    made: list[str] = []

    def leaf(name: str) -> bytes:
        made.append(name)
        return own_leaf(name)

    names_only = Inspection(InspectionMode.NEEDED, names_only=(NamesOnly("C-8"),))

    async def story() -> None:
        async with staged(Bounds(), leaf, lambda _: WHERE) as stage:
            stage.gate.engines = Engines(engine(rules=(BLOCKED,), inspection=names_only))
            reader, writer = await stage.dial()
            writer.write(hello(host))
            said = b""
            # Nobody knows the address of the other one here.
            with suppress(ConnectionResetError):
                said = await reader.read()
            assert said == (b"\x15\x03\x01\x00\x02\x02\x31" if host == "games.example" else b"")
            writer.close()
            assert not stage.behind.connections
            assert stage.faults() == 0

    asyncio.run(asyncio.wait_for(story(), PATIENCE_SECONDS))
    assert made == []


def test_what_was_not_redirected_ends() -> None:
    async def story(stage: Stage) -> None:
        reader, writer = await stage.dial()
        writer.write(hello("open.example"))
        await closed(reader)
        assert not stage.behind.connections
        assert stage.faults() == 0
        writer.close()

    run(story, None)


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_a_connection_that_came_straight_here_has_no_other_destination(family: int) -> None:
    place = "::1" if family == socket.AF_INET6 else "127.0.0.1"
    with (
        socket.create_server((place, 0), family=family) as listener,
        socket.create_connection(listener.getsockname()[:2]),
        listener.accept()[0] as connection,
        pytest.raises(OSError, match=r".+"),
    ):
        original_destination(connection)
