"""Answers in the place of a blocked HTTPS site: a TLS end of the gate's own, with nothing behind it."""

import contextlib
import socket
import ssl
from collections.abc import Callable

from schoolgate.proxy.gate.heads import MAX_HEAD_BYTES, Head, UnusualHeadError, read_head
from schoolgate.proxy.gate.poller import IN, OUT, Poller

# What a client still sends to a page that is closed; without taking it, the page could be lost.
# A request takes three: read, answer, send.
_STEPS_AT_ONCE = 24
_MOST_DISCARDED_BYTES = 64 * 1024

# From the head of a request (None where it is unusual) and its first line to the whole answer; to
# nothing where the site is not blocked any more, and the client is to come again.
type Answer = Callable[[Head | None, str], bytes]


class PageEnd:
    """One TLS connection on which every request gets a page.

    Args:
        poller: watches the socket.
        connection: non-blocking, its ClientHello unread.
        context: of the name that the client asked for.
        answer: makes a whole answer; that to an unusual head is the last.
        ended: called once, after the socket is closed.
    """

    __slots__ = (
        "_answer", "_buffer", "_discarded", "_ended", "_handshaken", "_is_due", "_is_last", "_is_leaving",
        "_out", "_poller", "_tls", "is_open",
    )  # fmt: skip

    def __init__(
        self,
        poller: Poller,
        connection: socket.socket,
        context: ssl.SSLContext,
        answer: Answer,
        ended: Callable[[], None],
    ) -> None:
        self._poller = poller
        self._answer = answer
        self._ended = ended
        self._tls = context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        self._buffer = b""
        self._out = b""
        self._discarded = 0
        self._handshaken = self._is_due = self._is_last = self._is_leaving = False
        self.is_open = True

    def start(self) -> None:
        """Begin with what is there."""
        self._poller.watch(self._tls.fileno(), IN, self.ready)
        self.ready(IN)

    def ready(self, _events: int) -> None:
        """Go on with whatever the connection waits for."""
        try:
            if not self._handshaken:
                self._tls.do_handshake()
                self._handshaken = True
            for _ in range(_STEPS_AT_ONCE):
                if not self.is_open:
                    return
                self._advance()
            # Whoever asks without end is not to hold up the others.
            if not self._is_due:
                self._is_due = True
                self._poller.soon(self._go_on)
        except (ssl.SSLWantReadError, BlockingIOError):
            self._poller.watch(self._tls.fileno(), IN, self.ready)
        except ssl.SSLWantWriteError:
            self._poller.watch(self._tls.fileno(), OUT, self.ready)
        except OSError:
            # Among them: the client does not trust the CA.
            self.close()

    def _go_on(self, events: int) -> None:
        self._is_due = False
        if self.is_open:
            self.ready(events)

    def close(self) -> None:
        """Close at once."""
        if self.is_open:
            self.is_open = False
            self._poller.closing(self._tls.fileno())
            self._tls.close()
            self._ended()

    def _advance(self) -> None:
        if self._out:
            self._out = self._out[self._tls.send(self._out) :]
        elif self._is_last:
            self._leave()
        elif not self._take_request():
            data = self._tls.recv(MAX_HEAD_BYTES)
            if data:
                self._buffer += data
            else:
                self.close()

    def _take_request(self) -> bool:
        """Answer the next request, if it is whole."""
        if not self._buffer:
            return False
        try:
            head = read_head(self._buffer)
        except UnusualHeadError:
            head, self._is_last = None, True
        else:
            if head is None:
                return False
            self._is_last = not head.keeps_connection
        first = self._buffer.partition(b"\r\n")[0].decode("ascii", "backslashreplace")
        self._out = self._answer(head, first)
        self._is_last = self._is_last or not self._out
        self._buffer = self._buffer[head.size :] if head else b""
        return True

    def _leave(self) -> None:
        """Say that nothing more comes, and take what is on its way."""
        if not self._is_leaving:
            self._is_leaving = True
            with contextlib.suppress(ssl.SSLWantReadError, ssl.SSLWantWriteError):
                self._tls.unwrap()
            if self._tls.fileno() >= 0:
                self._tls.shutdown(socket.SHUT_WR)
        data = self._tls.recv(MAX_HEAD_BYTES)
        self._discarded += len(data)
        if not data or self._discarded > _MOST_DISCARDED_BYTES:
            self.close()
