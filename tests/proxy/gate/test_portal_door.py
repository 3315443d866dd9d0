"""What goes through the door to the portal, and what does not."""

import asyncio
import socket
import ssl
from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path

import pytest

from schoolgate.core.people import LoadBalancers
from schoolgate.identity import ForwardedBy
from schoolgate.proxy.gate.portal_door import MOST_OF_CLIENT, NoRequestError, PortalDoor
from schoolgate.services.callers import Entry


def no_context(_name: str) -> ssl.SSLContext:
    raise AssertionError("no TLS here")


@pytest.fixture
def door(tmp_path: Path) -> Iterator[PortalDoor]:
    made = PortalDoor("https://portal.school", tmp_path / "portal.sock", no_context)
    yield made
    made.close()


@pytest.mark.parametrize(
    ("data", "want"),
    [
        (b"GET http://portal.school/ HTTP/1.1\r\n", True),
        (b"POST http://portal.school/device/ HTTP/1.1\r\n", True),
        (b"GET http://PORTAL.school:80/x HTTP/1.1\r\n", True),
        (b"GET http://portal.school HTTP/1.1\r\n", True),
        (b"GET http://portal.school?q HTTP/1.1\r\n", True),
        (b"GET http://portal.scho", False),
        (b"GET http://portal.school.example/ HTTP/1.1\r\n", False),
        (b"GET http://portal-school/ HTTP/1.1\r\n", False),
        (b"GET http://x@portal.school/ HTTP/1.1\r\n", False),
        (b"GET http://elsewhere/http://portal.school/ HTTP/1.1\r\n", False),
        (b"CONNECT portal.school:443 HTTP/1.1\r\n", False),
    ],
)
def test_which_requests_are_for_the_portal(door: PortalDoor, data: bytes, want: bool) -> None:
    assert door.is_asked(data) is want


@pytest.mark.parametrize(
    ("host", "port", "want"),
    [
        ("portal.school", 443, True),
        ("portal.school", 80, False),
        ("portal.school", 22, False),
        ("www.portal.school", 443, False),
    ],
)
def test_which_tunnels_are(door: PortalDoor, host: str, port: int, want: bool) -> None:
    assert door.is_behind(host, port) is want


FORGED = (
    "X-Schoolgate-Client: 1.1.1.1\r\nx_schoolgate_client: 1.1.1.1\r\nX-SCHOOLGATE_Scheme: http\r\n"
    "X-Forwarded-For: 1.1.1.1\r\nForwarded: for=1.1.1.1\r\nProxy-Authorization: Basic YQ==\r\n"
    "Connection: keep-alive\r\nUpgrade: websocket"
)
SAID = "X-Schoolgate-Client: 10.9.0.7\r\nX-Schoolgate-Scheme: https\r\n"


def head_of(line: str, length: int = 0, more: str = "") -> str:
    return f"{line}\r\nHost: portal.school\r\n{SAID}Content-Length: {length}\r\nConnection: close\r\n{more}"


@pytest.mark.parametrize(
    ("head", "want"),
    [
        ("GET /a?b HTTP/1.1\r\nHost: x", head_of("GET /a?b HTTP/1.1")),
        (
            "GET http://portal.school/a?b HTTP/1.1\r\nHost: other.example",
            head_of("GET /a?b HTTP/1.1"),
        ),
        (
            "POST / HTTP/1.0\r\nContent-Length: 3\r\nCookie: a=b\r\nExpect: 100-continue",
            head_of("POST / HTTP/1.1", 3, "Cookie: a=b\r\n"),
        ),
        (f"GET / HTTP/1.1\r\n{FORGED}", head_of("GET / HTTP/1.1")),
    ],
)
def test_a_request_goes_on_as_the_door_says(door: PortalDoor, head: str, want: str) -> None:
    passed = door.passed_on(f"{head}\r\n\r\n".encode(), "10.9.0.7", "https")
    assert passed.head.decode() == want + "\r\n"
    assert passed.waits is ("Expect" in head)


@pytest.mark.parametrize(
    "head",
    [
        "GET",
        "GET / HTTP/2",
        "GET / / HTTP/1.1",
        "get / HTTP/1.1",
        "GET ftp:// HTTP/1.1",
        "GET / HTTP/1.1\r\n X-Schoolgate-Client: 1.1.1.1",
        "GET / HTTP/1.1\r\nA: b\r\n c",
        "GET / HTTP/1.1\r\nX-Schoolgate-Client : 1.1.1.1",
        "GET / HTTP/1.1\r\nA: b\nX-Schoolgate-Client: 1.1.1.1",
        "GET / HTTP/1.1\r\nA: b\rX-Schoolgate-Client: 1.1.1.1",
        "GET / HTTP/1.1\r\nA: b\x00",
        "GET / HTTP/1.1\r\nnothing",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked",
        "POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked",
        "POST / HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 3",
        "POST / HTTP/1.1\r\nContent-Length: 3\r\nContent_Length: 4",
        "POST / HTTP/1.1\r\nContent-Length: -3",
        "POST / HTTP/1.1\r\nContent-Length: ٣",
        "POST / HTTP/1.1\r\nContent-Length: 3, 3",
    ],
)
def test_what_can_be_read_in_two_ways_goes_nowhere(door: PortalDoor, head: str) -> None:
    with pytest.raises(NoRequestError):
        door.passed_on(f"{head}\r\n\r\n".encode(), "10.9.0.7", "https")


