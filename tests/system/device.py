"""A device that tries ways round the filter, run inside its namespace for as long as the tests ask.

``python -m tests.system.device`` reads one try a line, as JSON, and prints what came of it, as JSON.
"""

import asyncio
import json
import socket
import ssl
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import h2.config
import h2.connection
import h2.errors
import h2.events
from aioquic.asyncio.client import connect
from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.h3.connection import H3_ALPN, H3Connection
from aioquic.h3.events import HeadersReceived
from aioquic.quic.configuration import QuicConfiguration

# What is dropped costs this much; what is answered is answered much sooner.
SECONDS = 20.0
QUIC_SECONDS = 4.0
_FAMILIES = {4: socket.AF_INET, 6: socket.AF_INET6}

type Try = Mapping[str, Any]
type Outcome = dict[str, Any]


def tried(what: Try) -> Outcome:
    """Try one way, and say how far it came.

    Args:
        what: ``host`` and ``port`` to be reached by a ``family``, through a ``proxy`` where one is named,
            at another address (``at``) where that is given; then ``say`` in hex, or ``sni`` for TLS
            (empty for none) with ``alpn``; then ``asks``, each a list of header fields, or ``lines``.
    """
    try:
        with _reached(what) as plain:
            if what.get("proxy"):
                refused = _tunnelled(plain, what)
                if refused:
                    return refused
            if "say" in what:
                plain.sendall(bytes.fromhex(what["say"]))
                return {"heard": _heard(plain)}
            if "sni" not in what:
                return _asked(plain, what)
            with _encrypted(plain, what) as inner:
                if "inner" in what:
                    inner.sendall(bytes.fromhex(what["inner"]))
                    return {"heard": _heard(inner)}
                return _asked(inner, what)
    except TimeoutError:
        return {"cut": "silent"}
    except ssl.SSLError as error:
        return {"cut": error.reason or str(error)}
    except OSError as error:
        return {"cut": type(error).__name__}


def _reached(what: Try) -> socket.socket:
    family = _FAMILIES[what["family"]]
    place = what.get("proxy") or (what.get("at") or what["host"], what["port"])
    found = socket.getaddrinfo(place[0], place[1], family, socket.SOCK_STREAM)
    one = socket.socket(family, socket.SOCK_STREAM)
    one.settimeout(SECONDS)
    try:
        one.connect(found[0][4])
    except BaseException:
        one.close()
        raise
    return one


def _tunnelled(plain: socket.socket, what: Try) -> Outcome | None:
    """Ask the proxy for a tunnel, unless it is asked for a page; give how that was refused."""
    if what.get("is_plain"):
        return None
    host = what["host"]
    where = f"[{host}]:{what['port']}" if ":" in host else f"{host}:{what['port']}"
    plain.sendall(f"CONNECT {where} HTTP/1.1\r\nHost: {where}\r\n\r\n".encode())
    head = b""
    while b"\r\n\r\n" not in head:
        piece = plain.recv(1)
        if not piece:
            return {"cut": "before an answer"}
        head += piece
    found = _answer(head)
    return None if found["status"] == 200 else {**found, "connect": True}


def _encrypted(plain: socket.socket, what: Try) -> ssl.SSLSocket:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # Who speaks is seen by the answer.
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols([what.get("alpn", "http/1.1")])
    return context.wrap_socket(plain, server_hostname=what["sni"] or None)


def _asked(line: socket.socket, what: Try) -> Outcome:
    if "asks" in what:
        return _over_http2(line, what["asks"])
    line.sendall("\r\n".join((*what["lines"], "Connection: close", "", "")).encode())
    line.sendall(bytes.fromhex(what.get("body", "")))
    received = b""
    with suppress(ssl.SSLError, ConnectionError):
        while piece := line.recv(65_536):
            received += piece
            if b"\r\n\r\n" in received and _is_whole(received):
                break
    return _answer(received) if received else {"cut": "without an answer"}


def _is_whole(received: bytes) -> bool:
    head, _, body = received.partition(b"\r\n\r\n")
    fields = _fields(head)
    if head.startswith(b"HTTP/1.1 101"):
        return True
    return "content-length" in fields and len(body) >= int(fields["content-length"])


def _fields(head: bytes) -> dict[str, str]:
    pairs = (line.partition(":") for line in head.decode("latin-1").split("\r\n")[1:])
    return {name.lower(): value.strip() for name, _, value in pairs}


