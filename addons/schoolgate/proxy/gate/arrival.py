"""One connection from its first byte until it is a tunnel, has its page, or is mitmproxy's."""

import base64
import re
import socket
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from schoolgate.core.errors import BadAddressError
from schoolgate.core.hosts import normalise_host
from schoolgate.core.policy import Decision, Shape, TlsAction, Verdict, WebRequest
from schoolgate.core.policy.decision import (
    DNS_TUNNEL,
    MISNAMED,
    NO_WEB_TUNNEL,
    PRIVATE_DESTINATION,
    SOCKS,
)
from schoolgate.core.urls import Url
from schoolgate.identity import (
    MAX_ANNOUNCEMENT_BYTES,
    Challenge,
    NoAnnouncementError,
    read_announcement,
)
from schoolgate.proxy import challenges
from schoolgate.proxy.admission import CREDENTIALS
from schoolgate.proxy.destinations import PrivateDestinationError
from schoolgate.proxy.filter import REFUSED_PORTS
from schoolgate.proxy.gate.dial import Dial
from schoolgate.proxy.gate.glance import Glance
from schoolgate.proxy.gate.heads import (
    MAX_HEAD_BYTES,
    Head,
    UnusualHeadError,
    plain_url,
    read_head,
)
from schoolgate.proxy.gate.hello import MAX_HELLO_BYTES, ClientHello, NoHelloError, read_hello
from schoolgate.proxy.gate.page_end import PageEnd
from schoolgate.proxy.gate.poller import ENDED, IN_OR_END, OUT
from schoolgate.proxy.gate.refusals import (
    ACCESS_DENIED,
    NO_SOCKS,
    PROTOCOL_VERSION,
    shapes_of_hello,
)
from schoolgate.proxy.transactions import Transaction
from schoolgate.services.callers import Caller

if TYPE_CHECKING:
    from collections.abc import Callable

    from schoolgate.proxy.gate.gate import Gate

_ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n"
# A TLS record, or the method of a request; both may be unusual, and are then mitmproxy's.
_LIKE_TLS_OR_HTTP = re.compile(rb"\x16\x03|[A-Z]+(?: |$)|[^\r\n]* HTTP/[0-9]")
# What a browser says first in a tunnel to the port of TLS.
_HANDSHAKE = b"\x16"
_TLS_PORT = 443
_UNREACHABLE = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class Arrival:
    """A connection that the gate still looks at.

    Args:
        gate: whose it is.
        connection: non-blocking.
        address: of the client, normalised text.
        deadline: monotonic seconds at which it is closed unless it gets on.
        is_handed: whether another worker gave it here.
    """

    __slots__ = (
        "_asked_for", "_by_alert", "_caller", "_connection", "_dial", "_gate", "_glance", "_head",
        "_is_handed", "_is_over", "_out", "_page_end", "_peer", "_step", "_target", "_transaction",
        "_upstream", "deadline",
    )  # fmt: skip

    def __init__(
        self,
        gate: "Gate",
        connection: socket.socket,
        address: str,
        deadline: float,
        *,
        is_handed: bool = False,
    ) -> None:
        self._gate = gate
        self._connection = connection
        # Whom it is from, and whose it is; they differ where a load balancer says so.
        self._peer = address
        self._caller = Caller(address)
        self._head: Head | None = None
        self._is_handed = is_handed
        self.deadline = deadline
        is_announced = gate.callers.current.announces(address)
        self._step = self._read_announcement if is_announced else self._read_head
        self._glance = Glance(connection)
        self._out = b""
        # What is asked for, and where it leads once that is granted.
        self._asked_for: tuple[str, int] = ("", 0)
        self._target: tuple[str, int] = ("", 0)
        self._transaction: Transaction | None = None
        self._dial: Dial | None = None
        self._upstream: socket.socket | None = None
        self._page_end: PageEnd | None = None
        # Whether a refusal is told by TLS alone, without a page and the certificate that it needs.
        self._by_alert = False
        self._is_over = False

    def fileno(self) -> int:
        """Give the descriptor of the connection."""
        return self._connection.fileno()

    def ready(self, events: int) -> None:
        """Go on: the socket has something to read, or its peer has ended."""
        self._glance.has_ended = bool(events & ENDED)
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
            self._gate.left(self._caller.address)

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

    def _read_announcement(self) -> None:
        """Hear from a load balancer who comes; the worker whose client that is hears it anew."""
        data = self._glance.at(MAX_ANNOUNCEMENT_BYTES)
        if data is None:
            return
        try:
            found = read_announcement(data)
        except NoAnnouncementError:
            self.close()
            return
        if found is None:
            self._glance.wait_for_more(len(data))
            return
        self._glance.is_enough()
        client = found.client or self._peer
        if not self._is_handed and self._gate.give(self._connection, client):
            self._leave_here()
            return
        self._connection.recv(found.size)
        before, self._peer, self._caller = self._peer, client, Caller(client)
        if self._gate.is_now(before, client):
            self._step = self._read_head
            self._step()
        else:
            self.close()

    def _read_head(self) -> None:
        data = self._glance.at(MAX_HEAD_BYTES)
        if data is None:
            return
        if data[0] in NO_SOCKS:
            self._refuse_socks(NO_SOCKS[data[0]])
            return
        if self._gate.portal_door is not None and self._gate.portal_door.is_asked(data):
            self._lead_to_portal(tls=False)
            return
        try:
            head = read_head(data)
        except UnusualHeadError:
            self._hand_over()
            return
        if head is None:
            self._glance.wait_for_more(len(data))
            return
        self._glance.is_enough()
        if head.method == "CONNECT":
            self._asked_for_tunnel(head)
        elif self._gate.pac_door is not None and self._gate.pac_door.is_asked(head):
            self._give_pac(head)
        else:
            self._asked_for_page(head)

    def _hand_over(self) -> None:
        """Leave it to mitmproxy, with every byte that was not taken."""
        self._glance.is_enough()
        self._gate.poller.forget(self._connection.fileno())
        self._over()
        destination = self._target if self._target[0] else None
        self._gate.hand_over(self._connection, destination, self._caller)

    def _leave_here(self) -> None:
        """Close our end of it: another worker has the connection."""
        # The kernel watches it for as long as anybody has it open.
        self._gate.poller.forget(self._connection.fileno())
        self._over()
        self._connection.close()
        self._gate.left(self._caller.address)

    def _refuse_socks(self, refusal: bytes) -> None:
        gate = self._gate
        engine, now, moment = gate.engines.current, gate.clock(), time.monotonic()
        client = gate.clients.at(self._peer, engine.policy)
        request = WebRequest(Url("socks", "", 0, ""), client, "CONNECT")
        gate.ended_early(Transaction(request, SOCKS, engine, now, 0, moment, moment))
        # What is left unread would turn the answer into a reset.
        self._connection.recv(MAX_HEAD_BYTES)
        self._out, self._step = refusal, self._send_last
        self._step()

    # -- who asks -------------------------------------------------------------------------------

    def _find_out_who(self, head: Head) -> None:
        """Hear the load balancer that a tunnel is asked for through, and have people sign in."""
        self._head = head
        self._step = self._spoke_too_early
        self._gate.put_off(self, self._gate.bounds.checking_seconds)
        self._gate.find_out(self._peer, head, self._found_out)

    def _found_out(self, found: Caller | Challenge) -> None:
        head, gate = self._head, self._gate
        if self._is_over or head is None:
            return
        self._head = None
        try:
            if isinstance(found, Challenge):
                self._challenge(head, found)
                return
            before, self._caller = self._caller, found
            if gate.is_now(before.address, found.address):
                self._decide(head)
            else:
                self.close()
        except OSError:
            self.close()

    def _asked_at_once(self, head: Head) -> Challenge | None:
        """Give how whoever says nothing is asked, on a connection that is one client's."""
        entry = self._gate.callers.current
        authentication = entry.authentication
        if authentication is None or CREDENTIALS in head.headers or entry.is_shared(self._peer):
            return None
        unsigned = authentication.unsigned(self._peer, over_tls=False)
        return unsigned if isinstance(unsigned, Challenge) else None

    def _challenge(self, head: Head, challenge: Challenge) -> None:
        """Have them sign in; what they ask next on this connection is asked anew."""
        self._out = challenges.http1(challenge, head.method, stays=head.keeps_connection)
        self._step = self._send_page if head.keeps_connection else self._send_last
        self._step()

    def _lead_to_portal(self, *, tls: bool) -> None:
        """Leave it to the door of the portal, whoever asks."""
        self._glance.is_enough()
        self._gate.poller.forget(self._connection.fileno())
        self._over()
        self._gate.lead_to_portal(self._connection, self._caller.address, tls=tls)

    # -- a request without a tunnel -------------------------------------------------------------

    def _asked_for_page(self, head: Head) -> None:
        """Answer what is blocked; all else is mitmproxy's."""
        if not self._gate.callers.current.asks_nothing:
            asked = self._asked_at_once(head)
            if asked is None:
                self._hand_over()
            else:
                self._connection.recv(head.size)
                self._challenge(head, asked)
            return
        url = plain_url(head)
        if url is None:
            self._hand_over()
            return
        self._judge_page(head, url)

    def _give_pac(self, head: Head) -> None:
        assert self._gate.pac_door is not None
        self._connection.recv(head.size)
        self._out = self._gate.pac_door.answer(head)
        self._step = self._send_last
        self._step()

    def _judge_page(self, head: Head, url: Url) -> None:
        gate, caller = self._gate, self._caller
        engine, now = gate.engines.current, gate.clock()
        client = gate.clients.at(caller.address, engine.policy, caller.signed_in)
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
        if not self._is_handed and self._gate.hand_on(self._connection, self._peer, head):
            self._leave_here()
            return
        self._connection.recv(head.size)
        if self._gate.portal_door is not None and self._gate.portal_door.is_behind(host, port):
            self._asked_for_portal(head)
            return
        self._asked_for = host, port
        if self._gate.callers.current.asks_nothing:
            self._decide(head)
        else:
            self._find_out_who(head)

    def _asked_for_portal(self, head: Head) -> None:
        """Lead a tunnel to the portal, as its client's: within it no load balancer says anything."""
        before, self._caller = self._caller, Caller(self._gate.named(self._peer, head))
        if not self._gate.is_now(before.address, self._caller.address):
            self.close()
            return
        self._connection.send(_ESTABLISHED + b"\r\n")
        self._lead_to_portal(tls=True)

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
        self._connection.send(_ESTABLISHED + word + b"\r\n")
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
