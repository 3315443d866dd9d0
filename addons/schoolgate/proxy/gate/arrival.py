"""One connection from its first byte until it is a tunnel, has its page, or is mitmproxy's."""

import re
import socket
import time
from typing import TYPE_CHECKING

from schoolgate.core.errors import BadAddressError
from schoolgate.core.hosts import normalise_host
from schoolgate.core.policy import Decision, TlsAction, Verdict, WebRequest
from schoolgate.core.policy.decision import DNS_TUNNEL, NO_WEB_TUNNEL, PRIVATE_DESTINATION
from schoolgate.core.urls import Url, parse_url
from schoolgate.proxy.destinations import PrivateDestinationError
from schoolgate.proxy.filter import REFUSED_PORTS
from schoolgate.proxy.gate.dial import Dial
from schoolgate.proxy.gate.heads import MAX_HEAD_BYTES, Head, UnusualHeadError, read_head
from schoolgate.proxy.gate.hello import MAX_HELLO_BYTES, NoHelloError, read_hello
from schoolgate.proxy.gate.page_end import PageEnd
from schoolgate.proxy.gate.poller import ENDED, IN_OR_END, OUT
from schoolgate.proxy.transactions import Transaction

if TYPE_CHECKING:
    from collections.abc import Callable

    from schoolgate.proxy.gate.gate import Gate

_ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"
# A TLS record, or the method of a request; both may be unusual, and are then mitmproxy's.
_LIKE_TLS_OR_HTTP = re.compile(rb"\x16\x03|[A-Z]+(?: |$)|[^\r\n]* HTTP/[0-9]")
# Most heads and ClientHellos are shorter; a buffer for the longest costs more than a second look.
_GLANCE_BYTES = 4096
_UNREACHABLE = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class Arrival:
    """A connection that the gate still looks at.

    Args:
        gate: whose it is.
        connection: non-blocking.
        address: of the client, normalised text.
        deadline: monotonic seconds at which it is closed unless it gets on.
    """

    __slots__ = (
        "_address", "_awaits_more", "_connection", "_dial", "_gate", "_has_ended", "_is_over", "_out",
        "_page_end", "_seen", "_step", "_target", "_transaction", "_upstream", "deadline",
    )  # fmt: skip

    def __init__(
        self, gate: "Gate", connection: socket.socket, address: str, deadline: float
    ) -> None:
        self._gate = gate
        self._connection = connection
        self._address = address
        self.deadline = deadline
        self._step = self._read_head
        # Bytes that were looked at and left where they are.
        self._seen = 0
        self._awaits_more = False
        self._out = b""
        self._target: tuple[str, int] = ("", 0)
        self._transaction: Transaction | None = None
        self._dial: Dial | None = None
        self._upstream: socket.socket | None = None
        self._page_end: PageEnd | None = None
        self._is_over = self._has_ended = False

    def ready(self, events: int) -> None:
        """Go on: the socket has something to read, or its peer has ended."""
        self._has_ended = bool(events & ENDED)
        try:
            self._step()
        except OSError:
            self.close()

    def close(self) -> None:
        """Close it at once."""
        if self._page_end is not None:
            self._page_end.close()
        elif not self._is_over:
            self._gate.poller.closing(self._connection.fileno())
            self._over()
            self._connection.close()
            self._gate.left(self._address)

    def _over(self) -> None:
        """Look at it no more; the connection itself stays as it is."""
        self._is_over = True
        self._gate.arrivals.pop(self, None)
        if self._dial is not None:
            self._dial.give_up()
        if self._upstream is not None:
            self._upstream.close()
            self._upstream = None

    # -- looking ------------------------------------------------------------------------------

    def _peek(self, most: int) -> bytes | None:
        """Look at what came, without taking it; None when that is nothing new."""
        try:
            data = self._connection.recv(_GLANCE_BYTES, socket.MSG_PEEK)
            if len(data) == _GLANCE_BYTES:
                data = self._connection.recv(most, socket.MSG_PEEK)
        except BlockingIOError:
            return None
        if len(data) <= self._seen:
            # Woken without a byte: by the client's end, or for nothing.
            if not data or self._has_ended:
                self.close()
            return None
        return data

    def _wait_for_more(self, seen: int) -> None:
        """Be woken only when there is more: what is left unread would wake us again and again."""
        self._seen = seen
        self._awaits_more = True
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, seen + 1)

    def _stop_waiting(self) -> None:
        self._seen = 0
        if self._awaits_more:
            self._awaits_more = False
            self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 1)

    def _read_head(self) -> None:
        data = self._peek(MAX_HEAD_BYTES)
        if data is None:
            return
        try:
            head = read_head(data)
        except UnusualHeadError:
            self._hand_over()
            return
        if head is None:
            self._wait_for_more(len(data))
            return
        self._stop_waiting()
        if head.method == "CONNECT":
            self._asked_for_tunnel(head)
        else:
            self._asked_for_page(head)

    def _hand_over(self) -> None:
        """Leave it to mitmproxy, with every byte that was not taken."""
        self._stop_waiting()
        self._gate.poller.forget(self._connection.fileno())
        self._over()
        destination = self._target if self._target[0] else None
        self._gate.hand_over(self._connection, destination, self._address)

    # -- a request without a tunnel -------------------------------------------------------------

    def _asked_for_page(self, head: Head) -> None:
        """Answer what is blocked; all else is mitmproxy's."""
        url = _plain_url(head)
        if url is None:
            self._hand_over()
            return
        gate = self._gate
        engine, now = gate.engines.current, gate.clock()
        client = gate.clients.at(self._address, engine.policy)
        started = time.perf_counter()
        request = WebRequest(url, client, head.method)
        decision = engine.decide(request, now)
        if decision.verdict is not Verdict.BLOCK:
            self._hand_over()
            return
        took_us = int((time.perf_counter() - started) * 1e6)
        moment = time.monotonic()
        transaction = Transaction(request, decision, engine, now, took_us, moment, moment)
        self._connection.recv(head.size)
        self._out = gate.answers.blocked(transaction, head)
        self._step = self._send_page if head.keeps_connection else self._send_last
        self._step()

    def _send_page(self) -> None:
        if self._sent():
            self._step = self._read_head
            self._gate.put_off(self, self._gate.bounds.kept_seconds)
            self._gate.poller.watch(self._connection.fileno(), IN_OR_END, self.ready)

    def _send_last(self) -> None:
        if self._sent():
            self._connection.shutdown(socket.SHUT_WR)
            self.close()

    def _sent(self) -> bool:
        """Send what there is to send; False when the client must take some of it first."""
        try:
            sent = self._connection.send(self._out)
        except BlockingIOError:
            sent = 0
        self._out = self._out[sent:]
        if self._out:
            self._gate.poller.watch(self._connection.fileno(), OUT, self.ready)
        return not self._out

    # -- a tunnel -------------------------------------------------------------------------------

    def _asked_for_tunnel(self, head: Head) -> None:
        """Decide by the name whether it is carried, refused or read (RFC 9110, 9.3.6)."""
        raw, _, port_text = head.target.rpartition(":")
        try:
            host, port = normalise_host(raw), int(port_text)
        except (BadAddressError, ValueError):
            self._hand_over()
            return
        if not (0 < port < 65536 and port_text.isdigit()):
            self._hand_over()
            return
        self._connection.recv(head.size)
        self._target = host.strip("[]"), port
        gate = self._gate
        engine, now = gate.engines.current, gate.clock()
        client = gate.clients.at(self._address, engine.policy)
        started = time.perf_counter()
        answer = engine.decide_host(host, client, now)
        took_us = int((time.perf_counter() - started) * 1e6)
        moment = time.monotonic()
        request = WebRequest(Url("https", host, port, "/"), client, "CONNECT")
        self._transaction = Transaction(
            request, answer.decision, engine, now, took_us, moment, moment, tls=answer.action
        )
        if port in REFUSED_PORTS:
            self._refuse_port(head)
        elif answer.action is TlsAction.PASS:
            self._pass_on()
        elif answer.action is TlsAction.REFUSE:
            self._establish(self._read_hello_of_refused)
        else:
            self._establish(self._read_hello_of_read)

    def _refuse_port(self, head: Head) -> None:
        self._out = self._gate.answers.blocked(self._decided_as(DNS_TUNNEL), head)
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
        self._connection.send(_ESTABLISHED)
        self._step = step
        self._gate.put_off(self, self._gate.bounds.step_seconds)
        self._gate.poller.watch(self._connection.fileno(), IN_OR_END, self.ready)

    def _pass_on(self) -> None:
        """Connect to the site, before the client is told that its tunnel stands."""
        gate = self._gate
        self._step = self._spoke_too_early
        gate.put_off(self, gate.bounds.step_seconds)
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
                self._out = _UNREACHABLE
                self._step = self._send_last
                self._step()
            else:
                self._upstream = upstream
                self._establish(self._read_hello_of_passed)
        except OSError:
            self.close()

    def _read_hello_of_passed(self) -> None:
        """Carry on only what is TLS to the very site that was asked for."""
        name = self._hello_name()
        if name is None:
            return
        if name != self._target[0]:
            # No name, or another, is for the filter, which judges both.
            self._hand_over()
            return
        self._stop_waiting()
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
        """Speak TLS in the site's place, to say why it is closed."""
        name = self._hello_name()
        if name is None:
            return
        gate, transaction = self._gate, self._transaction
        assert transaction is not None
        self._stop_waiting()
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

    def _page_end_closed(self) -> None:
        self._is_over = True
        self._gate.arrivals.pop(self, None)
        assert self._transaction is not None
        self._gate.left(self._address)
        self._gate.refused(self._transaction)

    def _hello_name(self) -> str | None:
        """Give the name in the ClientHello, "" where there is none; None when it is not there yet."""
        data = self._peek(2 * MAX_HELLO_BYTES)
        if data is None:
            return None
        try:
            hello = read_hello(data)
        except NoHelloError:
            if _LIKE_TLS_OR_HTTP.match(data):
                self._hand_over()
            else:
                transaction = self._decided_as(NO_WEB_TUNNEL)
                self.close()
                self._gate.refused(transaction)
            return None
        if hello is None:
            self._wait_for_more(len(data))
            return None
        try:
            return normalise_host(hello.server_name) if hello.server_name else ""
        except BadAddressError:
            self._hand_over()
            return None


def _plain_url(head: Head) -> Url | None:
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
