"""No client and no origin can make the gateway hold more than a little for it."""

import contextlib
import socket
import ssl
import struct
import subprocess
import sys
import threading
import zlib
from collections.abc import Callable

import pytest

from tests import wire
from tests.gateway import PATIENCE_SECONDS, Gateway, eventually
from tests.origin import Origin
from tests.wire import http2, serving

MEGABYTE = 1_000_000
# The sockets' own buffers on both sides of the gateway and what it may hold.
SOME = 12 * MEGABYTE

UPGRADE = (
    b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
UPGRADED = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
)


INSTALL = """
from mitmproxy.proxy.layers import http
from schoolgate.proxy import limits
limits.install()
limits.install()
print(http.HttpStream is limits.BoundedStream)
for change in (lambda: setattr(http, "HttpStream", object), lambda: delattr(http, "HttpStream")):
    change()
    try:
        limits.install()
    except (TypeError, AttributeError) as error:
        print(error)
"""


def test_it_does_not_start_on_a_mitmproxy_it_does_not_know() -> None:
    done = subprocess.run(
        [sys.executable, "-c", INSTALL], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == [
        "True",
        "mitmproxy.proxy.layers.http.HttpStream is not what limits.BoundedStream bounds",
        "module 'mitmproxy.proxy.layers.http' has no attribute 'HttpStream'",
    ]


# Refused bodies


def test_a_refused_upload_is_answered_before_its_end_and_its_rest_thrown_away(
    gate: Gateway,
) -> None:
    """HttpStream.state_consume_request_body."""
    page = b"HTTP/1.1 403 Forbidden"
    with wire.to_proxy(gate) as client:
        client.sendall(
            b"POST http://www.bet365.com/ HTTP/1.1\r\nHost: www.bet365.com\r\n"
            b"Content-Length: 20000000\r\n\r\n" + b"y" * MEGABYTE
        )
        assert wire.read_head(client).startswith(page)
        for _ in range(19):
            client.sendall(b"y" * MEGABYTE)
        client.sendall(b"GET http://www.bet365.com/next HTTP/1.1\r\nHost: www.bet365.com\r\n\r\n")
        received = b""
        while page not in received:
            received += client.recv(65_536)


def test_a_refused_upload_over_http2_is_answered_before_its_end(
    gate: Gateway, site: Origin
) -> None:
    with http2(gate, site.https_port, "www.bet365.com") as client:
        refused = client.ask("/", "POST")
        assert client.upload(refused, bytes(5 * MEGABYTE)) == 5 * MEGABYTE
        page = client.finish(refused)
        assert client.statuses[refused] == 403
        assert page
        again = client.ask("/again")
        client.finish(again)
        assert client.statuses[again] == 403


# Flow control


def sixty_megabytes(peer: socket.socket) -> None:
    path = wire.read_head(peer).split()[1]
    body = wire.numbered(60 * MEGABYTE) if path == b"/large" else b"small"
    peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)


def test_a_slow_reader_gets_its_whole_download_and_holds_up_nobody(
    gate: Gateway, site: Origin
) -> None:
    """From an HTTP/1 origin to an HTTP/2 client: ConnectionHandler.drain_writers."""
    taken = threading.Event()

    def origin(peer: socket.socket) -> None:
        sixty_megabytes(peer)
        taken.set()

    with serving(origin, site) as port, http2(gate, port) as client:
        first = client.ask("/first")
        assert client.finish(first) == b"small"
        assert taken.wait(PATIENCE_SECONDS)
        taken.clear()
        before = gate.resident_bytes()
        large = client.ask("/large")
        client.receive_until_quiet()
        assert not taken.is_set(), "the origin must not be rid of what the client did not take"
        assert gate.resident_bytes() - before < 20 * MEGABYTE
        small = client.ask("/small")
        client.connection.increment_flow_control_window(65_536)
        assert client.finish(small) == b"small"
        assert client.finish(large) == wire.numbered(60 * MEGABYTE)


def test_a_slow_reader_of_an_http2_origin_gets_its_whole_download(
    gate: Gateway, site: Origin
) -> None:
    """Http2Connection.handle_h2_event and BufferedH2Connection's windows."""
    with http2(gate, site.https_port) as client:
        assert client.finish(client.ask("/bytes/1000")) == b"x" * 1000
        before = gate.resident_bytes()
        path = f"/bytes/{50 * MEGABYTE}"
        large = client.ask(path)
        client.receive_until_quiet()
        assert path not in site.finished
        assert gate.resident_bytes() - before < 20 * MEGABYTE
        small = client.ask("/small")
        client.connection.increment_flow_control_window(65_536)
        assert client.finish(small) == b"origin says hello over HTTP/2"
        assert client.finish(large) == b"x" * 50 * MEGABYTE


