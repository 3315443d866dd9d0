"""Nothing is fetched faster than the other side takes it: back-pressure for HTTP/1 and HTTP/2.

mitmproxy reads and acknowledges whatever comes and keeps what it cannot pass on yet. The classes
here stand in for its own; `limits` puts them in place.
"""

import asyncio
import weakref
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from typing import Any

import h2.connection
import h2.errors
import h2.events
from mitmproxy.connection import Client, Connection
from mitmproxy.proxy import commands, events, layer, mode_servers
from mitmproxy.proxy.layers import http
from mitmproxy.proxy.layers.http import _http1, _http2
from mitmproxy.proxy.layers.http._base import HttpConnection, ReceiveHttp
from mitmproxy.proxy.layers.http._events import (
    RequestData,
    ResponseData,
)
from mitmproxy.proxy.layers.http._http_h2 import BufferedH2Connection

# Head of a message, line of a chunk's size, trailers, or requests sent ahead of their turn.
MAX_HTTP1_HEAD_BYTES = 256 * 1024

# What waits to leave on a stream: above the first nothing more is fetched, until below the second.
BACKLOG_HIGH_BYTES = 256 * 1024
BACKLOG_LOW_BYTES = 128 * 1024
# What a peer may send before we acknowledge any of it; mitmproxy grants 2 GiB.
STREAM_WINDOW_BYTES = 1024 * 1024
CONNECTION_WINDOW_BYTES = 32 * 1024 * 1024
# Frames of a byte each would fill the memory from within a small window.
MAX_WITHHELD_FRAMES = 4096
# A piece of data costs this much memory beside its bytes.
PIECE_BYTES = 128
# An origin that takes nothing at all stops its client's whole connection only here.
MAX_UNSENT_BYTES = 8 * 1024 * 1024
_FIRST_LOOK_SECONDS, _LAST_LOOK_SECONDS = 0.001, 0.5

type Commands = layer.CommandGenerator[None]

_handlers: "weakref.WeakKeyDictionary[Client, BoundedHandler]" = weakref.WeakKeyDictionary()
_read_from: ContextVar[Connection] = ContextVar("the connection that a task reads from")


class Backlog:
    """What was received for one direction of a stream and has not left this machine yet.

    Args:
        source: the layer that received it.
        stream_id: its number as HttpLayer knows it.
        up: from the client to the origin.
    """

    def __init__(self, source: HttpConnection, stream_id: int, *, up: bool) -> None:
        self._http = next(
            x for x in reversed(source.context.layers) if isinstance(x, http.HttpLayer)
        )
        self._stream_id = stream_id
        self._up = up

    def is_high(self) -> bool:
        """Tell whether nothing more should be fetched."""
        return self._bytes() > BACKLOG_HIGH_BYTES

    def is_low(self) -> bool:
        """Tell whether to go on."""
        return self._bytes() <= BACKLOG_LOW_BYTES

    def _bytes(self) -> int:
        stream = self._http.streams.get(self._stream_id)
        if stream is None:
            return 0
        kind = RequestData if self._up else ResponseData
        # While the stream waits for a hook or for the connection to its origin.
        size = _cost(e.data for e in stream._paused_event_queue if isinstance(e, kind))
        to: Connection = stream.context.server if self._up else stream.context.client
        if to in self._http.connections:
            size += self._kept_by(self._http.connections[to].context.layers[-1])
            size += unsent_bytes(stream.context.client, to)
        return size

    def _kept_by(self, to: layer.Layer) -> int:
        if not isinstance(to, _http2.Http2Connection):
            return 0
        stream_id, size = self._stream_id, 0
        if isinstance(to, _http2.Http2Client):
            # Until the origin allows one stream more.
            queue = to.stream_queue.get(stream_id, ())
            size = _cost(e.data for e in queue if isinstance(e, RequestData))
            stream_id = to.our_stream_id.get(stream_id, 0)
        return size + _cost(piece.data for piece in to.h2_conn.stream_buffers.get(stream_id, ()))


def _cost(pieces: Iterable[bytes]) -> int:
    return sum(len(piece) + PIECE_BYTES for piece in pieces)


