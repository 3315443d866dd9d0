"""To a syslog server: RFC 5424 messages over TLS (RFC 5425), each with its length before it.

Syslog has no word that something has come. What was sent a moment before a connection ends may be lost,
and is therefore sent again on the next one.
"""

import socket
import ssl
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import orjson

from schoolgate.shipping.receivers import Place, Record

_TIMEOUT_SECONDS = 10.0
# Log audit (RFC 5424, 6.2.1); notice for what was blocked, else informational.
_FACILITY, _NOTICE, _INFO = 13, 5, 6
_LONGEST_ID = 32


class Syslog:
    """Sends to one server.

    Args:
        host: its name, which its certificate must have.
        port: of TCP.
        context: gives what trusts it, read anew for each connection.
        name: of this gateway, in each message.
        settle_seconds: after which what was sent counts as read, while the connection stands.
    """

    def __init__(
        self,
        host: str,
        port: int,
        context: Callable[[], ssl.SSLContext],
        name: str,
        settle_seconds: float = 5.0,
    ) -> None:
        self._host, self._port = host, port
        self._context = context
        self._name = name
        self.settle_seconds = settle_seconds
        self._socket: ssl.SSLSocket | None = None

    def send(self, records: Sequence[Record], place: Place | None = None) -> None:
        """Send them in one piece."""
        if self._socket is None:
            self._socket = self._connected()
        self.check()
        self._socket.sendall(b"".join(framed(message(record, self._name)) for record in records))

    def check(self) -> None:
        """See that the connection stands."""
        if self._socket is None:
            return
        self._socket.settimeout(0.0)
        try:
            if not self._socket.recv(1):
                raise ConnectionResetError("the server has ended the connection")
        except (ssl.SSLWantReadError, BlockingIOError):
            pass
        finally:
            self._socket.settimeout(_TIMEOUT_SECONDS)

    def close(self) -> None:
        """Let the connection go."""
        if self._socket is not None:
            with suppress(OSError):
                self._socket.close()
            self._socket = None

    def _connected(self) -> ssl.SSLSocket:
        plain = socket.create_connection((self._host, self._port), _TIMEOUT_SECONDS)
        try:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            return self._context().wrap_socket(plain, server_hostname=self._host)
        except BaseException:
            plain.close()
            raise


def trusting(
    ca_file: Path | None, certificate_file: Path | None = None, key_file: Path | None = None
) -> ssl.SSLContext:
    """Give what trusts a server, and shows it a certificate where there is one.

    A school's own authority often lacks what the strictest reading of RFC 5280 asks of it.

    Args:
        ca_file: the one authority that is trusted; None for the system's.
        certificate_file: of this gateway.
        key_file: of that.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca_file is None:
        context.load_default_certs()
    else:
        context.load_verify_locations(ca_file)
    if certificate_file is not None:
        context.load_cert_chain(certificate_file, key_file)
    return context


def message(record: Record, name: str) -> bytes:
    """Give a line as a message of RFC 5424, its text as JSON in UTF-8."""
    severity = _NOTICE if record.get("verdict") == "block" else _INFO
    priority = _FACILITY * 8 + severity
    event = _printable(str(record.get("event", "-")))[:_LONGEST_ID] or "-"
    at, host = record.get("ts", "-"), _printable(name) or "-"
    head = f"<{priority}>1 {at} {host} schoolgate - {event} - "
    return head.encode("ascii", "replace") + orjson.dumps(dict(record))


def framed(data: bytes) -> bytes:
    """Put its length before a message (RFC 5425, 4.3.1)."""
    return b"%d %b" % (len(data), data)


def _printable(text: str) -> str:
    return "".join(c for c in text if "!" <= c <= "~")