@pytest.mark.parametrize("alpn", ["h2", "http/1.1"])
def test_an_origin_that_takes_no_upload_holds_up_that_upload_alone(
    gate: Gateway, site: Origin, alpn: str
) -> None:
    def origin(peer: socket.socket) -> None:
        if alpn == "h2":
            wire.answer_http2(peer, lambda path: None if path == "/stuck" else b"small")
        elif b" /stuck " in wire.read_head(peer):
            done.wait(60)
        else:
            peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nsmall")

    done = threading.Event()
    with serving(origin, site, alpn) as port, http2(gate, port) as client:
        before = gate.resident_bytes()
        stuck = client.ask("/stuck", "POST")
        assert client.upload(stuck, bytes(60 * MEGABYTE), seconds=wire.QUIET_SECONDS) < SOME
        assert gate.resident_bytes() - before < 20 * MEGABYTE
        assert client.finish(client.ask("/small")) == b"small"
        done.set()


def test_an_upload_to_a_slow_origin_arrives_whole(gate: Gateway, site: Origin) -> None:
    body = wire.numbered(30 * MEGABYTE)
    received = bytearray()

    def origin(peer: socket.socket) -> None:
        received.extend(wire.read_head(peer).partition(b"\r\n\r\n")[2])
        threading.Event().wait(wire.QUIET_SECONDS / 2)
        while len(received) < len(body):
            received.extend(peer.recv(65_536))
        peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nsmall")

    with serving(origin, site) as port, http2(gate, port) as client:
        upload = client.ask("/", "POST", **{"content-length": str(len(body))})
        assert client.upload(upload, body, end=True) == len(body)
        assert client.finish(upload) == b"small"
    assert received == body


def test_an_upload_to_an_http2_origin_arrives_whole(gate: Gateway, site: Origin) -> None:
    before = site.received
    with http2(gate, site.https_port) as client:
        upload = client.ask("/", "POST")
        assert client.upload(upload, bytes(30 * MEGABYTE), end=True) == 30 * MEGABYTE
        assert client.finish(upload) == b"origin says hello over HTTP/2"
    assert site.received - before == 30 * MEGABYTE


def never_answers(done: threading.Event) -> Callable[[socket.socket], None]:
    """Be an origin that accepts and does nothing, not even TLS."""

    def origin(_peer: socket.socket) -> None:
        done.wait(60)

    return origin


@pytest.mark.parametrize("http", [1, 2])
def test_an_upload_waits_while_its_origin_is_being_reached(gate: Gateway, http: int) -> None:
    """HttpStream keeps in its queue what comes while it waits."""
    done = threading.Event()
    with serving(never_answers(done)) as port:
        if http == 2:
            with http2(gate, port) as client:
                upload, body = client.ask("/", "POST"), bytes(60 * MEGABYTE)
                assert client.upload(upload, body, seconds=wire.QUIET_SECONDS) < SOME
        else:
            with wire.over_tls(gate, port) as plain:
                plain.sendall(
                    b"POST / HTTP/1.1\r\nHost: origin.test\r\nContent-Length: 99999999\r\n\r\n"
                )
                assert wire.send_until_quiet(plain, 60 * MEGABYTE) < SOME
        done.set()


def test_a_stream_of_tiny_frames_that_cannot_leave_is_reset(gate: Gateway) -> None:
    """They would fill the memory from within the window."""
    done = threading.Event()
    with serving(never_answers(done)) as port, http2(gate, port) as client:
        stuck = client.ask("/", "POST")
        while client.receive(seconds=0.5):
            pass
        for _ in range(10_000):
            client.connection.send_data(stuck, b"y")
        client.flush()
        while stuck not in client.errors and client.receive():
            pass
        assert client.errors == {stuck: 11}, "ENHANCE_YOUR_CALM"
        done.set()


def test_requests_sent_ahead_of_their_turn_wait_outside(gate: Gateway) -> None:
    """Http1Connection keeps in its buffer what comes while a response is awaited."""
    done = threading.Event()

    def origin(peer: socket.socket) -> None:
        wire.read_head(peer)
        done.wait(60)
        peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfirst")

    with serving(origin) as port, wire.to_proxy(gate) as client:
        request = b"GET http://origin.test:%d/ HTTP/1.1\r\nHost: origin.test\r\n\r\n" % port
        client.sendall(request)
        assert wire.send_until_quiet(client, 60 * MEGABYTE, request * 1000) < SOME
        done.set()
        received = wire.read_head(client)
        assert b"first" in (received if b"first" in received else client.recv(65_536))


