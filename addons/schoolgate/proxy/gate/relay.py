"""Carries the bytes of a tunnel both ways: copied while it is a talk, spliced once it is a flood."""

import contextlib
import fcntl
import os
import socket
from collections.abc import Callable

from schoolgate.proxy.gate.poller import IN, IN_OR_END, OUT, Poller

_BUFFER = bytearray(64 * 1024)
_VIEW = memoryview(_BUFFER)
# A flow that fills the buffer and has carried this much is spliced: two descriptors more, and no
# byte is copied into Python.
SPLICE_AFTER_BYTES = 256 * 1024
# Unprivileged users may have 64 MiB in pipes (/proc/sys/fs/pipe-user-pages-soft).
_PIPE_BYTES = 256 * 1024
_SPLICE = os.SPLICE_F_MOVE | os.SPLICE_F_NONBLOCK


class _Flow:
    """One direction: what one socket gives, the other takes, and never more than that."""

    __slots__ = (
        "destination", "ended", "is_held", "moved", "pending", "pipe", "piped", "receive", "send",
        "source",
    )  # fmt: skip

    def __init__(self, source: socket.socket, destination: socket.socket) -> None:
        self.source = source
        self.destination = destination
        self.receive = source.recv_into
        self.send = destination.send
        self.moved = 0
        self.pending = b""
        self.pipe: tuple[int, int] | None = None
        self.piped = 0
        self.ended = False
        # Some of what was received is not taken yet.
        self.is_held = False

    def pump(self) -> None:
        """Move what is there."""
        if self.pipe is not None:
            self._pump_spliced(self.pipe)
            return
        try:
            size = self.receive(_BUFFER)
        except BlockingIOError:
            return
        if not size:
            self.ended = True
            return
        self.moved += size
        try:
            sent = self.send(_VIEW[:size])
        except BlockingIOError:
            sent = 0
        if sent < size:
            self.pending = bytes(_VIEW[sent:size])
            self.is_held = True
        elif self.moved > SPLICE_AFTER_BYTES and size == len(_BUFFER):
            self.pipe = _make_pipe()

    def flush(self) -> None:
        """Give what is held to the side that has room again."""
        with contextlib.suppress(BlockingIOError):
            if self.pending:
                self.pending = self.pending[self.send(self.pending) :]
            while self.piped and self.pipe is not None:
                self.piped -= os.splice(
                    self.pipe[0], self.destination.fileno(), self.piped, flags=_SPLICE
                )
        self.is_held = bool(self.pending) or self.piped > 0

    def close(self) -> None:
        if self.pipe is not None:
            for descriptor in self.pipe:
                os.close(descriptor)
            self.pipe = None

    def _pump_spliced(self, pipe: tuple[int, int]) -> None:
        try:
            size = os.splice(self.source.fileno(), pipe[1], _PIPE_BYTES, flags=_SPLICE)
        except BlockingIOError:
            return
        if not size:
            self.ended = True
            return
        self.moved += size
        self.piped += size
        self.flush()


class Relay:
    """Two connected sockets that are joined until both have ended.

    Args:
        poller: watches the sockets.
        client: towards the person's device; non-blocking.
        upstream: towards the site; non-blocking.
        ended: called once, after both sockets are closed.
    """

    __slots__ = ("_ended", "_poller", "_watched", "down", "is_open", "up")

    def __init__(
        self,
        poller: Poller,
        client: socket.socket,
        upstream: socket.socket,
        ended: Callable[[], None],
    ) -> None:
        self.up = _Flow(client, upstream)
        self.down = _Flow(upstream, client)
        self.is_open = True
        self._poller = poller
        self._ended = ended
        # As an arrival is watched, which spares the kernel a change.
        self._watched = [IN_OR_END, IN_OR_END]
        poller.watch(client.fileno(), IN_OR_END, self._client_ready)
        poller.watch(upstream.fileno(), IN_OR_END, self._upstream_ready)

    @property
    def moved(self) -> int:
        """Bytes carried so far, both ways."""
        return self.up.moved + self.down.moved

    @property
    def is_half_closed(self) -> bool:
        """Whether one side has said that it sends no more."""
        return self.up.ended or self.down.ended

    def close(self) -> None:
        """Close both sockets at once."""
        if not self.is_open:
            return
        self.is_open = False
        for flow in (self.up, self.down):
            self._poller.closing(flow.source.fileno())
            flow.source.close()
            flow.close()
        self._ended()

    def _client_ready(self, events: int) -> None:
        self._serve(events, self.up, self.down)

    def _upstream_ready(self, events: int) -> None:
        self._serve(events, self.down, self.up)

    def _serve(self, events: int, outgoing: _Flow, incoming: _Flow) -> None:
        """Handle a ready socket: the source of one flow and the destination of the other."""
        try:
            if events != IN and incoming.is_held:
                incoming.flush()
                self._settle(incoming)
            if events & ~OUT and not outgoing.ended and not outgoing.is_held:
                outgoing.pump()
                if outgoing.ended or outgoing.is_held:
                    self._settle(outgoing)
        except OSError:
            # The other side is gone: what is on its way has nobody to take it.
            self.close()

    def _settle(self, flow: _Flow) -> None:
        """Watch for what a flow needs now, and pass its end on once it is empty."""
        if flow.ended and not flow.is_held:
            if self.up.ended and self.down.ended and not (self.up.is_held or self.down.is_held):
                self.close()
                return
            with contextlib.suppress(OSError):
                flow.destination.shutdown(socket.SHUT_WR)
        self._watch(0, self.up, self.down, self._client_ready)
        self._watch(1, self.down, self.up, self._upstream_ready)

    def _watch(
        self, side: int, outgoing: _Flow, incoming: _Flow, callback: Callable[[int], None]
    ) -> None:
        wanted = 0 if outgoing.ended or outgoing.is_held else IN_OR_END
        if incoming.is_held:
            wanted |= OUT
        if wanted != self._watched[side]:
            self._watched[side] = wanted
            if wanted:
                self._poller.watch(outgoing.source.fileno(), wanted, callback)
            else:
                # A watched socket that is wanted for nothing would tell of its end without an end.
                self._poller.forget(outgoing.source.fileno())


def _make_pipe() -> tuple[int, int] | None:
    """Give a pipe, or None where this process may have no more: then bytes are copied on."""
    try:
        pipe = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    with contextlib.suppress(OSError):
        # More than the default of 64 KiB when the user's share is not used up.
        fcntl.fcntl(pipe[1], fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
    return pipe
