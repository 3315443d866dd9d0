"""Holds an answer back while it is looked at, and sends it on, or another in its place."""

from collections.abc import Callable
from enum import Enum, auto
from typing import NamedTuple

from mitmproxy.http import HTTPFlow
from mitmproxy.proxy import events, layer
from mitmproxy.proxy.layers import http
from mitmproxy.proxy.layers.http._events import (
    ErrorCode,
    RequestProtocolError,
    ResponseData,
    ResponseEndOfMessage,
    ResponseHeaders,
    ResponseProtocolError,
    ResponseTrailers,
)

from schoolgate.proxy.guard import StreamFunction

type Commands = layer.CommandGenerator[None]

_OF_ANSWER = (ResponseData, ResponseTrailers, ResponseEndOfMessage, ResponseProtocolError)
_HELD, _REPLACED, _ENDED = "schoolgate_held", "schoolgate_replaced", "schoolgate_ended"


class Outcome(Enum):
    """What comes of a look at an answer; `WHOLE` at its end is one that may still be replaced as it is."""

    WAIT = auto()
    PASS = auto()
    REPLACED = auto()
    WHOLE = auto()


class Held(NamedTuple):
    """An answer of which nothing was sent on yet.

    Attributes:
        look: looks at the next bytes, or at the whole with None; `replace` before it says REPLACED.
        stream: through what the rest passes; None for what is held to its end in any case.
    """

    look: Callable[[bytes | None], Outcome]
    stream: StreamFunction | None


def hold(flow: HTTPFlow, held: Held) -> None:
    """Hold the answer of a flow."""
    setattr(flow, _HELD, held)


def replace(flow: HTTPFlow) -> None:
    """Have the response that now stands in a flow sent at once; what the origin still sends is left."""
    setattr(flow, _REPLACED, True)


def end(flow: HTTPFlow) -> None:
    """Have a body that streams end with what its stream gives now, as if it were whole."""
    setattr(flow, _ENDED, True)


class HoldingStream(http.HttpStream):
    """Stands in for the states in which an answer is read whole."""

    _is_replaced = False

    def state_done(self, event: events.Event) -> Commands:
        """Throw away what of an answer came while it was waited for what takes its place."""
        if not (self._is_replaced and isinstance(event, _OF_ANSWER)):
            yield from super().state_done(event)

    def state_wait_for_response_headers(self, event: ResponseHeaders) -> Commands:
        """Send what came into the place of an answer of which the head was enough."""
        yield from super().state_wait_for_response_headers(event)
        if getattr(self.flow, _REPLACED, False):
            yield from self._send_in_its_place(at_end=event.end_stream)

    def state_consume_response_body(self, event: events.Event) -> Commands:
        """Look at what comes; pass it on, or send another in its place, when that is clear."""
        held: Held | None = getattr(self.flow, _HELD, None)
        if held is None or not isinstance(event, ResponseData | ResponseEndOfMessage):
            yield from super().state_consume_response_body(event)
            return
        at_end = isinstance(event, ResponseEndOfMessage)
        if isinstance(event, ResponseData):
            self.response_body_buf += event.data
        outcome = held.look(event.data if isinstance(event, ResponseData) else None)
        if outcome is Outcome.REPLACED:
            setattr(self.flow, _HELD, None)
            yield from self._send_in_its_place(at_end=at_end)
        elif at_end and outcome is Outcome.WHOLE:
            setattr(self.flow, _HELD, None)
            yield from super().state_consume_response_body(event)
        elif at_end and held.stream is not None and self.response_body_buf:
            setattr(self.flow, _HELD, None)
            yield from self._pass_on(held.stream)
            yield from self.state_stream_response_body(event)
        elif at_end:
            yield from super().state_consume_response_body(event)
        elif outcome is Outcome.PASS and held.stream is not None:
            setattr(self.flow, _HELD, None)
            yield from self._pass_on(held.stream)

    def state_stream_response_body(self, event: events.Event) -> Commands:
        """End a body before its time, where its stream says so; what the origin still sends is left."""
        yield from super().state_stream_response_body(event)
        if isinstance(event, ResponseData) and getattr(self.flow, _ENDED, False):
            self._is_replaced = True
            error = RequestProtocolError(self.stream_id, "stopped", ErrorCode.CANCEL)
            yield http.SendHttp(error, self.context.server)
            yield from self.send_response(already_streamed=True)

    def _pass_on(self, stream: StreamFunction) -> Commands:
        assert self.flow.response is not None
        begun = bytes(self.response_body_buf)
        self.response_body_buf.clear()
        self.flow.response.stream = stream
        yield from self.start_response_stream()
        yield from self.state_stream_response_body(ResponseData(self.stream_id, begun))

    def _send_in_its_place(self, *, at_end: bool) -> Commands:
        self.response_body_buf.clear()
        self._is_replaced = True
        if not at_end:
            # As when a client goes away: the rest is not asked for.
            error = RequestProtocolError(self.stream_id, "stopped", ErrorCode.CANCEL)
            yield http.SendHttp(error, self.context.server)
        yield from self.send_response()
