"""RADIUS accounting on the wire (RFC 2866): a datagram in, an event and the answer out; no I/O.

A small parser of its own: an accounting request is a header of 20 bytes and attributes of type,
length and value, of which about a dozen matter here. The library that could read it needs a
dictionary file that it does not ship, is not typed, raises bare exceptions on some datagrams and
would have to be told each check that must be made anyway.
"""

import hashlib
import hmac
import ipaddress
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum

from schoolgate.core.hardware import mac_or_nothing
from schoolgate.core.hosts import IpNetwork
from schoolgate.core.prefixes import client_address

MAX_BYTES = 4096  # RFC 2865, 3
_HEADER = 20
_REQUEST, _RESPONSE = 4, 5
_NO_AUTHENTICATOR = bytes(16)
# A longer prefix of an address block would name a whole site, or everybody.
_WIDEST_PREFIX = 48


class Attribute(IntEnum):
    """The attributes that are read, by their numbers (IANA RADIUS types)."""

    USER_NAME = 1
    NAS_IP_ADDRESS = 4
    FRAMED_IP_ADDRESS = 8
    CLASS = 25
    CALLING_STATION_ID = 31
    NAS_IDENTIFIER = 32
    PROXY_STATE = 33
    ACCT_STATUS_TYPE = 40
    ACCT_DELAY_TIME = 41
    ACCT_SESSION_ID = 44
    MESSAGE_AUTHENTICATOR = 80
    NAS_IPV6_ADDRESS = 95
    FRAMED_IPV6_PREFIX = 97
    FRAMED_IPV6_ADDRESS = 168


class Status(IntEnum):
    """What happened (Acct-Status-Type)."""

    START = 1
    STOP = 2
    INTERIM_UPDATE = 3
    ACCOUNTING_ON = 7
    ACCOUNTING_OFF = 8


class BadDatagramError(ValueError):
    """What came is no accounting request of a NAS that knows the secret: it is not answered."""


@dataclass(frozen=True, slots=True)
class Event:
    """What a NAS reported; what it did not say is empty.

    Attributes:
        status: what happened; None for a kind that does not concern us.
        nas: the NAS as it names itself.
        session: Acct-Session-Id.
        user: User-Name as it came.
        classes: the Class attributes as text.
        mac: Calling-Station-Id, normalised.
        addresses: of the device, in their one form.
        prefixes: from which the device makes its addresses.
        delay_seconds: for how long the NAS has been trying to report it.
    """

    status: Status | None
    nas: str
    session: str
    user: str
    classes: tuple[str, ...]
    mac: str
    addresses: tuple[str, ...]
    prefixes: tuple[IpNetwork, ...]
    delay_seconds: int


@dataclass(frozen=True, slots=True)
class Request:
    """A genuine accounting request.

    Attributes:
        event: what it reports.
        authenticator: proof of the secret; with the identifier it tells a repetition.
        identifier: of the request.
        answer: the datagram that acknowledges it, to be sent once the event is recorded.
    """

    event: Event
    authenticator: bytes
    identifier: int
    answer: bytes


def read_request(datagram: bytes, secret: bytes) -> Request:
    """Read an accounting request and check that its sender knows the secret.

    Raises:
        BadDatagramError: for whatever else it is; such a datagram is dropped without an answer, as
            RFC 2866 (section 3) asks.
    """
    if len(datagram) < _HEADER:
        raise BadDatagramError("is too short")
    code, identifier = datagram[0], datagram[1]
    length = int.from_bytes(datagram[2:4])
    if code != _REQUEST:
        raise BadDatagramError(f"is no accounting request (code {code})")
    if not _HEADER <= length <= min(len(datagram), MAX_BYTES):
        raise BadDatagramError("has a wrong length")
    packet = datagram[:length]  # what stands behind is padding (RFC 2865, 3)
    authenticator = packet[4:20]
    unsigned = packet[:4] + _NO_AUTHENTICATOR + packet[20:]
    if not hmac.compare_digest(_md5(unsigned + secret), authenticator):
        raise BadDatagramError("does not know the secret")
    attributes = list(_attributes(packet))
    _check_message_authenticator(unsigned, attributes, secret)
    return Request(
        _event([(kind, value) for kind, value, _ in attributes]),
        authenticator,
        identifier,
        _answer(identifier, authenticator, attributes, secret),
    )


def _md5(content: bytes) -> bytes:
    # The protocol's own checksum; there is no other (RFC 2866, 3).
    return hashlib.md5(content, usedforsecurity=False).digest()


