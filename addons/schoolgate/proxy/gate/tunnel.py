"""What becomes of a connection whose site is known: carried unread, refused, or read by mitmproxy."""

import base64
import re
import socket
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from schoolgate.core.errors import BadAddressError
from schoolgate.core.hosts import normalise_host
from schoolgate.core.policy import Decision, Shape, TlsAction, WebRequest
from schoolgate.core.policy.decision import (
    DNS_TUNNEL,
    MISNAMED,
    NO_WEB_TUNNEL,
    PRIVATE_DESTINATION,
)
from schoolgate.core.urls import Url
from schoolgate.proxy.destinations import PrivateDestinationError
from schoolgate.proxy.filter import REFUSED_PORTS
from schoolgate.proxy.gate.arrival import Arrival
from schoolgate.proxy.gate.dial import Dial
from schoolgate.proxy.gate.heads import Head
from schoolgate.proxy.gate.hello import MAX_HELLO_BYTES, ClientHello, NoHelloError, read_hello
from schoolgate.proxy.gate.page_end import PageEnd
from schoolgate.proxy.gate.poller import IN_OR_END
from schoolgate.proxy.gate.refusals import ACCESS_DENIED, PROTOCOL_VERSION, shapes_of_hello
from schoolgate.proxy.transactions import Transaction

if TYPE_CHECKING:
    from collections.abc import Callable

    from schoolgate.proxy.gate.gate import Gate

# What a client is told once its tunnel stands, up to the fields.
ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n"
# A TLS record, or the method of a request; both may be unusual, and are then mitmproxy's.
_LIKE_TLS_OR_HTTP = re.compile(rb"\x16\x03|[A-Z]+(?: |$)|[^\r\n]* HTTP/[0-9]")
# What a browser says first in a tunnel to the port of TLS.
_HANDSHAKE = b"\x16"
_TLS_PORT = 443
_UNREACHABLE = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class Tunnel(Arrival):
    """A connection that leads to a site, once its name is known.

    Args:
        gate: whose it is.
        connection: non-blocking.
        address: of the client, normalised text.
        deadline: monotonic seconds at which it is closed unless it gets on.
    """

    __slots__ = ("_asked_for", "_by_alert", "_dial", "_page_end", "_transaction", "_upstream")

    def __init__(
        self, gate: "Gate", connection: socket.socket, address: str, deadline: float
    ) -> None:
        super().__init__(gate, connection, address, deadline)
        self._asked_for: tuple[str, int] = ("", 0)
        self._transaction: Transaction | None = None
        self._dial: Dial | None = None
        self._upstream: socket.socket | None = None
        self._page_end: PageEnd | None = None
        # Whether a refusal is told by TLS alone, without a page and the certificate that it needs.
        self._by_alert = False

    def close(self) -> None:
        """Close it at once."""
        if self._page_end is None:
            super().close()
        else:
            self._page_end.close()

    def _over(self) -> None:
        super()._over()
        if self._dial is not None:
            self._dial.give_up()
        if self._upstream is not None:
            self._upstream.close()
            self._upstream = None

    def _decide(self, head: Head | None) -> None:
        """Decide by the name; without a head nobody can be asked to sign in."""
        host, port = self._asked_for
        gate = self._gate
        engine, now = gate.engines.current, gate.clock()
        caller = self._caller
        client = gate.clients.at(caller.address, engine.policy, caller.signed_in)
        started = time.perf_counter()
        shapes = () if port in gate.tunnel_ports else (Shape.ODD_PORT,)
        answer = engine.decide_host(host, client, now, shapes)
        took_us = int((time.perf_counter() - started) * 1e6)
        moment = time.monotonic()
        request = WebRequest(Url("https", host, port, "/"), client, "CONNECT", shapes)
        self._by_alert = answer.by_alert
        self._transaction = Transaction(
            request, answer.decision, engine, now, took_us, moment, moment, tls=answer.action,
            signed_in=caller.signed_in,
        )  # fmt: skip
        if answer.action is TlsAction.REFUSE and head is not None:
            asked = gate.callers.current.asked_instead(caller, over_tls=False)
            if asked is not None:
                self._challenge(head, asked)
                return
        self._target = host.strip("[]"), port
        if port in REFUSED_PORTS:
            self._refuse_port(head, DNS_TUNNEL)
        elif answer.decision.shape is Shape.ODD_PORT and answer.action is TlsAction.REFUSE:
            self._refuse_port(head, answer.decision)
        elif answer.action is TlsAction.PASS:
            self._pass_on()
        elif answer.action is TlsAction.REFUSE:
            self._establish(self._read_hello_of_refused)
        else:
            self._establish(self._read_hello_of_read)

    def _refuse_port(self, head: Head | None, decision: Decision) -> None:
        self._out = self._gate.answers.blocked(self._decided_as(decision), head)
        self._step = self._send_last
        self._step()

    def _decided_as(self, decision: Decision) -> Transaction:
        transaction = self._transaction
        assert transaction is not None
        transaction.decision = decision
        transaction.tls = TlsAction.REFUSE
        return transaction

    def _establish(self, step: "Callable[[], None]") -> None:
        """Tell the client that its tunnel stands, and look at what it says."""
        token = self._caller.token
        word = (
            b"Proxy-Authenticate: Negotiate " + base64.b64encode(token) + b"\r\n" if token else b""
        )
        self._connection.send(ESTABLISHED + word + b"\r\n")
        self._step = step
        self._gate.put_off(self, self._gate.bounds.step_seconds)
        self._gate.poller.watch(self._connection.fileno(), IN_OR_END, self.ready)

    def _pass_on(self) -> None:
        """Connect to the site, before the client is told that its tunnel stands."""
        gate = self._gate
        self._step = self._spoke_too_early
        gate.put_off(self, gate.bounds.step_seconds)
        if self._transaction is not None and self._transaction.is_test:
            self._dialled(None, None)
            return
        gate.resolve(*self._target, self._resolved)

    def _spoke_too_early(self) -> None:
        """Leave what the client says where it is until the site is connected."""
        self._gate.poller.forget(self._connection.fileno())

    def _resolved(self, found: list[object] | OSError) -> None:
        if self._is_over:
            return
        if isinstance(found, PrivateDestinationError):
            self._decided_as(PRIVATE_DESTINATION)
            self._establish(self._read_hello_of_refused)
        elif isinstance(found, OSError):
            self._dialled(None, found)
        else:
            # The look-up may have taken all of its own time.
            self._gate.put_off(self, self._gate.bounds.step_seconds)
            self._dial = Dial(self._gate.loop, self._gate.poller, found, self._dialled)
            self._dial.start()

    def _dialled(self, upstream: socket.socket | None, _error: OSError | None) -> None:
        self._dial = None
        try:
            if upstream is None:
                assert self._transaction is not None
                self._gate.unreached(self._transaction)
                self._end_unreached()
            else:
                self._upstream = upstream
                self._establish(self._read_hello_of_passed)
        except OSError:
            self.close()

    def _end_unreached(self) -> None:
        self._out = _UNREACHABLE
        self._step = self._send_last
        self._step()

    # -- the hello ------------------------------------------------------------------------------

    def _read_hello_of_passed(self) -> None:
        """Carry on only what is TLS to the very site that was asked for."""
        name = self._hello_name()
        if name is None:
            return
        if name != self._target[0] and self._by_alert:
            # Who trusts no certificate of ours cannot be read, and both cannot be judged.
            self._decided_as(MISNAMED)
            self._refuse_by_alert(ACCESS_DENIED)
            return
        if name != self._target[0]:
            # No name, or another, is for the filter, which judges both.
            self._hand_over()
            return
        self._glance.is_enough()
        upstream, self._upstream = self._upstream, None
        assert upstream is not None
        assert self._transaction is not None
        self._over()
        self._gate.carry(self._connection, upstream, self._transaction)

    def _read_hello_of_read(self) -> None:
        """Bother mitmproxy only with what is whole."""
        if self._hello_name() is not None:
            self._hand_over()

    def _read_hello_of_refused(self) -> None:
        """Say why it is closed."""
        name = self._hello_name()
        if name is not None:
            self._refuse(name)

    def _hello_name(self) -> str | None:
        """Give the name in the ClientHello, "" where there is none; None when it is not there yet."""
        data = self._glance.at(2 * MAX_HELLO_BYTES)
        if data is None:
            return None
        try:
            hello = read_hello(data)
        except NoHelloError:
            is_tls = data[:1] == _HANDSHAKE
            if _LIKE_TLS_OR_HTTP.match(data) and (is_tls or self._target[1] != _TLS_PORT):
                self._hand_over()
            else:
                transaction = self._decided_as(NO_WEB_TUNNEL)
                self.close()
                self._gate.ended_early(transaction)
            return None
        if hello is None:
            self._glance.wait_for_more(len(data))
            return None
        try:
            name = normalise_host(hello.server_name) if hello.server_name else ""
        except BadAddressError:
            self._hand_over()
            return None
        return None if self._is_closed_by_shape(hello, name) else name

    def _is_closed_by_shape(self, hello: ClientHello, name: str) -> bool:
        """Refuse what a rule closes for what its hello looks like, and tell whether it did."""
        transaction = self._transaction
        assert transaction is not None
        shapes = shapes_of_hello(hello, name, self._target[0])
        if not shapes:
            return False
        if transaction.tls is not TlsAction.REFUSE:
            request = replace(transaction.request, shapes=(*transaction.request.shapes, *shapes))
            engine, url = transaction.engine, request.url
            answer = engine.decide_host(url.host, request.client, transaction.at, request.shapes)
            if answer.action is not TlsAction.REFUSE:
                return False
            transaction.request = request
            self._decided_as(answer.decision)
        if self._upstream is not None:
            self._upstream.close()
            self._upstream = None
        if hello.is_old:
            # No page can be shown over it: what we speak is newer.
            self._refuse_by_alert(PROTOCOL_VERSION)
        else:
            self._refuse(name)
        return True

    # -- refusing -------------------------------------------------------------------------------

    def _refuse(self, name: str) -> None:
        """Speak TLS in the site's place, whose page is read by whoever trusts the gateway."""
        if self._by_alert:
            self._refuse_by_alert(ACCESS_DENIED)
            return
        gate, transaction = self._gate, self._transaction
        assert transaction is not None
        self._glance.is_enough()
        # Whatever becomes of the descriptor in there, the poller must not know it any more.
        gate.poller.forget(self._connection.fileno())
        answer_request = gate.answers.over_tls(transaction)

        def answer(head: Head | None, first_line: str) -> bytes:
            if not gate.still_refused(transaction):
                return b""
            gate.put_off(self, gate.bounds.kept_seconds)
            return answer_request(head, first_line)

        self._page_end = PageEnd(
            gate.poller,
            self._connection,
            gate.leaves.context(name or self._target[0]),
            answer,
            self._page_end_closed,
        )
        gate.put_off(self, gate.bounds.kept_seconds)
        self._page_end.start()

    def _refuse_by_alert(self, alert: bytes) -> None:
        """End it as TLS does, before there is a certificate."""
        transaction = self._transaction
        assert transaction is not None
        # What is left unread would turn the answer into a reset.
        self._connection.recv(2 * MAX_HELLO_BYTES)
        self._connection.send(alert)
        self._connection.shutdown(socket.SHUT_WR)
        self.close()
        self._gate.ended_early(transaction)

    def _page_end_closed(self) -> None:
        self._is_over = True
        self._gate.arrivals.pop(self, None)
        assert self._transaction is not None
        self._gate.left(self._caller.address)
        self._gate.refused(self._transaction)
