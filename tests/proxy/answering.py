"""An origin that answers as the path of a request says, well or badly."""

import socket
import struct
import time

from tests.gateway import PATIENCE_SECONDS
from tests.wire import numbered

LONG = numbered(300_000)


def answer_by_path(peer: socket.socket) -> None:
    """Answer one request after another as its path says."""
    peer.settimeout(PATIENCE_SECONDS)
    received = b""
    while True:
        while b"\r\n\r\n" not in received:
            data = peer.recv(65_536)
            if not data:
                return
            received += data
        head, _, received = received.partition(b"\r\n\r\n")
        path = head.split()[1]
        length = next(
            (int(x[15:]) for x in head.split(b"\r\n") if x.lower().startswith(b"content-length:")),
            0,
        )
        if b"chunked" in head:
            while not received.endswith(b"0\r\n\r\n"):
                received += peer.recv(65_536)
            body, received = received, b""
        else:
            while len(received) < length:
                received += peer.recv(65_536)
            body, received = received[:length], received[length:]
        if not answer(peer, path, body):
            return


def answer(peer: socket.socket, path: bytes, body: bytes) -> bool:
    """Answer one request, and tell whether the connection is kept."""
    match path.removeprefix(b"/stream-down"):
        case b"/silent":
            return False
        case b"/reset":
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return False
        case b"/garbage":
            peer.sendall(b"\x00\x01 what is this\r\n\r\n")
        case b"/cut-short":
            peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nten bytes.")
            return False
        case b"/both-lengths":
            peer.sendall(
                b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
            )
        case b"/until-the-end":
            peer.sendall(b"HTTP/1.0 200 OK\r\n\r\nall there is")
            return False
        case b"/not-kept":
            peer.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 3\r\n\r\nbye")
            return False
        case b"/chunks":
            peer.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n")
            time.sleep(0.05)
            peer.sendall(b"3\r\nefg\r\n0\r\n\r\n")
        case b"/long":
            peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(LONG) + LONG)
        case b"/nothing-new":
            peer.sendall(b"HTTP/1.1 304 Not Modified\r\nETag: x\r\n\r\n")
        case b"/websocket":
            peer.sendall(
                b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
            )
            echo(peer)
            return False
        case _:
            text = b"hello " + path + b" " + body
            peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(text) + text)
    return True


def echo(peer: socket.socket) -> None:
    """Send each short masked frame back unmasked, and end after a close frame."""
    while True:
        head = receive(peer, 2)
        mask = receive(peer, 4)
        data = bytes(x ^ mask[i % 4] for i, x in enumerate(receive(peer, head[1] & 0x7F)))
        peer.sendall(bytes((head[0], len(data))) + data)
        if head[0] & 0x0F == 8:
            return


def receive(peer: socket.socket, size: int) -> bytes:
    """Receive so much."""
    data = b""
    while len(data) < size:
        piece = peer.recv(size - len(data))
        if not piece:
            raise ConnectionResetError("closed within a frame")
        data += piece
    return data
