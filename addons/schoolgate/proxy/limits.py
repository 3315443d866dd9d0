"""Bounds on what one client or origin can make mitmproxy hold, by replacing a few of its classes.

Everything here stands in for a part of mitmproxy that keeps what it receives without an end, or
that passes it on faster than the other side takes it. Each class says which, and why.
"""

import zlib
from collections.abc import Generator
from itertools import islice
from typing import Any

import wsproto.events
import wsproto.extensions
from mitmproxy.addons import next_layer
from mitmproxy.proxy import events, layer, layers, mode_servers
from mitmproxy.proxy.layers import http, tls, websocket
from mitmproxy.proxy.layers.http import _http2
from mitmproxy.proxy.layers.http._events import (
    RequestData,
    RequestEndOfMessage,
)
from wsproto.frame_protocol import CloseReason

from schoolgate.proxy.backpressure import (
    PIECE_BYTES,
    BoundedHttp1Client,
    BoundedHttp1Server,
    BoundedHttp2Client,
    BoundedHttp2Server,
    WithholdingH2Connection,
)
from schoolgate.proxy.holding import HoldingStream
from schoolgate.proxy.streams import StreamHandler

# More of a refused upload is thrown away; the page is then sent without waiting for its end.
MAX_REFUSED_BODY_BYTES = 64 * 1024
MAX_WEBSOCKET_MESSAGE_BYTES = 16 * 1024 * 1024
# OpenSSL's own bound on a ClientHello is 128 KiB; those of browsers have 2 KiB in one record.
MAX_CLIENT_HELLO_BYTES = 64 * 1024
MAX_CLIENT_HELLO_RECORDS = 32

type Commands = layer.CommandGenerator[None]


def install() -> None:
    """Put the bounded classes in the place of mitmproxy's; a second time does nothing.

    Raises:
        AttributeError: when this mitmproxy has no such class, so that nothing starts unbounded.
        TypeError: when it has another one there.
    """
    for module, name, bounded in (
        (http, "HttpStream", BoundedStream),
        (http, "Http1Server", BoundedHttp1Server),
        (http, "Http1Client", BoundedHttp1Client),
        (http, "Http2Server", BoundedHttp2Server),
        (http, "Http2Client", BoundedHttp2Client),
        (_http2, "BufferedH2Connection", WithholdingH2Connection),
        (mode_servers, "ProxyConnectionHandler", StreamHandler),
        (layers, "ClientTLSLayer", BoundedClientTls),
        (next_layer, "ClientTLSLayer", BoundedClientTls),
        (websocket, "WebsocketConnection", BoundedWebsocket),
        (wsproto.extensions, "PerMessageDeflate", BoundedDeflate),
    ):
        if getattr(module, name) not in bounded.__mro__[:-1]:
            raise TypeError(
                f"{module.__name__}.{name} is not what limits.{bounded.__name__} bounds"
            )
        setattr(module, name, bounded)


class BoundedStream(HoldingStream):
    """Stands in for state_consume_request_body, which reads all of a refused request's body.

    The answer does not depend on it, so that it is sent early and the rest is thrown away.
    """

    _is_answered_early = False

    def state_consume_request_body(self, event: events.Event) -> Commands:
        """Answer when enough of a body came that nobody will read."""
        yield from super().state_consume_request_body(event)
        if (
            isinstance(event, RequestData)
            and self.client_state == self.state_consume_request_body
            and self.flow.response is not None
            and len(self.request_body_buf) > MAX_REFUSED_BODY_BYTES
        ):
            self._is_answered_early = True
            end = RequestEndOfMessage(self.stream_id)
            yield from super().state_consume_request_body(end)

    def state_done(self, event: events.Event) -> Commands:
        """Throw away what was on its way when the answer was sent."""
        if not self._is_answered_early:
            yield from super().state_done(event)


class BoundedClientTls(tls.ClientTLSLayer):
    """Stands in for receive_handshake_data, which reads all of a ClientHello again at each byte."""

    def receive_handshake_data(
        self, data: bytes
    ) -> layer.CommandGenerator[tuple[bool, str | None]]:
        """Give up on a ClientHello that is too long, or in too many pieces to be one."""
        if not self.client_hello_parsed:
            size = len(self.recv_buffer) + len(data)
            if size > MAX_CLIENT_HELLO_BYTES or _is_crumbled(bytes(self.recv_buffer) + data):
                return False, "The ClientHello is too long, or in too many records."
        return (yield from super().receive_handshake_data(data))


def _is_crumbled(client_hello: bytes) -> bool:
    records = islice(tls.handshake_record_contents(client_hello), MAX_CLIENT_HELLO_RECORDS + 1)
    try:
        return sum(1 for _ in records) > MAX_CLIENT_HELLO_RECORDS
    except ValueError:
        # Something else than a handshake; mitmproxy says so itself.
        return False


class BoundedWebsocket(websocket.WebsocketConnection):
    """Stands in for wsproto's events, from which mitmproxy puts a message together without an end.

    It also hands whole frames on, as mitmproxy copies all of a frame for each piece of it.
    """

    def __init__(self, *arguments: Any, **named: Any) -> None:
        self._pieces: list[Any] = []
        self._message_bytes = 0
        super().__init__(*arguments, **named)

    def events(self) -> Generator[wsproto.events.Event]:
        """Give a frame when it is whole, and the end of all when a message is too big."""
        for event in super().events():
            if not isinstance(event, wsproto.events.Message):
                yield event
                continue
            data = event.data
            self._message_bytes += PIECE_BYTES
            self._message_bytes += len(data.encode() if isinstance(data, str) else data)
            if self._message_bytes > MAX_WEBSOCKET_MESSAGE_BYTES:
                self._pieces.clear()
                yield wsproto.events.CloseConnection(
                    CloseReason.MESSAGE_TOO_BIG, "the message is too big"
                )
                return
            self._pieces.append(data)
            if event.frame_finished or event.message_finished:
                whole = type(data)().join(self._pieces)
                self._pieces.clear()
                if event.message_finished:
                    self._message_bytes = 0
                yield type(event)(whole, event.frame_finished, event.message_finished)


class BoundedDeflate(wsproto.extensions.PerMessageDeflate):
    """Stands in for frame_inbound_payload_data, which inflates 64 KiB to 64 MiB at once."""

    def frame_inbound_payload_data(self, proto: Any, data: bytes) -> bytes | CloseReason:
        """Inflate no more than a message may be big."""
        if not self._inbound_compressed or not self._inbound_is_compressible:
            return data
        assert self._decompressor is not None
        try:
            inflated = self._decompressor.decompress(data, MAX_WEBSOCKET_MESSAGE_BYTES)
        except zlib.error:
            return CloseReason.INVALID_FRAME_PAYLOAD_DATA
        if self._decompressor.unconsumed_tail:
            return CloseReason.MESSAGE_TOO_BIG
        return inflated
