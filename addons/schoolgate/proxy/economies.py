"""Parts of mitmproxy that cost more than they must, each replaced by one that gives the same.

Here and in `limits` are the only places where its code is exchanged. `REPLACED` names each piece;
`tests/proxy/test_economies.py` compares the pieces' answers and knows the text of what they stand in
for, so that a new mitmproxy which changes it fails the test and not the school.
"""

import ctypes
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from mitmproxy import http, options
from mitmproxy.connection import ConnectionState
from mitmproxy.net import tls as net_tls
from mitmproxy.proxy import commands, context, events, layer
from mitmproxy.proxy.layers import tls
from OpenSSL import SSL

_lib: Any = SSL._lib  # type: ignore[attr-defined]
_ffi: Any = SSL._ffi  # type: ignore[attr-defined]

# Whatever is read from OpenSSL is copied out before anything else is read.
_BUFFER_BYTES = 256 * 1024
_buffer: Any = _ffi.new("char[]", _BUFFER_BYTES)
# A TLS record's worth (RFC 8446, 5.1).
_PIECE_BYTES = 16 * 1024

_create_ssl_context = net_tls._create_ssl_context

# So much that is free stays; more is given back.
TRIMMED_BYTES = 16 * 1024 * 1024
# Pieces from this size on are mapped each by itself, and given back at once.
MAPPED_BYTES = 4 * 1024 * 1024
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # malloc.h

type Commands = layer.CommandGenerator[None]


def install() -> None:
    """Put the pieces in place; a second time does nothing.

    Raises:
        AttributeError: when this mitmproxy has no such piece.
    """
    for owner, name, ours in REPLACED:
        getattr(owner, name)
        setattr(owner, name, ours)


def settle(told: options.Options) -> None:
    """Keep the options' values as attributes: looking one up copies and checks it each time.

    They must not be changed any more.
    """
    vars(told).update({name: getattr(told, name) for name in told.keys()})  # noqa: SIM118 - no dict


def keep_memory() -> None:
    """Let glibc keep some of what is freed: for each body it would give back and take pages anew.

    With another C library nothing changes.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):
        return
    for what, size in ((_M_TRIM_THRESHOLD, TRIMMED_BYTES), (_M_MMAP_THRESHOLD, MAPPED_BYTES)):
        mallopt(what, size)


def let_go(root: layer.Layer) -> None:
    """Free what the layers of an ended connection hold; they cannot be used any more.

    They know each other in circles, and the collector of those does not see how much memory of
    OpenSSL's hangs on each, so that it would come seldom.
    """
    found = [root]
    while found:
        held = vars(found.pop())
        for value in held.values():
            match value:
                case layer.Layer():
                    found.append(value)
                case context.Context():
                    found += value.layers
                case dict():
                    found += [one for one in value.values() if isinstance(one, layer.Layer)]
        held.clear()


def fork(self: context.Context) -> context.Context:
    """Stand in for Context.fork, which makes a server to throw it away."""
    forked = object.__new__(context.Context)
    forked.client = self.client
    forked.options = self.options
    forked.server = self.server
    forked.layers = self.layers.copy()
    return forked


def no_check(_self: http.MessageData) -> None:
    """Stand in for MessageData.__post_init__, which checks types as mypy does."""


@lru_cache(1024)
def _key(name: str | bytes) -> bytes:
    return (name if isinstance(name, bytes) else name.encode("utf-8", "surrogateescape")).lower()


def get_all(self: http.Headers, name: str | bytes) -> list[str]:
    """Stand in for Headers.get_all, which calls a function for each header."""
    key = _key(name)
    return [
        value.decode("utf-8", "surrogateescape") for k, value in self.fields if k.lower() == key
    ]


def get_item(self: http.Headers, name: str | bytes) -> str:
    """Stand in for MultiDict.__getitem__."""
    values = get_all(self, name)
    if not values:
        raise KeyError(name)
    return values[0] if len(values) == 1 else ", ".join(values)


def get(self: http.Headers, name: str | bytes, default: Any = None) -> Any:
    """Stand in for Mapping.get, which raises and catches for what is not there."""
    values = get_all(self, name)
    return ", ".join(values) if values else default


def contains(self: http.Headers, name: object) -> bool:
    """Stand in for Mapping.__contains__, which does so too."""
    if not isinstance(name, str | bytes):
        raise TypeError(f"Expected str or bytes, but got {type(name).__name__}.")
    key = _key(name)
    return any(k.lower() == key for k, _ in self.fields)


def create_ssl_context(**settings: Any) -> SSL.Context:
    """Stand in for net.tls._create_ssl_context; its connections give their buffers back when empty."""
    made: SSL.Context = _create_ssl_context(**settings)
    made.set_mode(SSL.MODE_RELEASE_BUFFERS)
    return made


def tls_interact(self: tls.TLSLayer) -> Commands:
    """Stand in for TLSLayer.tls_interact, which ends with an exception each time."""
    bio = self.tls._from_ssl
    while True:
        size = _lib.BIO_read(bio, _buffer, _BUFFER_BYTES)
        if size <= 0:
            return
        yield commands.SendData(self.conn, _ffi.buffer(_buffer, size)[:])


def send_data(self: tls.TLSLayer, data: bytes) -> Commands:
    """Stand in for TLSLayer.send_data, which encrypts all of it before it takes the first away.

    What OpenSSL must hold at a time it holds for as long as the connection lasts.
    """
    view, bio, filled = memoryview(data), self.tls._from_ssl, 0
    for at in range(0, len(data), _PIECE_BYTES):
        try:
            self.tls.sendall(view[at : at + _PIECE_BYTES])
        except (SSL.ZeroReturnError, SSL.SysCallError):
            # Nothing can be written any more, though something may still come.
            break
        size = _lib.BIO_read(bio, _buffer + filled, _BUFFER_BYTES - filled)
        filled += max(size, 0)
        if filled > _BUFFER_BYTES - 2 * _PIECE_BYTES:
            yield commands.SendData(self.conn, _ffi.buffer(_buffer, filled)[:])
            filled = 0
    if filled:
        yield commands.SendData(self.conn, _ffi.buffer(_buffer, filled)[:])
    yield from self.tls_interact()


def receive_data(self: tls.TLSLayer, data: bytes) -> Commands:
    """Stand in for TLSLayer.receive_data, which ends with an exception each time.

    OpenSSL is given a piece after the other, as in `send_data`.
    """
    plaintext, failure = _decrypted(self, data)
    if isinstance(failure, SSL.Error) and not isinstance(failure, SSL.ZeroReturnError):
        yield commands.Log(f"TLS Error: {failure}")
    # Reading may have made something to send.
    yield from self.tls_interact()
    if plaintext:
        yield from self.event_to_child(events.DataReceived(self.conn, plaintext))
    if isinstance(failure, SSL.ZeroReturnError):
        self.conn.state &= ~ConnectionState.CAN_READ
        yield from self.event_to_child(events.ConnectionClosed(self.conn))


def _decrypted(self: tls.TLSLayer, data: bytes) -> tuple[bytes, SSL.Error | None]:
    """Give what can be read, and why nothing can be read any more."""
    ssl, bio = self.tls._ssl, self.tls._into_ssl
    pieces: list[bytes] = []
    filled = at = 0
    failure = None
    with _ffi.from_buffer(data) as start:
        while True:
            if at < len(data):
                at += _lib.BIO_write(bio, start + at, min(_PIECE_BYTES, len(data) - at))
            while (size := _lib.SSL_read(ssl, _buffer + filled, _BUFFER_BYTES - filled)) > 0:
                filled += size
                if filled == _BUFFER_BYTES:
                    pieces.append(_ffi.buffer(_buffer, filled)[:])
                    filled = 0
            if _lib.SSL_get_error(ssl, size) == _lib.SSL_ERROR_WANT_READ:
                if at < len(data):
                    continue
                break
            try:
                self.tls._raise_ssl_error(ssl, size)
            except SSL.Error as error:
                failure = error
            break
    if filled:
        pieces.append(_ffi.buffer(_buffer, filled)[:])
    return pieces[0] if len(pieces) == 1 else b"".join(pieces), failure


REPLACED: tuple[tuple[Any, str, Callable[..., Any]], ...] = (
    (context.Context, "fork", fork),
    (http.MessageData, "__post_init__", no_check),
    (http.Headers, "get_all", get_all),
    (http.Headers, "__getitem__", get_item),
    (http.Headers, "get", get),
    (http.Headers, "__contains__", contains),
    (net_tls, "_create_ssl_context", create_ssl_context),
    (tls.TLSLayer, "tls_interact", tls_interact),
    (tls.TLSLayer, "send_data", send_data),
    (tls.TLSLayer, "receive_data", receive_data),
)
