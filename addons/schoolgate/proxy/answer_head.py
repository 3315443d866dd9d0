"""What the head of an answer says of its body, looked through once."""

import re
from functools import lru_cache
from typing import NamedTuple

from mitmproxy import http

from schoolgate.core.media import Head, total_of
from schoolgate.core.urls import Url
from schoolgate.proxy.messages import ByName, by_name

# What pages are made of, and what programs send each other as it happens: it passes while it is looked at.
_IS_SHOWN = re.compile(
    r"text/(?!plain|xml)|image/|font/|multipart/|application/(?:json|javascript|wasm|grpc|xhtml)|.*(?:json|(?<!octet-)stream)$"
)
_PLAYERS = (b"video", b"audio", b"track")
_STATION = frozenset({b"icy-name", b"icy-br", b"icy-metaint", b"icy-genre", b"icy-url"})


class AnswerHead(NamedTuple):
    """What it says.

    Attributes:
        head: what tells media.
        start: where in the file the body begins, bytes.
        total: bytes of the whole file; None where it does not say.
        encoding: ``Content-Encoding``.
        disposition: ``Content-Disposition``; empty for a player, which keeps nothing.
        is_station: it is a radio station of SHOUTcast or Icecast, which does not end.
    """

    head: Head
    start: int
    total: int | None
    encoding: str
    disposition: str
    is_station: bool

    @property
    def is_held(self) -> bool:
        """Whether the beginning of the body waits until it is clear what it is."""
        return bool(self.disposition) or not _is_shown(self.head.plain_type)


def answer_head(flow: http.HTTPFlow, url: Url) -> AnswerHead:
    """Read that of a flow's response, to a request for an address."""
    assert flow.response is not None
    names = by_name(flow.response.headers)
    start, total = 0, None
    if b"content-range" in names:
        start, total = total_of(_text(names, b"content-range"))
    elif b"content-length" in names:
        length = _text(names, b"content-length")
        total = int(length) if length.isascii() and length.isdigit() and len(length) < 20 else None
    for_player = by_name(flow.request.headers).get(b"sec-fetch-dest") in _PLAYERS
    return AnswerHead(
        Head(url, _text(names, b"content-type"), start > 0, for_player),
        start,
        total,
        _text(names, b"content-encoding"),
        "" if for_player else _text(names, b"content-disposition"),
        b"content-length" not in names and not _STATION.isdisjoint(names),
    )


# There are few.
@lru_cache(maxsize=1024)
def _is_shown(plain_type: str) -> bool:
    return _IS_SHOWN.match(plain_type) is not None


def _text(names: ByName, name: bytes) -> str:
    value = names.get(name)
    if value is None:
        return ""
    joined = b", ".join(value) if isinstance(value, list) else value
    return joined.decode("utf-8", "surrogateescape")