def unsent_bytes(client: Client, to: Connection) -> int:
    """Give how much waits for the peer of a connection to read on."""
    handler = _handlers.get(client)
    transport = handler.transports.get(to) if handler else None
    # WireGuard's streams have no such measure; they push back by themselves.
    pipe = getattr(transport.writer, "transport", None) if transport else None
    return pipe.get_write_buffer_size() if pipe else 0


async def _until(is_true: Callable[[], bool]) -> None:
    """Look again and again, ever less often: nothing tells when a socket's buffer drains."""
    pause = _FIRST_LOOK_SECONDS
    while not is_true():
        await asyncio.sleep(pause)
        pause = min(2 * pause, _LAST_LOOK_SECONDS)


class AwaitLow(commands.RequestWakeup):
    """Asks to be woken when a backlog is low."""

    def __init__(self, stream_id: int, backlog: Backlog) -> None:
        super().__init__(delay=0)
        self.stream_id = stream_id
        self.backlog = backlog


class BoundedHandler(mode_servers.ProxyConnectionHandler):
    """Stands in for ConnectionHandler.drain_writers, which waits for every peer after each read.

    With HTTP/2 one origin that takes no data would so hold up all that its client does elsewhere,
    while a stream held back inside HTTP/2 would hold up nothing.
    """

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)  # type: ignore[no-untyped-call]
        # What must come true before a connection is read again; set by the HTTP/1 layers.
        self.gates: dict[Connection, Callable[[], bool]] = {}
        _handlers[self.client] = self

    async def handle_connection(self, connection: Connection) -> None:
        """Remember which connection this task reads from, and close it whatever happens."""
        _read_from.set(connection)
        try:
            await super().handle_connection(connection)
        finally:
            # A task cancelled while it waits for its turn to handle data leaves its socket open.
            transport = self.transports.pop(connection, None)
            if transport is not None and transport.writer is not None:
                transport.writer.close()

    async def drain_writers(self) -> None:
        """Wait for those that would otherwise be sent more than they take."""
        connection = _read_from.get()
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            # The data just read closed this connection. Only here mitmproxy takes note of it.
            await asyncio.sleep(0)
        if self.client.alpn == b"h2":
            for to in list(self.transports):
                if to in (connection, self.client) or self._is_stuck(to):
                    await self._drain(to)
        else:
            await super().drain_writers()  # type: ignore[no-untyped-call]
        gate = self.gates.pop(connection, None)
        if gate is not None:
            await _until(gate)

    async def wakeup(self, request: commands.RequestWakeup) -> None:
        """Wake a layer that waits for a backlog when it is low."""
        if isinstance(request, AwaitLow):
            await _until(request.backlog.is_low)
        await super().wakeup(request)

    def _is_stuck(self, to: Connection) -> bool:
        return unsent_bytes(self.client, to) > MAX_UNSENT_BYTES

    async def _drain(self, to: Connection) -> None:
        transport = self.transports.get(to)
        if transport is None or transport.writer is None:
            return
        try:
            await transport.writer.drain()
        except OSError as error:
            if transport.handler is not None:
                transport.handler.cancel(f"Error sending data: {error}")


class WithholdingH2Connection(BufferedH2Connection):
    """Stands in for the windows of 2 GiB, and for acknowledging data while it is still held."""

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        self.local_settings.initial_window_size = STREAM_WINDOW_BYTES
        self.local_settings.acknowledge()
        self._withheld: dict[int, int] = {}

    def initiate_connection(self) -> None:
        """Grant what CONNECTION_WINDOW_BYTES says."""
        h2.connection.H2Connection.initiate_connection(self)
        self.increment_flow_control_window(
            CONNECTION_WINDOW_BYTES - self.inbound_flow_control_window
        )

    def acknowledge_received_data(self, acknowledged_size: int, stream_id: int) -> None:
        """Only take a note; `release` acknowledges."""
        self._withheld[stream_id] = self._withheld.get(stream_id, 0) + acknowledged_size

    def release(self, stream_id: int) -> None:
        """Let the peer send as much again as it has sent."""
        size = self._withheld.pop(stream_id, 0)
        if size:
            super().acknowledge_received_data(size, stream_id)