SHARED = Entry(ForwardedBy(LoadBalancers((ip_network("10.0.0.0/24"),))))


@pytest.mark.parametrize(
    ("said", "want"),
    [
        ("X-Forwarded-For: 10.9.0.7", "10.9.0.7"),
        ("X-Forwarded-For: 1.1.1.1, 10.9.0.7", "10.9.0.7"),
        ("x-forwarded-for: 10.9.0.7\r\nX-Forwarded-For: 10.0.0.6", "10.9.0.7"),
        ("X_Forwarded_For: 10.9.0.7", ""),
        ("X-Forwarded-For: nobody", ""),
        ("Forwarded: for=10.9.0.7", ""),
        ("A: b", ""),
    ],
)
def test_behind_a_load_balancer_the_client_is_whom_it_names(
    door: PortalDoor, said: str, want: str
) -> None:
    raw = f"GET http://portal.school/ HTTP/1.1\r\n{said}\r\n\r\n".encode()
    head = door.passed_on(raw, "10.0.0.5", "http", SHARED).head.decode()
    assert f"X-Schoolgate-Client: {want}\r\n" in head
    assert "orwarded" not in head.lower()
    assert (
        "X-Schoolgate-Client: 10.0.0.5\r\n" in door.passed_on(raw, "10.0.0.5", "http").head.decode()
    )


class Portal:
    """Answers each request with what it was."""

    def __init__(self) -> None:
        self.connections = 0

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].split()[0])
        body = await reader.readexactly(length)
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n" + head.split()[0] + b" " + body)
        await writer.drain()
        writer.close()


def led(tmp_path: Path, *pieces: bytes, there: bool = True) -> tuple[bytes, int]:
    """Lead a client that says something, piece by piece; give what it hears, and how often was asked."""

    async def lead() -> tuple[bytes, int]:
        portal = Portal()
        server = None
        if there:
            server = await asyncio.start_unix_server(portal.answer, tmp_path / "portal.sock")
        door = PortalDoor("https://portal.school", tmp_path / "portal.sock", no_context)
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        theirs.setblocking(False)
        loop = asyncio.get_running_loop()
        leading = asyncio.create_task(door.lead(ours, "10.9.0.7", tls=False))
        for piece in pieces:
            await asyncio.sleep(0)
            await loop.sock_sendall(theirs, piece)
            asked_before = portal.connections
        heard = b""
        while data := await loop.sock_recv(theirs, 65536):
            heard += data
        await leading
        theirs.close()
        door.close()
        if server is not None:
            server.close()
            await server.wait_closed()
        assert asked_before == 0, "nobody is asked before the request is whole"
        return heard, portal.connections

    return asyncio.run(lead())


POST = b"POST http://portal.school/ HTTP/1.1\r\nContent-Length: 6\r\n"


@pytest.mark.parametrize(
    ("pieces", "heard"),
    [
        ([b"GET http://portal.school/ HTTP/1.1\r\n\r\n"], b"HTTP/1.1 200 OK\r\n\r\nGET "),
        ([POST + b"\r\n", b"abc", b"def"], b"HTTP/1.1 200 OK\r\n\r\nPOST abcdef"),
        (
            [POST + b"\r\nabcdef" + b"GET http://portal.school/ HTTP/1.1\r\n\r\n"],
            b"HTTP/1.1 200 OK\r\n\r\nPOST abcdef",
        ),
        (
            [POST + b"Expect: 100-continue\r\n\r\n", b"abcdef"],
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\nPOST abcdef",
        ),
    ],
)
def test_a_whole_request_is_answered(tmp_path: Path, pieces: list[bytes], heard: bytes) -> None:
    assert led(tmp_path, *pieces) == (heard, 1)


@pytest.mark.parametrize(
    ("piece", "status"),
    [
        (b"POST http://portal.school/ HTTP/1.1\r\nContent-Length: 1200001\r\n\r\n", b"413"),
        (b"POST http://portal.school/ HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", b"400"),
        (b"nonsense\r\n\r\n", b"400"),
    ],
)
def test_what_is_too_much_or_unclear_asks_nobody(
    tmp_path: Path, piece: bytes, status: bytes
) -> None:
    heard, asked = led(tmp_path, piece)
    assert heard.split()[1] == status
    assert asked == 0


def test_a_portal_that_is_not_there_is_said_to_be_so(tmp_path: Path) -> None:
    heard, _ = led(tmp_path, b"GET http://portal.school/ HTTP/1.1\r\n\r\n", there=False)
    assert heard.startswith(b"HTTP/1.1 503 ")
    assert b"portal is not running" in heard


def test_one_client_holds_so_many_and_no_more(tmp_path: Path) -> None:
    async def crowd() -> list[bool]:
        door = PortalDoor("https://portal.school", tmp_path / "portal.sock", no_context)
        pairs = [socket.socketpair() for _ in range(MOST_OF_CLIENT + 1)]
        leading = []
        for ours, _ in pairs:
            ours.setblocking(False)
            leading.append(asyncio.create_task(door.lead(ours, "10.9.0.7", tls=False)))
            await asyncio.sleep(0)
        refused = [task.done() for task in leading]
        for task in leading:
            task.cancel()
        await asyncio.wait(leading)
        for ours, theirs in pairs:
            ours.close()
            theirs.close()
        door.close()
        return refused

    assert asyncio.run(crowd()) == [False] * MOST_OF_CLIENT + [True]
