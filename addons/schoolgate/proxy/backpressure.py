"""Nothing is fetched faster than the other side takes it: back-pressure for HTTP/1 and HTTP/2.

mitmproxy reads and acknowledges whatever comes and keeps what it cannot pass on yet. The classes
here stand in for its own; `limits` puts them in place.
"""

import time
from collections.abc import Callable, Iterable
from typing import Any

import h2.connection
import h2.errors
import h2.events
from mitmproxy.connection import Connection
from mitmproxy.proxy import commands, events, layer
from mitmproxy.proxy.layers import http
from mitmproxy.proxy.layers.http import _http1, _http2
from mitmproxy.proxy.layers.http._base import HttpConnection, ReceiveHttp
from mitmproxy.proxy.layers.http._events import (
    HttpEvent,
    RequestData,
    ResponseData,
    ResponseEndOfMessage,
)
from mitmproxy.proxy.layers.http._http_h2 import BufferedH2Connection

from schoolgate.proxy.holders import holder_of

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

# A page that is left resets what was on its way, a hundred streams at most.
MAX_RESETS = 500
RESETS_SECONDS = 10.0

type Commands = layer.CommandGenerator[None]


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
            holder = holder_of(stream.context.client)
            size += holder.unsent_bytes(to) if holder else 0
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


class AwaitLow(commands.RequestWakeup):
    """Asks to be woken when a backlog is low."""

    def __init__(self, stream_id: int, backlog: Backlog) -> None:
        super().__init__(delay=0)
        self.stream_id = stream_id
        self.backlog = backlog


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
    """The side towards a client, who may not begin streams only to end them (CVE-2023-44487)."""

    _resets = 0
    _resets_since = 0.0

    def handle_h2_event(self, event: h2.events.Event) -> layer.CommandGenerator[bool]:
        """Close a connection on which too many streams were reset."""
        if isinstance(event, h2.events.StreamReset):
            moment = time.monotonic()
            if moment - self._resets_since > RESETS_SECONDS:
                self._resets, self._resets_since = 0, moment
            self._resets += 1
            if self._resets > MAX_RESETS:
                calm = h2.errors.ErrorCodes.ENHANCE_YOUR_CALM
                yield from self.protocol_error("too many streams were reset", calm)
                return True
        return (yield from super().handle_h2_event(event))


class BoundedHttp2Client(_Http2WithBackPressure, _http2.Http2Client):
    """The side towards an origin."""

    def _backlog(self, stream_id: int) -> Backlog:
        return Backlog(self, self.their_stream_id[stream_id], up=False)


class _BoundedHttp1(_http1.Http1Connection):
    """Stands in for Http1Connection._handle_event, which lets its buffer grow without an end.

    A head, a line or trailers that do not end close the connection. What is sent ahead of its turn
    waits in the socket, as does a body whose stream holds more than it can pass on.
    """

    # Whether something that is here is not read before the next turn of the loop.
    is_pausing = False
    is_server = False

    def _handle_event(self, event: events.Event) -> Commands:
        # All of mitmproxy's own, so that there is not one generator in another for each event.
        if isinstance(event, HttpEvent):
            yield from self.send(event)
            return
        if not isinstance(event, events.DataReceived):
            yield from self._handle_other(event)
            return
        if self.state != self.passthrough:
            self.buf += event.data
        yield from self.state(event)
        if len(self.buf) > MAX_HTTP1_HEAD_BYTES:
            if self.state == self.wait or self.is_pausing:
                self._gate(lambda: self.state != self.wait and not self.is_pausing)
            elif self.state in (self.read_headers, self.read_body):
                yield from self._refuse()
        elif self.stream_id is not None:
            backlog = Backlog(self, self.stream_id, up=self.is_server)
            if backlog.is_high():
                self._gate(backlog.is_low)

    def _handle_other(self, event: events.Event) -> Commands:
        """Take what is neither of HTTP nor data."""
        yield from self.state(event)

    def _gate(self, is_open: Callable[[], bool]) -> None:
        holder = holder_of(self.context.client)
        if holder is not None:
            holder.hold(self.conn, is_open)

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
    """The side towards a client; of requests sent ahead each waits for a turn of the loop.

    mitmproxy reads the next one where it has answered the last: thousands of them in one turn.
    """

    is_server = True
    _pause: commands.RequestWakeup | None = None
    _ended: events.ConnectionClosed | None = None

    def read_headers(self, event: events.ConnectionEvent) -> Commands:
        """Wait for a turn when mitmproxy looks, without anything new, for the next request."""
        if isinstance(event, events.DataReceived) and not event.data:
            self.is_pausing = True
            self._pause = commands.RequestWakeup(0)
            yield self._pause
        elif not self.is_pausing:
            yield from super().read_headers(event)
        elif isinstance(event, events.ConnectionClosed):
            # It may have ended its half after its last request.
            self._ended = event

    def _handle_other(self, event: events.Event) -> Commands:
        if not isinstance(event, events.Wakeup) or event.command is not self._pause:
            yield from super()._handle_other(event)
            return
        self.is_pausing = False
        yield from super().read_headers(events.DataReceived(self.conn, b""))
        if self._ended is not None and not self.is_pausing:
            ended, self._ended = self._ended, None
            yield from self.state(ended)


class BoundedHttp1Client(_BoundedHttp1, _http1.Http1Client):
    """The side towards an origin."""

    def read_headers(self, event: events.ConnectionEvent) -> Commands:
        """Be done with a response that came at once before its end is told.

        In mitmproxy it is told when the hook for the headers is through, and that comes later.
        """
        ended: ReceiveHttp | None = None
        for command in super().read_headers(event):
            if isinstance(command, ReceiveHttp):
                if ended is not None:
                    yield ended
                ended = None
                if isinstance(command.event, ResponseEndOfMessage):
                    ended = command
                    continue
            yield command
        if ended is not None:
            yield ended
