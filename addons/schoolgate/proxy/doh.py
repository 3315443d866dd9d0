"""DNS over HTTPS by its shape, whatever host it goes to (RFC 8484, RFC 9230, and Google's JSON form)."""

import re
from base64 import urlsafe_b64decode
from binascii import Error as Base64Error
from urllib.parse import unquote_to_bytes

from schoolgate.core.policy import Shape
from schoolgate.proxy.messages import ByName

_TYPES = (b"application/dns-message", b"application/dns-json", b"application/oblivious-dns-message")
_PATH = re.compile(rb"/dns-query(?:[/?]|$)", re.IGNORECASE)
_QUERY = re.compile(rb"[?&;]dns=([A-Za-z0-9_-]{16,})", re.IGNORECASE)
# RFC 1035, 4.1.1: a query asks one question, and is no answer.
_HEADER_BYTES, _QUESTIONS, _ONE, _IS_ANSWER = 12, slice(4, 6), b"\x00\x01", 0x80
_DOH = (Shape.DOH,)


def shapes_of_request(path: bytes, names: ByName) -> tuple[Shape, ...]:
    """Give `Shape.DOH` for a request that asks for names.

    Args:
        path: with its query, as it was sent.
        names: its headers.
    """
    for header in (b"content-type", b"accept"):
        value = names.get(header)
        # Nearly all have one of each, and no list.
        if value is not None and (
            _is_dns(value) if isinstance(value, bytes) else any(map(_is_dns, value))
        ):
            return _DOH
    if b"%" in path:
        # Servers read it so.
        path = unquote_to_bytes(path)
    if b"dns" not in path.lower():
        return ()
    if _PATH.search(path):
        return _DOH
    asked = _QUERY.search(path)
    return _DOH if asked is not None and _is_query(asked[1]) else ()


def _is_dns(value: bytes) -> bool:
    """Ask whether a media type, or one of a list of them, is DNS; case says nothing (RFC 9110, 8.3.1)."""
    value = value.lower()
    return b"dns" in value and any(each.lstrip().startswith(_TYPES) for each in value.split(b","))


def _is_query(text: bytes) -> bool:
    try:
        message = urlsafe_b64decode(text + b"=" * (-len(text) % 4))
    except Base64Error:
        return False
    return (
        len(message) >= _HEADER_BYTES
        and message[_QUESTIONS] == _ONE
        and not message[2] & _IS_ANSWER
    )
