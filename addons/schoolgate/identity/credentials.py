"""What a client sends to sign in to the proxy, and how it is asked to (RFC 9110, 11; 7617; 4559)."""

import base64
import binascii
import ipaddress
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field

# A Kerberos ticket of a person in very many groups of Active Directory stays below this.
_LONGEST = 64 * 1024
_LONGEST_BASIC = 4096
REALM = "schoolgate"


@dataclass(frozen=True, slots=True)
class Password:
    """A user name and a password; never shown in a log."""

    user: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Ticket:
    """A token of Negotiate (SPNEGO); never shown in a log."""

    token: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Challenge:
    """The answer 407, with what it offers.

    Attributes:
        headers: name and value of each, the strongest scheme first.
        status: 407, or 403 where nothing may be offered: a client that is asked for nothing it can
            give would ask again without end.
    """

    headers: tuple[tuple[str, str], ...]
    status: int = 407


def parse_credentials(values: Sequence[str]) -> Password | Ticket | None:
    """Read the Proxy-Authorization header; what cannot be read in exactly one way is nothing.

    Args:
        values: of every such header of the request; two are one too many.
    """
    if len(values) != 1 or len(values[0]) > _LONGEST:
        return None
    scheme, _, rest = values[0].strip(" \t").partition(" ")
    token = rest.strip(" ")
    match scheme.lower():
        case "basic" if len(token) <= _LONGEST_BASIC:
            return _password(token)
        case "negotiate":
            raw = _decoded(token)
            return Ticket(raw) if raw else None
        case _:
            return None


def _password(token: str) -> Password | None:
    """Read user and password as UTF-8 (RFC 7617, 2.1); a user name has no colon, a password may."""
    raw = _decoded(token)
    try:
        text = unicodedata.normalize("NFC", raw.decode("utf-8"))
    except UnicodeDecodeError:
        return None
    user, colon, password = text.partition(":")
    # Control characters are forbidden; without a password nothing would be checked.
    if not colon or not user or not password or any(unicodedata.category(c) == "Cc" for c in text):
        return None
    return Password(user, password)


def _decoded(token: str) -> bytes:
    try:
        return base64.b64decode(token, validate=True)
    except (binascii.Error, ValueError):
        return b""


def challenge(
    client: str,
    *,
    over_tls: bool,
    negotiate: bool,
    basic: bool,
    token: bytes = b"",
) -> Challenge:
    """Say how a client is asked to sign in.

    A password is asked for only where nobody on the way can read it: over TLS to the proxy, or on
    this machine. A ticket proves nothing to who overhears it, so it may be asked for anywhere.

    Args:
        client: its address.
        over_tls: whether its connection to the proxy is TLS.
        negotiate: whether tickets are accepted.
        basic: whether passwords are.
        token: the acceptor's last word to the client, if there is one.
    """
    headers: list[tuple[str, str]] = []
    if negotiate:
        spoken = f" {base64.b64encode(token).decode()}" if token else ""
        headers.append(("Proxy-Authenticate", f"Negotiate{spoken}"))
    if basic and (over_tls or _is_loopback(client)):
        headers.append(("Proxy-Authenticate", f'Basic realm="{REALM}", charset="UTF-8"'))
    return Challenge(tuple(headers), 407 if headers else 403)


def may_send_password(client: str, *, over_tls: bool) -> bool:
    """Ask whether a password that came on this connection may be used; else it must be ignored."""
    return over_tls or _is_loopback(client)


def _is_loopback(client: str) -> bool:
    try:
        address = ipaddress.ip_address(client)
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback
