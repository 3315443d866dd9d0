"""One connection from its first byte until it is a tunnel, has its page, or is mitmproxy's."""

import socket
import time
from typing import TYPE_CHECKING

from schoolgate.core.policy import Verdict, WebRequest
from schoolgate.core.urls import Url
from schoolgate.identity import Challenge
from schoolgate.proxy import challenges
from schoolgate.proxy.gate.glance import Glance
from schoolgate.proxy.gate.heads import Head
from schoolgate.proxy.gate.poller import ENDED, IN_OR_END, OUT
from schoolgate.proxy.transactions import Transaction
from schoolgate.services.callers import Caller

if TYPE_CHECKING:
    from schoolgate.proxy.gate.gate import Gate


class Arrival:
    """A connection that the gate still looks at, however it came.

    Args:
        gate: whose it is.
        connection: non-blocking.
        address: of the client, normalised text.
        deadline: monotonic seconds at which it is closed unless it gets on.
    """

    __slots__ = (
        "_answered", "_caller", "_connection", "_gate", "_glance", "_is_over", "_out", "_step",
        "_target", "deadline",
    )  # fmt: skip

    def __init__(
        self, gate: "Gate", connection: socket.socket, address: str, deadline: float
    ) -> None:
        self._gate = gate
        self._connection = connection
        self._caller = Caller(address)
        self.deadline = deadline
        self._step = self._read_head
        self._glance = Glance(connection)
        self._out = b""
        # Bytes of the head that is being answered, still unread.
        self._answered = 0
        # Where it leads, once that is known.
        self._target: tuple[str, int] = ("", 0)
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
        if not self._is_over:
            self._gate.poller.closing(self._connection.fileno())
            self._over()
            self._connection.close()
            self._gate.left(self._caller.address)

    def _over(self) -> None:
        """Look at it no more; the connection itself stays as it is."""
        self._is_over = True
        self._gate.arrivals.pop(self, None)

    def _read_head(self) -> None:
        """Look at what the client says first."""
        raise NotImplementedError

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

    def _lead_to_portal(self, *, tls: bool) -> None:
        """Leave it to the door of the portal, whoever asks."""
        self._glance.is_enough()
        self._gate.poller.forget(self._connection.fileno())
        self._over()
        self._gate.lead_to_portal(self._connection, self._caller.address, tls=tls)

    # -- a page -------------------------------------------------------------------------------

    def _give_pac(self, head: Head) -> None:
        assert self._gate.pac_door is not None
        self._answer(self._gate.pac_door.answer(head), head.size, stays=False)

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
        page = gate.answers.blocked(transaction, head)
        self._answer(page, head.size, stays=head.keeps_connection)

    def _challenge(self, head: Head, challenge: Challenge, unread: int = 0) -> None:
        """Have them sign in; what they ask next on this connection is asked anew."""
        said = challenges.http1(challenge, head.method, stays=head.keeps_connection)
        self._answer(said, unread, stays=head.keeps_connection)

    def _answer(self, out: bytes, unread: int, *, stays: bool) -> None:
        """Answer a head of which so many bytes are still unread."""
        self._out, self._answered = out, unread
        self._step = self._send_page if stays else self._send_last
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
        if self._answered:
            # Taken only now: the answer has acknowledged it, which saves a packet of its own.
            self._connection.recv(self._answered)
            self._answered = 0
        self._out = self._out[sent:]
        if self._out:
            self._gate.poller.watch(self._connection.fileno(), OUT, self.ready)
        return not self._out
