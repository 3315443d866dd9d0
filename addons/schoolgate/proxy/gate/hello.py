"""Reads what a TLS ClientHello says of itself from the bytes that are there (RFC 8446, RFC 6066)."""

import struct
from dataclasses import dataclass

_HANDSHAKE = 22
_CLIENT_HELLO = 1
_SERVER_NAME = 0
_SUPPORTED_VERSIONS = 43
# Encrypted SNI, of the drafts before ECH: in the place of a server name that can be read.
_ENCRYPTED_NAME = 0xFFCE
_TLS_1_2 = 0x0303
# RFC 8701: numbers that stand for nothing, so that servers learn to ignore what they do not know.
_GREASE = frozenset(0x1010 * n + 0x0A0A for n in range(16))
_NUMBER = struct.Struct(">H")
_EXTENSION = struct.Struct(">HH")
_NAME = struct.Struct(">HBH")
# Browsers send 2 KiB; OpenSSL takes no more than 128 KiB.
MAX_HELLO_BYTES = 16 * 1024
_MAX_RECORDS = 16


@dataclass(frozen=True, slots=True)
class ClientHello:
    """What a client says before anything is encrypted.

    Attributes:
        server_name: as it stands there, ASCII; None where the client names nobody.
        hides_name: it carries an encrypted server name.
        newest: the newest version that it offers, as TLS numbers them; 0x0303 is TLS 1.2.
    """

    server_name: str | None
    hides_name: bool = False
    newest: int = _TLS_1_2

    @property
    def is_old(self) -> bool:
        """Whether it offers no version that is still in use (RFC 8996)."""
        return self.newest < _TLS_1_2


class NoHelloError(ValueError):
    """These bytes are not the beginning of a TLS connection, or cannot be read in one way."""


def read_hello(data: bytes) -> ClientHello | None:
    """Read the ClientHello that bytes begin with; None while it is not whole.

    Raises:
        NoHelloError: when it is none.
    """
    message = _only_record(data) or _first_message(data)
    if message is None:
        return None
    try:
        return _read(message)
    except (IndexError, UnicodeDecodeError, struct.error) as error:
        raise NoHelloError("the ClientHello does not parse") from error


def _only_record(data: bytes) -> bytes | None:
    """Give the message where it is one record and nothing else, as nearly all of them are."""
    if (
        data[:2] != b"\x16\x03"
        or data[5:6] != b"\x01"
        or len(data) != 5 + int.from_bytes(data[3:5])
    ):
        return None
    return data[5:] if len(data) - 9 == int.from_bytes(data[6:9]) <= MAX_HELLO_BYTES else None


def _first_message(data: bytes) -> bytes | None:
    """Put the first handshake message together from its records; None while one is not whole."""
    message, at = b"", 0
    for _ in range(_MAX_RECORDS):
        header = data[at : at + 5]
        if header and (header[0] != _HANDSHAKE or header[1:2] not in (b"\x03", b"")):
            raise NoHelloError("no TLS handshake")
        if len(header) < 5:
            return None
        size = int.from_bytes(header[3:5])
        if size == 0:
            raise NoHelloError("an empty record")
        message += data[at + 5 : at + 5 + size]
        want = _wanted(message)
        at += 5 + size
        if at > len(data):
            return None
        if len(message) > want:
            raise NoHelloError("more than a ClientHello")
        if len(message) == want:
            return message
    raise NoHelloError("a ClientHello in too many pieces")


def _wanted(message: bytes) -> int:
    """Give how long a message that begins like this must become."""
    if message and message[0] != _CLIENT_HELLO:
        raise NoHelloError("another handshake message")
    size = 4 + int.from_bytes(message[1:4]) if len(message) >= 4 else MAX_HELLO_BYTES
    if size > MAX_HELLO_BYTES:
        raise NoHelloError("a ClientHello that is too long")
    return size


def _read(message: bytes) -> ClientHello:
    """Read it; raises struct.error or IndexError where a length leads out of the message."""
    newest = _NUMBER.unpack_from(message, 4)[0]
    at = 4 + 2 + 32
    at += 1 + message[at]
    at += 2 + _NUMBER.unpack_from(message, at)[0]
    at += 1 + message[at]
    if at == len(message):
        return ClientHello(None, newest=newest)
    end = at + 2 + _NUMBER.unpack_from(message, at)[0]
    if end != len(message):
        raise NoHelloError("the extensions do not end where the message does")
    at += 2
    found, hides_name = None, False
    while at < end:
        kind, size = _EXTENSION.unpack_from(message, at)
        if kind == _SERVER_NAME:
            if found is not None:
                raise NoHelloError("two server names")
            found = _host_name(message[at + 4 : at + 4 + size])
        elif kind == _SUPPORTED_VERSIONS:
            newest = _newest(message[at + 4 : at + 4 + size])
        elif kind == _ENCRYPTED_NAME:
            hides_name = True
        at += 4 + size
    if at != end:
        raise NoHelloError("an extension that is longer than the message")
    return ClientHello(found, hides_name, newest)


def _newest(body: bytes) -> int:
    """Give the newest of the versions that a list offers (RFC 8446, 4.2.1), 0 where it offers none."""
    if len(body) != 1 + body[0] or body[0] % 2:
        raise NoHelloError("a list of versions with two readings")
    offered = {_NUMBER.unpack_from(body, at)[0] for at in range(1, len(body), 2)}
    return max(offered - _GREASE, default=0)


def _host_name(body: bytes) -> str:
    # One name of type host_name (0) is all that RFC 6066 lets a client send today.
    listed, kind, size = _NAME.unpack_from(body)
    if kind != 0 or listed != size + 3 or len(body) != size + 5:
        raise NoHelloError("a server name list with two readings")
    return body[5:].decode("ascii")