def _answer(received: bytes) -> Outcome:
    head, _, body = received.partition(b"\r\n\r\n")
    fields = _fields(head)
    return {
        "status": int(head.split(b" ")[1]),
        "clause": fields.get("x-schoolgate-clause", ""),
        "fields": sorted(fields),
        "is_origin": b"origin says" in body,
    }


def _heard(line: socket.socket) -> str:
    """Give what is said until the end, in hex; of TLS the first record alone."""
    heard = b""
    with suppress(ConnectionError, ssl.SSLError):
        while piece := line.recv(4096):
            heard += piece
            if heard[:1] == b"\x16" or len(heard) >= 64:
                break
    return heard[:16].hex()


def _over_http2(line: socket.socket, asks: list[list[list[str]]]) -> Outcome:
    """Ask one after the other on one connection; give the last answer, and whether it was reset."""
    config = h2.config.H2Configuration(
        validate_outbound_headers=False, normalize_outbound_headers=False
    )
    connection = h2.connection.H2Connection(config)
    connection.initiate_connection()
    outcome: Outcome = {}
    for fields in asks:
        number = connection.get_next_available_stream_id()
        pairs = [(name.encode(), value.encode()) for name, value in fields]
        is_open = (b":method", b"CONNECT") in pairs
        connection.send_headers(number, pairs, end_stream=not is_open)
        line.sendall(connection.data_to_send())
        outcome = _answer_on(line, connection, number)
    return outcome


def _answer_on(line: socket.socket, connection: Any, number: int) -> Outcome:
    outcome: Outcome = {"is_origin": False}
    while data := line.recv(65_536):
        for event in connection.receive_data(data):
            match event:
                case h2.events.ResponseReceived(stream_id=at) if at == number:
                    fields = {name.decode(): value.decode() for name, value in event.headers}
                    outcome["status"] = int(fields[":status"])
                    outcome["clause"] = fields.get("x-schoolgate-clause", "")
                    outcome["fields"] = sorted(fields)
                case h2.events.DataReceived(stream_id=at) if at == number:
                    outcome["is_origin"] |= b"origin says" in event.data
                case h2.events.StreamEnded(stream_id=at) if at == number:
                    return outcome
                case h2.events.StreamReset(stream_id=at) if at == number:
                    return {**outcome, "cut": "reset"}
                case h2.events.ConnectionTerminated():
                    return {**outcome, "cut": "terminated"}
        line.sendall(connection.data_to_send())
    return {**outcome, "cut": "closed"}


# -- HTTP/3 -----------------------------------------------------------------------------------------


class _Http3(QuicConnectionProtocol):
    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._http = H3Connection(self._quic)
        self.status: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def quic_event_received(self, event: Any) -> None:
        for found in self._http.handle_event(event):
            if isinstance(found, HeadersReceived) and not self.status.done():
                self.status.set_result(int(dict(found.headers)[b":status"]))

    async def ask(self, host: str) -> int:
        names = {":method": "GET", ":scheme": "https", ":authority": host, ":path": "/"}
        fields = [(name.encode(), value.encode()) for name, value in names.items()]
        self._http.send_headers(self._quic.get_next_available_stream_id(), fields, end_stream=True)
        self.transmit()
        return await self.status


async def over_quic(what: Try) -> Outcome:
    """Ask for a page over HTTP/3."""
    config = QuicConfiguration(
        is_client=True, alpn_protocols=H3_ALPN, server_name=what["host"],
        verify_mode=ssl.CERT_NONE, idle_timeout=QUIC_SECONDS,
    )  # fmt: skip
    try:
        async with (
            asyncio.timeout(QUIC_SECONDS),
            connect(what["at"], 443, configuration=config, create_protocol=_Http3) as line,
        ):
            assert isinstance(line, _Http3)
            return {"status": await line.ask(what["host"])}
    except (TimeoutError, ConnectionError, OSError) as error:
        return {"cut": type(error).__name__}


def metrics(what: Try) -> Outcome:
    """Give the samples of this machine's metrics whose names begin in a way."""
    with socket.create_connection(("127.0.0.1", 9180), SECONDS) as line:
        line.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
        received = b""
        while piece := line.recv(65_536):
            received += piece
    lines = received.decode().splitlines()
    found = (line.rpartition(" ") for line in lines if line.startswith(what["metrics"]))
    return {name: float(value) for name, _, value in found}


def _main() -> None:
    for line in sys.stdin:
        what = json.loads(line)
        if "metrics" in what:
            outcome = metrics(what)
        elif what.get("is_quic"):
            outcome = asyncio.run(over_quic(what))
        else:
            outcome = tried(what)
        print(json.dumps(outcome), flush=True)


if __name__ == "__main__":
    _main()