class _Http2WithBackPressure(_http2.Http2Connection):
    """Stands in for handle_h2_event, which acknowledges data wherever it went.

    A stream whose data does not leave again is not acknowledged, so that its sender stops; the
    other streams of the connection go on.
    """

    h2_conn: WithholdingH2Connection

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        # Frames received of each stream that waits.
        self._waiting: dict[int, int] = {}

    def _handle_event(self, event: events.Event) -> Commands:
        if isinstance(event, events.Wakeup) and isinstance(event.command, AwaitLow):
            del self._waiting[event.command.stream_id]
            self.h2_conn.release(event.command.stream_id)
            yield commands.SendData(self.conn, self.h2_conn.data_to_send())
        else:
            yield from super()._handle_event(event)

    def handle_h2_event(self, event: h2.events.Event) -> layer.CommandGenerator[bool]:
        """Acknowledge data when what is held of its stream allows."""
        if not isinstance(event, h2.events.DataReceived):
            return (yield from super().handle_h2_event(event))
        stream_id = event.stream_id
        assert stream_id is not None
        if event.data or event.stream_ended:
            if (yield from super().handle_h2_event(event)):
                return True
        else:
            # Empty frames cost no window, so there is no end to them.
            self.h2_conn.acknowledge_received_data(event.flow_controlled_length or 0, stream_id)
        if stream_id in self._waiting:
            self._waiting[stream_id] += 1
            if self._waiting[stream_id] > MAX_WITHHELD_FRAMES:
                yield from self._reset(stream_id)
            return False
        backlog = self._backlog(stream_id)
        if backlog.is_high():
            self._waiting[stream_id] = 0
            yield AwaitLow(stream_id, backlog)
        else:
            self.h2_conn.release(stream_id)
        return False

    def _backlog(self, stream_id: int) -> Backlog:
        return Backlog(self, stream_id, up=True)

    def _reset(self, stream_id: int) -> Commands:
        if self.streams.pop(stream_id, None) is None or self.is_closed(stream_id):
            return
        self.h2_conn.reset_stream(stream_id, h2.errors.ErrorCodes.ENHANCE_YOUR_CALM)
        error = self.ReceiveProtocolError
        yield ReceiveHttp(error(stream_id, "too many frames that cannot leave", error.code))


class BoundedHttp2Server(_Http2WithBackPressure, _http2.Http2Server):
    """The side towards a client."""


class BoundedHttp2Client(_Http2WithBackPressure, _http2.Http2Client):
    """The side towards an origin."""

    def _backlog(self, stream_id: int) -> Backlog:
        return Backlog(self, self.their_stream_id[stream_id], up=False)


class _BoundedHttp1(_http1.Http1Connection):
    """Stands in for Http1Connection._handle_event, which lets its buffer grow without an end.

    A head, a line or trailers that do not end close the connection. What is sent ahead of its turn
    waits in the socket, as does a body whose stream holds more than it can pass on.
    """

    def _handle_event(self, event: events.Event) -> Commands:
        yield from super()._handle_event(event)
        if not isinstance(event, events.DataReceived):
            return
        if len(self.buf) > MAX_HTTP1_HEAD_BYTES:
            if self.state == self.wait:
                self._gate(lambda: self.state != self.wait)
            elif self.state in (self.read_headers, self.read_body):
                yield from self._refuse()
        elif self.stream_id is not None:
            up = isinstance(self, _http1.Http1Server)
            backlog = Backlog(self, self.stream_id, up=up)
            if backlog.is_high():
                self._gate(backlog.is_low)

    def _gate(self, is_open: Callable[[], bool]) -> None:
        handler = _handlers.get(self.context.client)
        if handler is not None:
            handler.gates[self.conn] = is_open

    def _refuse(self) -> Commands:
        message = f"a head or a line of more than {MAX_HTTP1_HEAD_BYTES} bytes"
        if isinstance(self, _http1.Http1Server) and self.state == self.read_headers:
            yield commands.SendData(self.conn, _http1.make_error_response(431, message))
        yield commands.CloseConnection(self.conn)
        if self.request is not None and self.stream_id is not None:
            error = self.ReceiveProtocolError
            yield ReceiveHttp(error(self.stream_id, message, error.code))
        self.state = self.done


class BoundedHttp1Server(_BoundedHttp1, _http1.Http1Server):
    """The side towards a client."""


class BoundedHttp1Client(_BoundedHttp1, _http1.Http1Client):
    """The side towards an origin."""
