"""Reads the head of a proxy request at a glance; what is unusual is left to the full parser."""

import re
from typing import NamedTuple

from schoolgate.core.errors import BadAddressError
from schoolgate.core.urls import Url, parse_url

# RFC 9112, 3: longer request lines are for the full parser, which answers them.
MAX_HEAD_BYTES = 16 * 1024
_END = b"\r\n\r\n"
# Whole lines of a name, a colon and a value; folded lines and spaces before the colon have been read
# in two ways.
_FIELDS = re.compile(r"(?:\r\n[A-Za-z0-9_-]+:[^\r\n]*)*")
# Without a body, so that the answer can be followed by the next request.
_BODILESS = frozenset({"GET", "HEAD", "OPTIONS"})


class Head(NamedTuple):
    """The head of a request to a proxy.

    Attributes:
        method: ``CONNECT``, or one that has no body.
        target: as it stood in the request line: ``host:port``, an absolute URL or a path.
        headers: by lower-case name.
        size: bytes up to the end of the empty line.
        keeps_connection: whether the client will send another request (RFC 9112, 9.3).
    """

    method: str
    target: str
    headers: dict[str, str]
    size: int
    keeps_connection: bool


class UnusualHeadError(ValueError):
    """Not a head that can be read in one way only, or that needs more than its head to answer."""


def read_head(data: bytes) -> Head | None:
    """Read the head that bytes begin with; None while it is not whole.

    Raises:
        UnusualHeadError: when the full parser must look at it.
    """
    end = data.find(_END)
    if end < 0:
        if len(data) >= MAX_HEAD_BYTES or not data[:1].isalpha():
            raise UnusualHeadError("no request of HTTP/1")
        return None
    try:
        text = data[:end].decode("ascii")
        first = text.partition("\r\n")[0]
        method, target, version = first.split(" ")
    except ValueError as error:
        raise UnusualHeadError("no plain request line") from error
    if version not in ("HTTP/1.1", "HTTP/1.0"):
        raise UnusualHeadError("another version of HTTP")
    if not _FIELDS.fullmatch(text, len(first)):
        raise UnusualHeadError("a header line with two readings")
    lines = text.split("\r\n")[1:]
    headers = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip(" \t")
    if len(headers) != len(lines):
        raise UnusualHeadError("a field that comes twice")
    if method == "CONNECT":
        if "transfer-encoding" in headers or headers.get("content-length", "0") != "0":
            raise UnusualHeadError("a tunnel with a body")
    elif (
        method not in _BODILESS
        or "transfer-encoding" in headers
        or headers.get("content-length", "0") != "0"
        or "expect" in headers
    ):
        raise UnusualHeadError("a request with a body")
    return Head(method, target, headers, end + len(_END), _keeps(version, headers))


def _keeps(version: str, headers: dict[str, str]) -> bool:
    said = (headers.get("connection") or headers.get("proxy-connection") or "").lower()
    return "close" not in said and (version == "HTTP/1.1" or "keep-alive" in said)


def plain_url(head: Head) -> Url | None:
    """Give the URL of a request that can be read in one way only, or None."""
    target = head.target
    authority, _, _ = target.removeprefix("http://").partition("/")
    if (
        not target.startswith("http://")
        or "@" in authority
        or "#" in target
        or head.headers.get("host", "").lower() != authority.lower()
    ):
        return None
    try:
        return parse_url(target)
    except BadAddressError:
        return None
