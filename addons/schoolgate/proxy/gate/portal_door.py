"""Leads clients to the portal: its name, asked for through the proxy, is answered by the gateway itself.

It stands before every decision, so that the portal can be reached by those who are banned too. The
address of the client goes with each request in a header that the door alone sets, over a socket that
only the gateway may open; what a client wrote there itself is dropped. Each request has a
connection of its own to the portal, so that nothing that follows one can be taken for another. It is
made when the whole request is there: the portal's few threads wait for no client.
"""

import asyncio
import contextlib
import re
import socket
import ssl
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from schoolgate.core.errors import BadAddressError
from schoolgate.core.urls import DEFAULT_PORTS, parse_url
from schoolgate.proxy.gate.heads import MAX_HEAD_BYTES
from schoolgate.services import portal_headers
from schoolgate.services.callers import Asking, Entry
from schoolgate.workers.local import local_address

_STEP_SECONDS = 10.0
# For a whole request and its answer; the largest forms are a megabyte.
_LONGEST_SECONDS = 120.0
_CHUNK_BYTES = 64 * 1024
# The largest form, with its fields' names.
MAX_BODY_BYTES = 1_200_000
# What is held for them at once, bodies among it, has a bound; a class may share an address.
MOST_OF_CLIENT, MOST = 128, 512
_END = b"\r\n\r\n"
_FIRST = re.compile(r"([A-Z]{3,10}) (\S+) HTTP/1\.[01]")
_FIELD = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\r\n\x00]*)")
# Of this connection, or for the door alone to say (RFC 9110, 7.6.1).
_DROPPED = frozenset(
    {
        "host", "connection", "keep-alive", "upgrade", "te", "trailer", "expect", "forwarded",
        "content-length", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host",
    }
)  # fmt: skip
_DROPPED_BEGINNINGS = ("proxy-", portal_headers.PREFIX)
_INERT = (
    "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\n"
    "X-Content-Type-Options: nosniff\r\nCache-Control: no-store\r\n"
)
_EMPTY = f"{_INERT}Content-Length: 0\r\nConnection: close\r\n\r\n"
_BAD_REQUEST = f"HTTP/1.1 400 Bad Request\r\n{_EMPTY}".encode()
_TOO_LARGE = f"HTTP/1.1 413 Content Too Large\r\n{_EMPTY}".encode()
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_TEXT = "The school's portal is not running at the moment. The filter is.\n"
_NOT_RUNNING = (
    "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain; charset=utf-8\r\n"
    f"{_INERT}Retry-After: 10\r\n"
    f"Content-Length: {len(_TEXT)}\r\nConnection: close\r\n\r\n{_TEXT}"
).encode()


class Passed(NamedTuple):
    """A request as the portal gets it.

    Attributes:
        head: with the empty line.
        length: of its body, bytes.
        waits: whether the client waits for a word before it sends that (RFC 9110, 10.1.1).
    """

    head: bytes
    length: int
    waits: bool


class NoRequestError(ValueError):
    """Not the head of a request that could be passed on."""