def _attributes(packet: bytes) -> Iterator[tuple[int, bytes, int]]:
    """Give type, value and the place of the value of each attribute."""
    at = _HEADER
    while at < len(packet):
        if at + 2 > len(packet):
            raise BadDatagramError("ends within an attribute")
        kind, length = packet[at], packet[at + 1]
        if length < 2 or at + length > len(packet):
            raise BadDatagramError("has an attribute of a wrong length")
        yield kind, packet[at + 2 : at + length], at + 2
        at += length


def _check_message_authenticator(
    unsigned: bytes, attributes: Sequence[tuple[int, bytes, int]], secret: bytes
) -> None:
    """Check the stronger proof where it is there: HMAC-MD5 over the packet without both proofs."""
    found = [
        (value, at) for kind, value, at in attributes if kind == Attribute.MESSAGE_AUTHENTICATOR
    ]
    if not found:
        return
    value, at = found[0]
    if len(found) > 1 or len(value) != 16:
        raise BadDatagramError("has a wrong Message-Authenticator")
    blank = unsigned[:at] + bytes(16) + unsigned[at + 16 :]
    if not hmac.compare_digest(hmac.digest(secret, blank, "md5"), value):
        raise BadDatagramError("has a wrong Message-Authenticator")


def _answer(
    identifier: int,
    authenticator: bytes,
    attributes: Sequence[tuple[int, bytes, int]],
    secret: bytes,
) -> bytes:
    """Give the acknowledgement; Proxy-State goes back as it came (RFC 2865, 5.33)."""
    states = b"".join(
        bytes([kind, len(value) + 2]) + value
        for kind, value, _ in attributes
        if kind == Attribute.PROXY_STATE
    )
    head = bytes([_RESPONSE, identifier]) + (_HEADER + len(states)).to_bytes(2)
    return head + _md5(head + authenticator + states + secret) + states


def _event(attributes: list[tuple[int, bytes]]) -> Event:
    def every(kind: Attribute) -> list[bytes]:
        return [value for found, value in attributes if found == kind]

    def text(kind: Attribute) -> str:
        values = every(kind)
        return _text(values[0]) if len(values) == 1 else ""

    def number(kind: Attribute) -> int:
        values = every(kind)
        return int.from_bytes(values[0]) if len(values) == 1 and len(values[0]) == 4 else 0

    try:
        status = Status(number(Attribute.ACCT_STATUS_TYPE))
    except ValueError:
        status = None
    addresses = [
        address
        for kind, size in ((Attribute.FRAMED_IP_ADDRESS, 4), (Attribute.FRAMED_IPV6_ADDRESS, 16))
        for value in every(kind)
        if (address := _address(value, size))
    ]
    prefixes = [found for value in every(Attribute.FRAMED_IPV6_PREFIX) if (found := _prefix(value))]
    own = [
        _address(value, size)
        for kind, size in ((Attribute.NAS_IP_ADDRESS, 4), (Attribute.NAS_IPV6_ADDRESS, 16))
        for value in every(kind)
    ]
    return Event(
        status=status,
        nas=" ".join(filter(None, [text(Attribute.NAS_IDENTIFIER), *own])),
        session=text(Attribute.ACCT_SESSION_ID),
        user=text(Attribute.USER_NAME),
        classes=tuple(filter(None, map(_text, every(Attribute.CLASS)))),
        # A wireless controller may add ":SSID" to Called-Station-Id only, never to this one.
        mac=mac_or_nothing(text(Attribute.CALLING_STATION_ID)),
        addresses=tuple(dict.fromkeys(addresses)),
        prefixes=tuple(dict.fromkeys(prefixes)),
        delay_seconds=number(Attribute.ACCT_DELAY_TIME),
    )


def _text(value: bytes) -> str:
    """Give a text of UTF-8 without control characters, or nothing."""
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError:
        return ""
    return text if text.isprintable() else ""


def _address(value: bytes, size: int) -> str:
    """Give an address, or nothing: 255.255.255.254 and .255 mean that none was given (5.8)."""
    if len(value) != size or not any(value) or value[:3] == b"\xff\xff\xff":
        return ""
    return client_address(str(ipaddress.ip_address(value)))


def _prefix(value: bytes) -> IpNetwork | None:
    """Give a prefix (RFC 3162, 2.3: a reserved byte, the length, the bytes that matter), or None."""
    if not 2 <= len(value) <= 18 or not _WIDEST_PREFIX <= value[1] <= 128:
        return None
    address = int.from_bytes(value[2:].ljust(16, b"\0"))
    return ipaddress.IPv6Network((address, value[1]), strict=False)
