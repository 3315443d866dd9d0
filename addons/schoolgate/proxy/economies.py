"""Parts of mitmproxy that cost more than they must, each replaced by one that gives the same.

Here and in `limits` are the only places where its code is exchanged. `REPLACED` names each piece;
`tests/proxy/test_economies.py` compares the pieces' answers and knows the text of what they stand in
for, so that a new mitmproxy which changes it fails the test and not the school.
"""

import ctypes
import itertools
import time
from functools import lru_cache
from typing import Any

from cryptography import x509
from mitmproxy import connection, flow, http, options
from mitmproxy.addons import tlsconfig
from mitmproxy.connection import ConnectionState
from mitmproxy.net import tls as net_tls
from mitmproxy.net.http import http1
from mitmproxy.proxy import commands, context, events, layer, tunnel
from mitmproxy.proxy.layers import http as http_layer
from mitmproxy.proxy.layers import tls
from mitmproxy.proxy.layers.http._base import ReceiveHttp
from mitmproxy.proxy.layers.http._events import RequestHeaders
from OpenSSL import SSL, crypto

from schoolgate.proxy import messages
from schoolgate.proxy.client_hello import PlainHello
from schoolgate.proxy.holders import holder_of

_lib: Any = SSL._lib  # type: ignore[attr-defined]
_ffi: Any = SSL._ffi  # type: ignore[attr-defined]

# Whatever is read from OpenSSL is copied out before anything else is read.
_BUFFER_BYTES = 256 * 1024
_buffer: Any = _ffi.new("char[]", _BUFFER_BYTES)
# A TLS record's worth (RFC 8446, 5.1).
_PIECE_BYTES = 16 * 1024

_create_ssl_context = net_tls._create_ssl_context
_handle_event = layer.Layer.handle_event
_crl_path = tlsconfig.TlsConfig.crl_path
_tunnel_event = tls.TLSLayer._handle_event

# So much that is free stays; more is given back.
TRIMMED_BYTES = 4 * 1024 * 1024
# Pieces from this size on are mapped each by itself, and given back at once.
MAPPED_BYTES = 512 * 1024
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # malloc.h

_CRL_PATH = "schoolgate_crl_path"

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


def give_back_memory() -> None:
    """Give back the pages that are free between others that are not, but for those `keep_memory` keeps.

    What many bodies left behind at once is else never given back. Others wait for memory meanwhile,
    for milliseconds: not to be called on the loop, and seldom. With another C library nothing is
    done.
    """
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError):
        return
    trim(TRIMMED_BYTES)


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


def handle_event(self: layer.Layer, event: events.Event) -> Commands:
    """Stand in for Layer.handle_event: a hook that need not wait is through before anything else.

    mitmproxy gives each hook up through all layers, and the news that it is through down again.
    """
    if self.debug is not None:
        yield from _handle_event(self, event)
        return
    paused, reply = self._paused, None
    if paused is None:
        running = self._handle_event(event)
    elif isinstance(event, events.CommandCompleted) and event.command is paused.command:
        running, reply, self._paused = paused.generator, event.reply, None
    else:
        self._paused_event_queue.append(event)
        return
    while True:
        try:
            command = running.send(reply)
        except StopIteration:
            # What came while it was paused is its own again, unless it has paused anew.
            if paused is None or self._paused is not None or not self._paused_event_queue:
                return
            running, reply = self._handle_event(self._paused_event_queue.popleft()), None
            continue
        reply = None
        if command.blocking is True:
            if isinstance(command, commands.StartHook):
                holder = holder_of(self.context.client)
                if holder is not None and holder.is_through(command):
                    continue
            # Others do not block on it: they ask for True itself.
            command.blocking = self
            self._paused = layer.Paused(command, running)
            yield command
            return
        yield command


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


def crl_path(self: tlsconfig.TlsConfig) -> str:
    """Stand in for TlsConfig.crl_path, which reads the CA's certificate for each request."""
    path: str | None = vars(self).get(_CRL_PATH)
    if path is None:
        path = vars(self)[_CRL_PATH] = _crl_path(self)
    return path


def forget_crl_path(of: tlsconfig.TlsConfig) -> None:
    """Read the CA's certificate anew: it is another one now."""
    vars(of).pop(_CRL_PATH, None)


def event_to_child(self: http_layer.HttpLayer, child: layer.Layer, event: events.Event) -> Commands:
    """Stand in for HttpLayer.event_to_child, which asks of each command eight times what it is."""
    command: Any
    for command in child.handle_event(event):
        kind = type(command)
        if kind is commands.SendData:
            yield command
            continue
        if command.blocking or isinstance(command, commands.RequestWakeup):
            self.command_sources[command] = child
        if kind is ReceiveHttp:
            inner = command.event
            if isinstance(inner, RequestHeaders):
                yield from self.make_stream(inner.stream_id)
            stream = self.streams.get(inner.stream_id)
            # More may come of a stream that is done with (mitmproxy's issue 5343).
            if stream is not None:
                yield from self.event_to_child(stream, inner)
        elif kind is http_layer.SendHttp:
            yield from self.event_to_child(self.connections[command.connection], command.event)
        elif kind is http_layer.DropStream:
            self.streams.pop(command.stream_id, None)
        elif kind is http_layer.GetHttpConnection:
            yield from self.get_connection(command)
        elif kind is http_layer.RegisterHttpConnection:
            yield from self.register_connection(command)
        else:
            if kind is commands.OpenConnection:
                self.connections[command.connection] = child
            yield command


class Numbers:
    """Stands in for the module uuid: text that no other in this process has."""

    def __init__(self) -> None:
        self._prefix = f"{time.time_ns():x}"
        self._next = itertools.count()

    def uuid4(self) -> str:
        """Give the next one."""
        return f"{self._prefix}-{next(self._next):x}"


def use_certificate(self: SSL.Connection, cert: x509.Certificate) -> None:
    """Stand in for Connection.use_certificate, which writes and reads it anew for each connection."""
    if not _lib.SSL_use_certificate(self._ssl, _openssl_certificate(cert)._x509):
        SSL._raise_current_error()


def use_privatekey(self: SSL.Connection, pkey: Any) -> None:
    """Stand in for Connection.use_privatekey, which does so with the one key that there is."""
    if not _lib.SSL_use_PrivateKey(self._ssl, _openssl_key(pkey)._pkey):
        SSL._raise_current_error()


# A leaf has a kilobyte, and these are the sites of the hour.
_openssl_certificate: Any = lru_cache(1024)(crypto.X509.from_cryptography)
_openssl_key: Any = lru_cache(8)(crypto.PKey.from_cryptography_key)


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
    yield from _received(self, *_decrypted(self, data))


def _received(self: tls.TLSLayer, plaintext: bytes, failure: SSL.Error | None) -> Commands:
    if isinstance(failure, SSL.Error) and not isinstance(failure, SSL.ZeroReturnError):
        yield commands.Log(f"TLS Error: {failure}")
    # Reading may have made something to send.
    yield from self.tls_interact()
    if plaintext:
        yield from self.event_to_child(events.DataReceived(self.conn, plaintext))
    if isinstance(failure, SSL.ZeroReturnError):
        self.conn.state &= ~ConnectionState.CAN_READ
        yield from self.event_to_child(events.ConnectionClosed(self.conn))


def carry(self: tls.TLSLayer, event: events.Event) -> Commands:
    """Stand in for TunnelLayer._handle_event, which has four generators for each event and command."""
    if self.tunnel_state is not tunnel.TunnelState.OPEN:
        yield from _tunnel_event(self, event)
        return
    if isinstance(event, events.ConnectionEvent) and event.connection is self.tunnel_connection:
        if not isinstance(event, events.DataReceived):
            yield from _tunnel_event(self, event)
            return
        plaintext, failure = _decrypted(self, event.data)
        if failure is not None or not plaintext:
            yield from _received(self, plaintext, failure)
            return
        yield from self.tls_interact()
        event = events.DataReceived(self.conn, plaintext)
    own = self.conn
    for command in self.child_layer.handle_event(event):
        if not isinstance(command, commands.ConnectionCommand) or command.connection is not own:
            yield command
        elif isinstance(command, commands.SendData):
            yield from self.send_data(command.data)
        else:
            yield from self._handle_command(command)


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


_numbers = Numbers()

REPLACED: tuple[tuple[Any, str, Any], ...] = (
    (layer.Layer, "handle_event", handle_event),
    (context.Context, "fork", fork),
    (http.MessageData, "__post_init__", no_check),
    (http.Headers, "__init__", messages.make_headers),
    (http.Headers, "get_all", messages.get_all),
    (http.Headers, "__getitem__", messages.get_item),
    (http.Headers, "get", messages.get),
    (http.Headers, "__contains__", messages.contains),
    (net_tls, "_create_ssl_context", create_ssl_context),
    (http1, "expected_http_body_size", messages.expected_http_body_size),
    (http_layer, "validate_headers", messages.validate_headers),
    (http_layer.HttpLayer, "event_to_child", event_to_child),
    (tlsconfig.TlsConfig, "crl_path", crl_path),
    # Two are the same where they are one; their ids, which mitmproxy compares, are never given twice.
    (connection.Connection, "__eq__", object.__eq__),
    (connection.Connection, "__hash__", object.__hash__),
    (connection, "uuid", _numbers),
    (flow, "uuid", _numbers),
    (tls, "ClientHello", PlainHello),
    (SSL.Connection, "use_certificate", use_certificate),
    (SSL.Connection, "use_privatekey", use_privatekey),
    (tls.TLSLayer, "_handle_event", carry),
    (tls.TLSLayer, "tls_interact", tls_interact),
    (tls.TLSLayer, "send_data", send_data),
    (tls.TLSLayer, "receive_data", receive_data),
)
