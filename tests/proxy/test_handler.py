"""Our handler does what mitmproxy's own does: the same hooks, in the same order, and the same bytes."""

import contextlib
import datetime as dt
import json
import re
import socket
import ssl
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from schoolgate import authority
from tests import wire
from tests.gateway import PATIENCE_SECONDS
from tests.origin import Origin
from tests.proxy.answering import answer_by_path, receive
from tests.wire import Http2Client

RECORDED = str(Path(__file__).with_name("recorded.py"))
HELLO = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
FINAL = re.compile(rb"HTTP/1\.1 [2-5]")
# How long an addon takes that thinks.
THINKING_SECONDS = 0.4


@dataclass
class Proxy:
    """One of the proxies that are compared."""

    kind: str
    process: "subprocess.Popen[str]"
    port: int
    ca_file: Path

    def hooks(self) -> list[list[Any]]:
        """Give the hooks since the last time, when all clients are gone."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        noted: list[list[Any]] = json.loads(self.process.stdout.readline())
        return noted

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_SECONDS)

    def tunnel(self, port: int, alpn: str = "http/1.1") -> ssl.SSLSocket:
        client = self.connect()
        client.sendall(b"CONNECT %s:%d HTTP/1.1\r\n\r\n" % (b"localhost", port))
        assert wire.read_head(client) == b"HTTP/1.1 200 Connection established\r\n\r\n"
        context = ssl.create_default_context(cafile=str(self.ca_file))
        context.set_alpn_protocols([alpn])
        return context.wrap_socket(client, server_hostname="localhost")


@dataclass
class Ports:
    """Where the origin is."""

    plain: int
    tls: int
    http2: int
    nobody: int


type Scenario = Callable[[Proxy, Ports], Any]


@pytest.fixture(scope="module")
def proxies(site: Origin, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Proxy]]:
    ca_dir = tmp_path_factory.mktemp("ca")
    authority.ensure(ca_dir, "a school", dt.datetime.now(dt.UTC))
    with contextlib.ExitStack() as started:
        found, thought = {}, str(THINKING_SECONDS)
        for kind in ("stock", "ours", "answered"):
            process = started.enter_context(
                subprocess.Popen(
                    [sys.executable, RECORDED, kind, str(ca_dir), str(site.ca_file), thought],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                    env={"PYTHONPATH": str(Path(__file__).parents[2])},
                )
            )
            started.callback(process.kill)
            assert process.stdout is not None
            port = int(process.stdout.readline())
            found[kind] = Proxy(kind, process, port, ca_dir / "schoolgate-ca.crt")
        yield found


@pytest.fixture(scope="module")
def ports(site: Origin) -> Iterator[Ports]:
    with (
        wire.serving(answer_by_path) as plain,
        wire.serving(answer_by_path, site) as tls,
        socket.socket() as unused,
    ):
        unused.bind(("127.0.0.1", 0))
        yield Ports(plain, tls, site.https_port, unused.getsockname()[1])


def frame(data: bytes, kind: int = 1) -> bytes:
    """Give a frame masked with zeros."""
    return bytes((0x80 | kind, 0x80 | len(data))) + bytes(4) + data


def rest(client: socket.socket) -> bytes:
    """Receive until the end, however it comes."""
    received = b""
    with contextlib.suppress(ConnectionResetError, ssl.SSLError):
        while data := client.recv(65_536):
            received += data
    return received


def head(path: str, port: int | None = None, *, method: str = "GET", more: str = "") -> bytes:
    """Give a request, in absolute form where a port is given."""
    target = path if port is None else f"http://localhost:{port}{path}"
    return f"{method} {target} HTTP/1.1\r\nHost: localhost\r\n{more}\r\n".encode()


def raw(*pieces: bytes | float, answers: int = 0, ends: bool = True) -> Scenario:
    """Send pieces, with pauses between, and give all that comes back.

    Args:
        pieces: bytes to send, or seconds to wait.
        answers: how many to wait for before hanging up; who hangs up before is answered or not,
            as it happens.
        ends: hang up.
    """

    def scenario(proxy: Proxy, ports: Ports) -> bytes:
        received = b""
        with proxy.connect() as client:
            for piece in pieces:
                if isinstance(piece, float):
                    time.sleep(piece)
                else:
                    client.sendall(piece.replace(b":PORT", b":%d" % ports.plain))
            while len(FINAL.findall(received)) < answers and (data := client.recv(65_536)):
                received += data
            if ends:
                client.shutdown(socket.SHUT_WR)
            return received + rest(client)

    return scenario


def get(*paths: str, tls: bool = False) -> Scenario:
    """Ask for one path after another on one connection, each when the last is answered."""

    def scenario(proxy: Proxy, ports: Ports) -> list[bytes]:
        with proxy.tunnel(ports.tls) if tls else proxy.connect() as client:
            answers = []
            for path in paths:
                client.sendall(head(path, None if tls else ports.plain))
                answers.append(one_answer(client))
            return answers

    return scenario


def one_answer(client: socket.socket) -> bytes:
    """Receive a whole answer, or all until the end."""
    received = b""
    while data := _receive_or_nothing(client):
        received += data
        start, found, body = received.partition(b"\r\n\r\n")
        if not found:
            continue
        sizes = [
            int(x[15:]) for x in start.lower().split(b"\r\n") if x.startswith(b"content-length:")
        ]
        if b" 304 " in start or (sizes and len(body) >= sizes[0]) or body.endswith(b"0\r\n\r\n"):
            break
    return received


def _receive_or_nothing(client: socket.socket) -> bytes:
    with contextlib.suppress(ConnectionResetError, ssl.SSLError):
        return client.recv(65_536)
    return b""


def over_http2(*paths: str) -> Scenario:
    """Ask for paths at once on one HTTP/2 connection."""

    def scenario(proxy: Proxy, ports: Ports) -> list[Any]:
        with proxy.tunnel(ports.http2, "h2") as client:
            speaker = Http2Client(client, f"localhost:{ports.http2}")
            streams = []
            for path in paths:
                streams.append(speaker.ask(path))
                while streams[-1] not in speaker.ended | set(speaker.errors):
                    assert speaker.receive(acknowledge=frozenset(streams))
            return [
                (speaker.statuses.get(x), bytes(speaker.bodies[x]), speaker.errors.get(x))
                for x in streams
            ]

    return scenario


def websocket(proxy: Proxy, ports: Ports) -> bytes:
    more = (
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    )
    with proxy.connect() as client:
        client.sendall(head("/websocket", ports.plain, more=more))
        received = wire.read_head(client)
        client.sendall(frame(b"one"))
        received += receive(client, 5)
        client.sendall(frame(b"drop me") + frame(b"two"))
        received += receive(client, 5)
        client.sendall(frame(struct.pack("!H", 1000), 8))
        return received + rest(client)


def nobody_there(proxy: Proxy, ports: Ports) -> bytes:
    with proxy.connect() as client:
        client.sendall(head("/", ports.nobody))
        return one_answer(client).replace(b"%d" % ports.nobody, b"PORT")


def nobody_there_behind_a_tunnel(proxy: Proxy, ports: Ports) -> bytes:
    with proxy.tunnel(ports.nobody) as client:
        client.sendall(head("/"))
        return one_answer(client)


def no_tls_in_a_tunnel(proxy: Proxy, ports: Ports) -> bytes:
    with proxy.connect() as client:
        client.sendall(b"CONNECT localhost:%d HTTP/1.1\r\n\r\n" % ports.plain)
        received = wire.read_head(client)
        client.sendall(head("/in-the-clear"))
        received += one_answer(client)
        client.sendall(b"\x00\x01\x02 garbage\r\n\r\n")
        return received + rest(client)


def distrust(proxy: Proxy, ports: Ports) -> str:
    with proxy.connect() as client:
        client.sendall(b"CONNECT localhost:%d HTTP/1.1\r\n\r\n" % ports.tls)
        wire.read_head(client)
        with pytest.raises(ssl.SSLCertVerificationError) as caught:
            ssl.create_default_context().wrap_socket(client, server_hostname="localhost")
        return caught.value.verify_message


def reset_while_it_waits(proxy: Proxy, ports: Ports) -> None:
    with proxy.connect() as client:
        client.sendall(head("/think", ports.plain))
        time.sleep(THINKING_SECONDS / 2)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    time.sleep(2 * THINKING_SECONDS)


def hang_up_within_an_upload(proxy: Proxy, ports: Ports) -> bytes:
    with proxy.connect() as client:
        client.sendall(head("/up", ports.plain, method="POST", more="Content-Length: 1000\r\n"))
        client.sendall(b"x" * 10)
        client.shutdown(socket.SHUT_WR)
        return rest(client)


UPLOAD = "Content-Length: 12\r\n"
CHUNKED = "Transfer-Encoding: chunked\r\n"

SCENARIOS: dict[str, Scenario] = {
    "two requests": get("/one", "/two"),
    "two requests over TLS": get("/one", "/two", tls=True),
    "a long answer": get("/long", "/next"),
    "a long answer streamed": get("/stream-down/long", "/next"),
    "a long answer over TLS": get("/long", "/next", tls=True),
    "a long answer streamed over TLS": get("/stream-down/long", "/next", tls=True),
    "chunks": get("/chunks", "/next"),
    "chunks streamed": get("/stream-down/chunks", "/next"),
    "an answer until the end": get("/until-the-end"),
    "an answer streamed until the end": get("/stream-down/until-the-end"),
    "an origin that closes between requests": get("/not-kept", "/next"),
    "nothing new": get("/nothing-new", "/next"),
    "an origin that says nothing": get("/silent"),
    "an origin that resets": get("/reset"),
    "an origin that resets over TLS": get("/reset", tls=True),
    "garbage for an answer": get("/garbage"),
    "an answer cut short": get("/cut-short"),
    "a streamed answer cut short": get("/stream-down/cut-short"),
    "an answer with two lengths": get("/both-lengths"),
    "an answer of an addon": get("/answer", "/answer", "/one"),
    "an answer of an addon over TLS": get("/answer", "/one", tls=True),
    "a changed answer": get("/change", "/one"),
    "an addon that thinks": get("/think", "/one", "/think"),
    "an addon that thinks over TLS": get("/think", "/one", tls=True),
    "a flow that is held": get("/wait", "/one"),
    **{
        f"killed in {hook}": get(f"/kill-{hook}")
        for hook in ("requestheaders", "request", "responseheaders", "response")
    },
    **{
        f"killed in {hook} over TLS": get(f"/kill-{hook}", tls=True)
        for hook in ("requestheaders", "request", "responseheaders", "response")
    },
    "HTTP/2": over_http2("/one", "/answer", "/think", "/stream-down", "/bytes/200000", "/one"),
    "HTTP/2 killed": over_http2("/kill-requestheaders", "/one", "/kill-response", "/one"),
    "WebSocket": websocket,
    "an upload": raw(
        head("/up", None, method="POST", more=UPLOAD).replace(b"/up", b"http://localhost:PORT/up")
        + b"some",
        0.2,
        b" content",
        answers=1,
    ),
    "an upload in chunks": raw(
        b"POST http://localhost:PORT/up HTTP/1.1\r\nHost: x\r\n" + CHUNKED.encode() + b"\r\n",
        b"3\r\nabc\r\n",
        0.2,
        b"2\r\nde\r\n0\r\n\r\n",
        answers=1,
    ),
    "an upload streamed": raw(
        b"POST http://localhost:PORT/stream-up HTTP/1.1\r\nHost: x\r\n"
        + CHUNKED.encode()
        + b"\r\n3\r\nabc\r\n",
        0.2,
        b"2\r\nde\r\n0\r\n\r\n",
        answers=1,
    ),
    "an upload that is answered here": raw(
        b"POST http://localhost:PORT/answer-upload HTTP/1.1\r\nHost: x\r\n"
        + UPLOAD.encode()
        + b"\r\nsome",
        0.2,
        b" content",
        answers=1,
    ),
    "a client that waits to be told to go on": raw(
        b"POST http://localhost:PORT/up HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
        + UPLOAD.encode()
        + b"\r\n",
        0.2,
        b"some content",
        answers=1,
    ),
    "requests sent ahead": raw(
        b"GET http://localhost:PORT/1 HTTP/1.1\r\nHost: x\r\n\r\n"
        b"GET http://localhost:PORT/2 HTTP/1.1\r\nHost: x\r\n\r\n",
        answers=2,
    ),
    "a head in pieces": raw(
        b"GET http://localhost:P".replace(b":P", b":PORT"),
        0.2,
        b"/1 HTTP/1.1\r\nHo",
        0.2,
        b"st: x\r\n\r\n",
        answers=1,
    ),
    "nothing at all": raw(),
    "half a head": raw(b"GET http://localhost:PORT/ HT"),
    "no HTTP": raw(b"\x05\x01\x00\r\n\r\n", answers=1),
    "no host": raw(b"GET / HTTP/1.1\r\n\r\n", answers=1),
    "a bad header": raw(b"GET http://localhost:PORT/ HTTP/1.1\r\nbad header: x\r\n\r\n", answers=1),
    "two lengths": raw(
        b"POST http://localhost:PORT/ HTTP/1.1\r\nContent-Length: 3\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n",
        answers=1,
    ),
    "an idle client": raw(b"GET http://localhost:PORT/1 HTTP/1.1\r\nHost: x\r\n\r\n", ends=False),
    "nobody there": nobody_there,
    "nobody there behind a tunnel": nobody_there_behind_a_tunnel,
    "no TLS in a tunnel": no_tls_in_a_tunnel,
    "a client that does not trust": distrust,
    "a reset while an addon thinks": reset_while_it_waits,
    "a client that hangs up within an upload": hang_up_within_an_upload,
}

# Of a tunnel, what the gate does instead of us.
OUTER = ("http_connect", "http_connected")


@pytest.mark.parametrize("name", SCENARIOS)
def test_hooks_order_and_bytes_are_those_of_mitmproxy(
    proxies: dict[str, Proxy], ports: Ports, name: str
) -> None:
    seen = {}
    for kind, proxy in proxies.items():
        received = SCENARIOS[name](proxy, ports)
        seen[kind] = received, proxy.hooks()
    assert seen["ours"] == seen["stock"]
    received, hooks = seen["stock"]
    if any(hook == "http_connect" for hook, _ in hooks):
        hooks = [x for x in hooks if x[0] not in OUTER]
        hooks.remove(next(x for x in hooks if x[0] == "next_layer"))
    assert seen["answered"] == (received, hooks)


def test_who_waits_for_an_addon_is_not_idle(proxies: dict[str, Proxy], ports: Ports) -> None:
    """Here ours is not as mitmproxy's, which counts from the last byte."""
    proxy = proxies["ours"]
    assert b"hello /long-thought" in get("/long-thought")(proxy, ports)[0]
    assert "response" in [hook for hook, _ in proxy.hooks()]


def test_a_tunnel_to_a_name_server_is_closed(proxies: dict[str, Proxy]) -> None:
    """Of a gate that should have refused it."""
    proxy = proxies["answered"]
    with proxy.connect() as client:
        client.sendall(b"CONNECT localhost:853 HTTP/1.1\r\n\r\n")
        wire.read_head(client)
        assert rest(client) == b""
    assert proxy.hooks() == []
