"""The names in a ClientHello, for those that mitmproxy reads; the gate has its own reader (`gate.hello`)."""

import struct
from typing import Any

from mitmproxy import tls
from mitmproxy.net.check import is_valid_host

_NUMBER, _EXTENSION, _NAME = struct.Struct(">H"), struct.Struct(">HH"), struct.Struct(">HBH")
_SERVER_NAME, _ALPN = 0, 16


class PlainHello(tls.ClientHello):
    """Stands in for ClientHello, which makes an object of every number.

    What is not as plain as every browser writes it is read by mitmproxy, as is all but the names.
    """

    def __init__(self, raw_client_hello: bytes, dtls: bool = False) -> None:
        try:
            self._names = None if dtls else _names_of(raw_client_hello)
        except (IndexError, struct.error):
            self._names = None
        if self._names is None:
            super().__init__(raw_client_hello, dtls)
        self._raw_bytes = raw_client_hello

    def __getattr__(self, name: str) -> Any:
        if name != "_client_hello":
            raise AttributeError(name)
        self._client_hello = tls.ClientHello(self._raw_bytes)._client_hello
        return self._client_hello

    @property
    def sni(self) -> str | None:
        """The host that is asked for."""
        return super().sni if self._names is None else self._names[0]

    @property
    def alpn_protocols(self) -> list[bytes]:
        """The protocols that are offered."""
        return super().alpn_protocols if self._names is None else self._names[1]


def _names_of(hello: bytes) -> tuple[str | None, list[bytes]] | None:
    """Give server name and protocols of a ClientHello (RFC 8446, 4.1.2), None where it is unusual.

    Raises:
        IndexError: when a length leads out of it; struct.error likewise.
    """
    at = 34
    at += 1 + hello[at]
    ciphers = _NUMBER.unpack_from(hello, at)[0]
    at += 2 + ciphers
    at += 1 + hello[at]
    if ciphers % 2 or len(hello) != at + 2 + _NUMBER.unpack_from(hello, at)[0]:
        return None
    at += 2
    bodies: dict[int, bytes] = {}
    while at < len(hello):
        kind, size = _EXTENSION.unpack_from(hello, at)
        if kind in bodies or at + 4 + size > len(hello):
            return None
        bodies[kind] = hello[at + 4 : at + 4 + size]
        at += 4 + size
    name, protocols = None, []
    if (body := bodies.get(_SERVER_NAME)) is not None:
        listed, kind, size = _NAME.unpack_from(body)
        if kind or listed != size + 3 or len(body) != size + 5 or not is_valid_host(body[5:]):
            return None
        name = body[5:].decode("ascii")
    if (body := bodies.get(_ALPN)) is not None:
        if len(body) != 2 + _NUMBER.unpack_from(body)[0]:
            return None
        at = 2
        while at < len(body):
            protocols.append(body[at + 1 : at + 1 + body[at]])
            at += 1 + body[at]
        if at != len(body):
            return None
    return name, protocols
