"""A client of the proxy that reads its answers into one buffer and keeps none of them."""

import contextlib
import socket
import ssl

from tests.soak.stage import Site

_PIECE_BYTES = 256 * 1024


class UnexpectedError(Exception):
    """An answer is not what was to come."""


def head(method: str, target: str, site: Site, *fields: str) -> bytes:
    """Give the head of a request."""
    lines = [f"{method} {target} HTTP/1.1", f"Host: {site.authority}", *fields, "", ""]
    return "\r\n".join(lines).encode()


def url(site: Site, path: str) -> str:
    """Give the URL for a request without a tunnel."""
    return f"http://{site.authority}{path}"


def read_head(connection: socket.socket) -> tuple[int, int, bytes]:
    """Read the head of an answer; give status, announced length and what came of the body.

    Raises:
        UnexpectedError: when the connection ends before.
    """
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(16_384)
        if not piece:
            raise UnexpectedError(f"ended after {len(data)} bytes of a head")
        data += piece
    text, _, rest = data.partition(b"\r\n\r\n")
    length = 0
    for line in text.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    return int(text.split(b" ", 2)[1]), length, rest


def skip(connection: socket.socket, size: int) -> None:
    """Read so many bytes of a body.

    Raises:
        UnexpectedError: when there are less.
    """
    room = memoryview(bytearray(min(size, _PIECE_BYTES)))
    left = size
    while left > 0:
        got = connection.recv_into(room[: min(left, len(room))])
        if not got:
            raise UnexpectedError(f"ended {left} bytes before the end of a body")
        left -= got


def ask(connection: socket.socket, request: bytes, want: int) -> None:
    """Send a request and take its whole answer.

    Raises:
        UnexpectedError: when the answer is another.
    """
    connection.sendall(request)
    status, length, rest = read_head(connection)
    skip(connection, length - len(rest))
    if status != want:
        raise UnexpectedError(f"{status} instead of {want} for {request[:60]!r}")


def open_tunnel(connection: socket.socket, site: Site, want: int = 200) -> None:
    """Ask for a tunnel.

    Raises:
        UnexpectedError: when the answer is another.
    """
    ask(connection, head("CONNECT", site.authority, site), want)


def encrypt(connection: socket.socket, site: Site, context: ssl.SSLContext) -> ssl.SSLSocket:
    """Speak TLS in a tunnel; the connection belongs to what is given."""
    return context.wrap_socket(connection, server_hostname=site.host)


def client_hello(name: str) -> bytes:
    """Give the first bytes that a client of TLS says."""
    outgoing = ssl.MemoryBIO()
    context = ssl.create_default_context()
    client = context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname=name)
    with contextlib.suppress(ssl.SSLWantReadError):
        client.do_handshake()
    return outgoing.read()
