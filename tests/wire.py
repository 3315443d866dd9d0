"""Peers that behave as no library would: they stop reading, never answer, or send without an end."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import h2.config
import h2.connection
import h2.events

from tests.gateway import PATIENCE_SECONDS, Gateway
from tests.origin import Origin

# How long a peer that takes nothing more is given to take some.
QUIET_SECONDS = 2.0

type Handler = Callable[[socket.socket], None]


def numbered(size: int) -> bytes:
    """Give bytes of which no two lines are the same, to see what is lost, doubled or swapped."""
    return b"".join(b"%015d\n" % i for i in range(size // 16))


@contextmanager
def serving(handler: Handler, site: Origin | None = None, alpn: str = "http/1.1") -> Iterator[int]:
    """Serve each connection in a thread, over TLS where a site lends its certificate; give the port."""
    context = None
    if site is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        directory = site.ca_file.parent
        context.load_cert_chain(directory / "origin.pem", directory / "origin.key")
        context.set_alpn_protocols([alpn])
    peers: list[socket.socket] = []
    threads: list[threading.Thread] = []

    def one(peer: socket.socket) -> None:
        with contextlib.suppress(OSError):
            if context is not None:
                peer = context.wrap_socket(peer, server_side=True)
                peers.append(peer)
            handler(peer)
            peer.close()

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                peer, _ = listener.accept()
                peers.append(peer)
                threads.append(threading.Thread(target=one, args=(peer,), daemon=True))
                threads[-1].start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        acceptor = threading.Thread(target=accept, daemon=True)
        acceptor.start()
        try:
            yield int(listener.getsockname()[1])
        finally:
            for peer in [listener, *peers]:
                with contextlib.suppress(OSError):
                    peer.shutdown(socket.SHUT_RDWR)
            for thread in [acceptor, *threads]:
                thread.join(10)
            for peer in peers:
                peer.close()


def read_head(peer: socket.socket) -> bytes:
    """Read a request's or response's head, with what came along with it."""
    received = b""
    while b"\r\n\r\n" not in received:
        data = peer.recv(65_536)
        if not data:
            raise ConnectionResetError("closed within the head")
        received += data
    return received


def to_proxy(gate: Gateway) -> socket.socket:
    """Connect to the proxy."""
    host, _, port = gate.proxy.removeprefix("http://").partition(":")
    return socket.create_connection((host, int(port)), timeout=PATIENCE_SECONDS)


def tunnel(gate: Gateway, port: int) -> socket.socket:
    """Open a tunnel to the origin."""
    client = to_proxy(gate)
    client.sendall(b"CONNECT origin.test:%d HTTP/1.1\r\nHost: origin.test\r\n\r\n" % port)
    assert b" 200 " in read_head(client)
    return client


def over_tls(
    gate: Gateway, port: int, alpn: str = "http/1.1", name: str = "origin.test"
) -> ssl.SSLSocket:
    """Open a tunnel and speak TLS through it."""
    context = ssl.create_default_context(cafile=str(gate.ca_file))
    context.set_alpn_protocols([alpn])
    return context.wrap_socket(tunnel(gate, port), server_hostname=name)


def send_until_quiet(client: socket.socket, size: int, piece: bytes = b"y" * 65_536) -> int:
    """Send so much, or what is taken until nothing more is for a while; give how much that was."""
    client.settimeout(QUIET_SECONDS)
    sent = 0
    with contextlib.suppress(OSError):
        while sent < size:
            sent += client.send(piece)
    client.settimeout(PATIENCE_SECONDS)
    return sent


class Http2Client:
    """A client of HTTP/2 that acknowledges data only when it is told to."""

    def __init__(self, client: ssl.SSLSocket, host: str) -> None:
        self.socket = client
        self.connection = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
        self.connection.initiate_connection()
        self.bodies: dict[int, bytearray] = {}
        self.statuses: dict[int, int] = {}
        self.ended: set[int] = set()
        self.errors: dict[int, int] = {}
        self.closed = False
        self._host = host
        self.flush()

    def ask(self, path: str, method: str = "GET", **headers: str) -> int:
        """Send a request's head; a GET ends with it."""
        stream_id = self.connection.get_next_available_stream_id()
        self.connection.send_headers(
            stream_id,
            [
                (":method", method),
                (":scheme", "https"),
                (":path", path),
                (":authority", self._host),
                *headers.items(),
            ],
            end_stream=method == "GET",
        )
        self.bodies[stream_id] = bytearray()
        self.flush()
        return stream_id

    def flush(self) -> None:
        self.socket.settimeout(PATIENCE_SECONDS)
        self.socket.sendall(self.connection.data_to_send())

    def receive(
        self, *, seconds: float = PATIENCE_SECONDS, acknowledge: frozenset[int] = frozenset()
    ) -> bool:
        """Take what comes next, and tell whether something came."""
        self.socket.settimeout(seconds)
        try:
            data = self.socket.recv(65_536)
        except OSError as error:
            self.closed = not isinstance(error, TimeoutError)
            return False
        if not data:
            self.closed = True
            return False
        for event in self.connection.receive_data(data):
            match event:
                case h2.events.ResponseReceived():
                    self.statuses[event.stream_id] = int(dict(event.headers)[b":status"])
                case h2.events.DataReceived():
                    self.bodies[event.stream_id] += event.data
                    if event.stream_id in acknowledge:
                        self.connection.acknowledge_received_data(
                            event.flow_controlled_length, event.stream_id
                        )
                case h2.events.StreamEnded():
                    self.ended.add(event.stream_id)
                case h2.events.StreamReset():
                    self.errors[event.stream_id] = event.error_code
                case h2.events.ConnectionTerminated():
                    self.closed = True
        self.flush()
        return True

    def receive_until_quiet(self) -> None:
        """Take all that comes without acknowledging any of it."""
        while self.receive(seconds=QUIET_SECONDS):
            pass

    def finish(self, stream_id: int) -> bytes:
        """Take the rest of a response and give it all."""
        held = len(self.bodies[stream_id])
        if held:
            self.connection.acknowledge_received_data(held, stream_id)
            self.flush()
        while stream_id not in self.ended and self.receive(acknowledge=frozenset({stream_id})):
            pass
        assert stream_id in self.ended
        return bytes(self.bodies[stream_id])

    def upload(
        self, stream_id: int, body: bytes, *, end: bool = False, seconds: float = PATIENCE_SECONDS
    ) -> int:
        """Send a body as far as the windows let it for so long, and give how far that was."""
        sent, size = 0, len(body)
        while sent < size and stream_id not in self.errors:
            room = min(
                self.connection.local_flow_control_window(stream_id),
                self.connection.max_outbound_frame_size,
                size - sent,
            )
            if room > 0:
                last = end and sent + room == size
                self.connection.send_data(stream_id, body[sent : sent + room], end_stream=last)
                self.flush()
                sent += room
            elif not self.receive(seconds=seconds):
                break
        return sent


@contextmanager
def http2(gate: Gateway, port: int, name: str = "origin.test") -> Iterator[Http2Client]:
    """Open a connection of HTTP/2 through the proxy."""
    with over_tls(gate, port, "h2", name) as client:
        assert client.selected_alpn_protocol() == "h2"
        yield Http2Client(client, f"{name}:{port}")


def answer_http2(peer: socket.socket, answer: Callable[[str], bytes | None]) -> None:
    """Be an HTTP/2 origin that answers by path, and takes no body: it never opens a window."""
    connection = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
    connection.initiate_connection()
    peer.sendall(connection.data_to_send())
    while data := peer.recv(65_536):
        for event in connection.receive_data(data):
            if isinstance(event, h2.events.RequestReceived):
                body = answer(dict(event.headers)[b":path"].decode())
                if body is not None:
                    connection.send_headers(event.stream_id, [(":status", "200")])
                    connection.send_data(event.stream_id, body, end_stream=True)
        peer.sendall(connection.data_to_send())