# Heads


@pytest.mark.parametrize(
    ("start", "rest", "want"),
    [
        (b"GET http://origin.test/ HTTP/1.1\r\nX: ", b"y", b"HTTP/1.1 431 "),
        (b"", b"y", b"HTTP/1.1 431 "),
        (
            b"POST http://origin.test:%d/ HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5;",
            b"y",
            b"",
        ),
    ],
    ids=["header", "request line", "chunk size"],
)
def test_a_client_that_never_ends_a_line_is_closed(
    gate: Gateway, site: Origin, start: bytes, rest: bytes, want: bytes
) -> None:
    """Http1Connection._handle_event; the bytes fit into what the gateway reads before it closes."""
    with wire.to_proxy(gate) as client:
        client.sendall(start % site.http_port if b"%d" in start else start)
        sent = wire.send_until_quiet(client, 60 * MEGABYTE, rest * 65_536)
        assert sent < SOME
        received = b""
        with contextlib.suppress(ConnectionResetError):
            while data := client.recv(65_536):
                received += data
        assert received.startswith(want)


@pytest.mark.parametrize(
    "start",
    [b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;"],
    ids=["header", "chunk size"],
)
def test_an_origin_that_never_ends_a_line_is_closed(gate: Gateway, start: bytes) -> None:
    sent: list[int] = []

    def origin(peer: socket.socket) -> None:
        wire.read_head(peer)
        peer.sendall(start)
        sent.append(wire.send_until_quiet(peer, 60 * MEGABYTE))

    with serving(origin) as port, wire.to_proxy(gate) as client:
        client.sendall(b"GET http://origin.test:%d/ HTTP/1.1\r\nHost: origin.test\r\n\r\n" % port)
        received = b""
        while data := client.recv(65_536):
            received += data
    assert received.startswith((b"HTTP/1.1 502 ", b"HTTP/1.1 200 "))
    assert sent[0] < SOME


def test_an_http2_head_is_bounded(gate: Gateway, site: Origin) -> None:
    """SETTINGS_MAX_HEADER_LIST_SIZE, which the library sets and enforces."""
    with http2(gate, site.https_port) as client:
        client.receive()
        assert client.connection.remote_settings.max_header_list_size == 65_536
        fits = client.ask("/small", **{f"x-{i}": "y" * 1000 for i in range(50)})
        client.finish(fits)
        client.ask("/large", **{f"x-{i}": "y" * 1000 for i in range(80)})
        while client.receive():
            pass
        assert client.closed


# ClientHello


def records(payload: bytes, size: int) -> bytes:
    """Cut a TLS handshake message into records of so many bytes."""
    pieces = (payload[i : i + size] for i in range(0, len(payload), size))
    return b"".join(b"\x16\x03\x01" + struct.pack("!H", len(piece)) + piece for piece in pieces)


@pytest.mark.parametrize(("size", "count"), [(1, 500_000), (16_000, 500)])
def test_a_client_hello_without_an_end_is_closed(
    gate: Gateway, site: Origin, size: int, count: int
) -> None:
    """ClientTLSLayer.receive_handshake_data."""
    hello = b"\x01" + (8_000_000).to_bytes(3, "big") + b"\x03\x03" + b"y" * size * count
    with wire.tunnel(gate, site.https_port) as client:
        wire.send_until_quiet(client, len(hello), records(hello, size)[: 4 * MEGABYTE])
        with contextlib.suppress(ConnectionResetError):
            assert client.recv(65_536) == b""


def test_a_client_hello_in_several_records_is_understood(gate: Gateway, site: Origin) -> None:
    context = ssl.create_default_context(cafile=str(gate.ca_file))
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    talk = context.wrap_bio(incoming, outgoing, server_hostname="origin.test")
    with wire.tunnel(gate, site.https_port) as client:
        with contextlib.suppress(ssl.SSLWantReadError):
            talk.do_handshake()
        hello = outgoing.read()[5:]
        client.sendall(records(hello, len(hello) // 10))
        while True:
            try:
                talk.do_handshake()
                break
            except ssl.SSLWantReadError:
                data = client.recv(65_536)
                assert data, "the gateway closed"
                incoming.write(data)
        assert talk.version() == "TLSv1.3"


# WebSocket


def frame(opcode: int, payload: bytes, *, last: bool, packed: bool = False) -> bytes:
    """Make a frame of a client, masked with zeros."""
    size, first = len(payload), bytes([last << 7 | packed << 6 | opcode])
    if size < 126:
        length = bytes([0x80 | size])
    elif size < 65_536:
        length = b"\xfe" + struct.pack("!H", size)
    else:
        length = b"\xff" + struct.pack("!Q", size)
    return first + length + b"\0\0\0\0" + payload


def close_code(client: socket.socket) -> int:
    """Read to the end and give the code of the close frame that is all that comes."""
    received = b""
    with contextlib.suppress(ConnectionResetError):
        while data := client.recv(65_536):
            received += data
    assert received[:1] == b"\x88", received
    return int.from_bytes(received[2:4], "big")


def upgrading(extension: bytes, seen: list[bytes]) -> Callable[[socket.socket], None]:
    """Be an origin of WebSocket that takes everything and notes the first bytes of it."""

    def origin(peer: socket.socket) -> None:
        wire.read_head(peer)
        peer.sendall(UPGRADED + extension + b"\r\n")
        while data := peer.recv(65_536):
            seen.append(data[:16])

    return origin


def packed(size: int) -> bytes:
    """Deflate zeros as permessage-deflate does."""
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    pieces = [deflate.compress(bytes(MEGABYTE)) for _ in range(size // MEGABYTE)]
    return (b"".join(pieces) + deflate.flush(zlib.Z_SYNC_FLUSH))[:-4]


MESSAGES = {
    "one frame": lambda: frame(2, bytes(17 * MEGABYTE), last=False),
    "many frames": lambda: frame(2, b"", last=False) + frame(0, bytes(MEGABYTE), last=False) * 17,
    "empty frames": lambda: frame(1, b"", last=False) + frame(0, b"", last=False) * 135_000,
    "deflated": lambda: frame(2, packed(100 * MEGABYTE), last=True, packed=True),
}


@pytest.mark.parametrize("kind", MESSAGES)
def test_a_websocket_message_without_an_end_closes_both_sides(gate: Gateway, kind: str) -> None:
    """WebsocketConnection.events, and PerMessageDeflate.frame_inbound_payload_data."""
    seen: list[bytes] = []
    deflates = b"Sec-WebSocket-Extensions: permessage-deflate\r\n" if kind == "deflated" else b""
    with serving(upgrading(deflates, seen)) as port, wire.to_proxy(gate) as client:
        client.sendall(b"GET http://origin.test:%d/ HTTP/1.1\r\nHost: origin.test\r\n" % port)
        client.sendall(UPGRADE)
        assert b" 101 " in wire.read_head(client)
        before = gate.resident_bytes()
        with contextlib.suppress(ConnectionError):  # it may be closed before all of it has left
            client.sendall(MESSAGES[kind]())
        assert close_code(client) == 1009
        assert gate.resident_bytes() - before < 60 * MEGABYTE
        assert eventually(lambda: b"".join(seen)[:1] == b"\x88")


def test_a_websocket_message_in_pieces_arrives_whole(gate: Gateway) -> None:
    """Text cut within a character, a frame cut within its payload, and the frames' own bounds."""
    received: list[bytes] = []
    text = "école £€".encode()

    def origin(peer: socket.socket) -> None:
        wire.read_head(peer)
        peer.sendall(UPGRADED + b"\r\n")
        while data := peer.recv(65_536):
            received.append(data)

    def unmasked(data: bytes) -> list[tuple[int, bytes]]:
        frames = []
        while data:
            size, mask = data[1] & 0x7F, data[2:6]
            payload = bytes(b ^ mask[i % 4] for i, b in enumerate(data[6 : 6 + size]))
            frames.append((data[0], payload))
            data = data[6 + size :]
        return frames

    with serving(origin) as port, wire.to_proxy(gate) as client:
        client.sendall(b"GET http://origin.test:%d/ HTTP/1.1\r\nHost: origin.test\r\n" % port)
        client.sendall(UPGRADE)
        assert b" 101 " in wire.read_head(client)
        whole = frame(1, text[:1], last=False) + frame(0, text[1:], last=True)
        for sent in (whole[:8], whole[8:11], whole[11:]):
            client.sendall(sent)
            threading.Event().wait(0.05)
        client.sendall(frame(8, b"\x03\xe8", last=True))
        assert close_code(client) == 1000
        assert eventually(lambda: 0x88 in [first for first, _ in unmasked(b"".join(received))])
    frames = unmasked(b"".join(received))
    assert b"".join(payload for _, payload in frames[:-1]) == text
    assert [first for first, _ in frames] == [0x01, 0x80, 0x88]
