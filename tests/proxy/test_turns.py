"""Of what a client sends ahead, only a little is done in one turn: the others have theirs."""

import warnings
from typing import Any

import h2.config
import h2.connection
import pytest

with warnings.catch_warnings():
    # Those of mitmproxy's own dependencies.
    warnings.simplefilter("ignore")
    from mitmproxy import connection, http, options
    from mitmproxy.proxy import commands, context, events
    from mitmproxy.proxy.layers.http import HttpLayer, HTTPMode
    from mitmproxy.proxy.layers.http._base import ReceiveHttp
    from mitmproxy.proxy.layers.http._events import (
        RequestHeaders,
        ResponseData,
        ResponseEndOfMessage,
        ResponseHeaders,
    )

    from schoolgate.proxy import backpressure
    from schoolgate.proxy.backpressure import BoundedHttp1Server, BoundedHttp2Server


def client_side() -> context.Context:
    client = connection.Client(peername=("", 1), sockname=("", 2), timestamp_start=0.0)
    client.state = connection.ConnectionState.OPEN
    told = options.Options()
    # As the addon for listening adds them.
    told.add_option("validate_inbound_headers", bool, True, "")
    told.add_option("http2_ping_keepalive", int, 0, "")
    known = context.Context(client, told)
    HttpLayer(known, HTTPMode.regular)
    return known


class Site:
    """Answers each request at once, as the filter does for what is blocked."""

    def __init__(self, layer: Any, *, answers: bool = True) -> None:
        self.layer = layer
        self._answers = answers
        self.paths: list[str] = []
        self.wakeups: list[commands.RequestWakeup] = []
        self.is_closed = False
        self.tell(events.Start())

    def tell(self, event: events.Event) -> None:
        for command in list(self.layer.handle_event(event)):
            match command:
                case ReceiveHttp(event=RequestHeaders() as asked):
                    self.paths.append(asked.request.path)
                    if self._answers:
                        self._answer(asked.stream_id)
                case commands.RequestWakeup():
                    self.wakeups.append(command)
                case commands.CloseConnection():
                    self.is_closed = True

    def _answer(self, stream: int) -> None:
        response = http.Response.make(403, b"no")
        self.tell(ResponseHeaders(stream, response))
        self.tell(ResponseData(stream, b"no"))
        self.tell(ResponseEndOfMessage(stream))

    def next_turn(self) -> None:
        self.tell(events.Wakeup(self.wakeups.pop(0)))


def request(path: str) -> bytes:
    return f"GET http://games.example/{path} HTTP/1.1\r\nHost: games.example\r\n\r\n".encode()


def test_each_request_that_was_sent_ahead_waits_for_a_turn() -> None:
    layer = BoundedHttp1Server(client_side())
    site = Site(layer)
    site.tell(events.DataReceived(layer.conn, b"".join(map(request, "abc"))))
    assert site.paths == ["/a"]
    # What comes meanwhile comes after it.
    site.tell(events.DataReceived(layer.conn, request("d")))
    assert (site.paths, len(site.wakeups)) == (["/a"], 1)
    site.next_turn()
    assert site.paths == ["/a", "/b"]
    site.next_turn()
    site.next_turn()
    assert (site.paths, site.wakeups) == (["/a", "/b", "/c", "/d"], [])
    site.tell(events.DataReceived(layer.conn, request("e")))
    assert site.paths[-1] == "/e"


def test_who_ends_after_its_last_request_gets_every_answer() -> None:
    layer = BoundedHttp1Server(client_side())
    site = Site(layer)
    site.tell(events.DataReceived(layer.conn, request("a") + request("b")))
    layer.conn.state = connection.ConnectionState.CAN_WRITE
    site.tell(events.ConnectionClosed(layer.conn))
    assert not site.is_closed
    site.next_turn()
    assert (site.paths, site.is_closed) == (["/a", "/b"], True)


@pytest.mark.parametrize(("resets", "is_closed"), [(5, False), (6, True)])
def test_streams_that_are_begun_to_be_ended_close_the_connection(
    monkeypatch: pytest.MonkeyPatch, resets: int, is_closed: bool
) -> None:
    monkeypatch.setattr(backpressure, "MAX_RESETS", 5)
    layer = BoundedHttp2Server(client_side())
    site = Site(layer, answers=False)
    client = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
    client.initiate_connection()
    for number in range(resets):
        stream = 2 * number + 1
        fields = {":method": "GET", ":scheme": "https", ":authority": "a.example", ":path": "/"}
        client.send_headers(stream, [*fields.items()], end_stream=True)
        client.reset_stream(stream)
    site.tell(events.DataReceived(layer.conn, client.data_to_send()))
    assert site.is_closed == is_closed