class PortalDoor:
    """Takes connections whose client asked for the portal.

    Args:
        public_url: the portal's address, without a path.
        socket_file: where it is asked.
        context: gives the TLS context of a name.

    Attributes:
        host: the portal's name.
    """

    def __init__(
        self, public_url: str, socket_file: Path, context: Callable[[str], ssl.SSLContext]
    ) -> None:
        url = parse_url(public_url)
        self.host = url.host
        self._ports = {url.port, DEFAULT_PORTS["https"]}
        self._authority = public_url.partition("://")[2]
        self._context = context
        self._led: Counter[str] = Counter()
        self._held = contextlib.ExitStack()
        self._address = self._held.enter_context(local_address(socket_file))
        name = re.escape(url.host.encode())
        self._plain = re.compile(rb"[A-Z]{3,10} http://" + name + rb"(?::[0-9]+)?[/? ]", re.I)

    def close(self) -> None:
        """Let the socket's directory go."""
        self._held.close()

    def is_asked(self, data: bytes) -> bool:
        """Ask whether a request to the proxy begins as one for the portal does, without a tunnel."""
        return self._plain.match(data) is not None

    def is_behind(self, host: str, port: int) -> bool:
        """Ask whether a tunnel to a normalised host leads to the portal."""
        return host == self.host and port in self._ports

    async def lead(
        self, connection: socket.socket, client: str, *, tls: bool, shared: Entry | None = None
    ) -> None:
        """Pass one request and its answer on, and close the connection.

        Args:
            connection: non-blocking, its bytes unread.
            client: its address.
            tls: whether the client is about to speak TLS.
            shared: reads whose request it is, where ``client`` is a load balancer.
        """
        full = shared is None and self._led[client] >= MOST_OF_CLIENT
        if full or self._led.total() >= MOST:
            connection.close()
            return
        self._led[client] += 1
        try:
            async with asyncio.timeout(_LONGEST_SECONDS):
                await self._lead(connection, client, tls=tls, shared=shared)
        except (OSError, EOFError, asyncio.LimitOverrunError):
            # It has gone, does not trust the CA, or is too slow: there is nobody to tell.
            return
        finally:
            self._led[client] -= 1
            if not self._led[client]:
                del self._led[client]

    async def _lead(
        self, connection: socket.socket, client: str, *, tls: bool, shared: Entry | None
    ) -> None:
        try:
            context = self._context(self.host) if tls else None
        except BaseException:
            connection.close()
            raise
        # From here on the socket is the transport's to close.
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(limit=MAX_HEAD_BYTES)
        protocol = asyncio.StreamReaderProtocol(reader)
        transport, _ = await loop.connect_accepted_socket(
            lambda: protocol,
            connection,
            ssl=context,
            ssl_handshake_timeout=_STEP_SECONDS if tls else None,
        )
        writer = asyncio.StreamWriter(transport, protocol, reader, loop)
        try:
            async with asyncio.timeout(_STEP_SECONDS):
                raw = await reader.readuntil(_END)
            try:
                request = self.passed_on(raw, client, "https" if tls else "http", shared)
            except NoRequestError:
                writer.write(_BAD_REQUEST)
                return
            if request.length > MAX_BODY_BYTES:
                writer.write(_TOO_LARGE)
                return
            if request.waits:
                writer.write(_CONTINUE)
            body = await reader.readexactly(request.length)
            await self._answer(request.head + body, writer)
        finally:
            with contextlib.suppress(OSError, TimeoutError):
                writer.close()
                async with asyncio.timeout(_STEP_SECONDS):
                    await writer.wait_closed()
            transport.abort()

    async def _answer(self, request: bytes, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_STEP_SECONDS):
                answers, asks = await asyncio.open_unix_connection(self._address)
        except OSError:
            writer.write(_NOT_RUNNING)
            return
        try:
            asks.write(request)
            while data := await answers.read(_CHUNK_BYTES):
                # Not drained: a slow client would hold a thread of the portal.
                writer.write(data)
        finally:
            asks.close()

    def passed_on(
        self, raw: bytes, client: str, scheme: str, shared: Entry | None = None
    ) -> Passed:
        """Give a request as the portal gets it, from its head.

        Raises:
            NoRequestError: when it cannot be read in one way only.
        """
        first, *lines = raw.removesuffix(_END).decode("latin-1").split("\r\n")
        found = _FIRST.fullmatch(first)
        if found is None:
            raise NoRequestError("no request line")
        method, target = found.groups()
        said = list(_fields(lines))
        length = _length(said)
        if shared is not None:
            values = [value for name, value in said if name.lower() == shared.header]
            client = shared.named(Asking(client, values, ()))
        authority = self._authority if scheme == "https" else self.host
        fields = [
            f"{method} {_path(target)} HTTP/1.1",
            f"Host: {authority}",
            f"{portal_headers.CLIENT}: {client}",
            f"{portal_headers.SCHEME}: {scheme}",
            f"Content-Length: {length}",
            "Connection: close",
            *(f"{name}: {value}" for name, value in said if not _is_dropped(name)),
        ]
        head = ("\r\n".join(fields) + "\r\n\r\n").encode("latin-1")
        return Passed(head, length, any(_plain(name) == "expect" for name, _ in said))


def _path(target: str) -> str:
    """Give the path of a target in either form (RFC 9112, 3.2)."""
    if target.startswith("/"):
        return target
    try:
        url = parse_url(target)
    except BadAddressError as error:
        raise NoRequestError("no target") from error
    return f"{url.path}?{url.query}" if url.query else url.path


def _fields(lines: list[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        found = _FIELD.fullmatch(line)
        if found is None:
            raise NoRequestError("a header line with two readings")
        yield found[1], found[2]


def _length(fields: list[tuple[str, str]]) -> int:
    """Give the length of the body; one without is for no browser to send."""
    names = [_plain(name) for name, _ in fields]
    if "transfer-encoding" in names or names.count("content-length") > 1:
        raise NoRequestError("a body with two readings")
    value = next((v for name, v in fields if _plain(name) == "content-length"), "0").strip()
    if not (value.isascii() and value.isdigit() and len(value) < 20):
        raise NoRequestError("a body without a length")
    return int(value)


def _is_dropped(name: str) -> bool:
    plain = _plain(name)
    return plain in _DROPPED or plain.startswith(_DROPPED_BEGINNINGS)


def _plain(name: str) -> str:
    """Give the name as WSGI has it, which takes one spelling for the other."""
    return name.lower().replace("_", "-")
