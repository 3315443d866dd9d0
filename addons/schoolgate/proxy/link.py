"""One TCP connection of a handler, read where it arrives and not in a task of its own."""

import asyncio
from collections.abc import Callable
from typing import Protocol

from mitmproxy.connection import Client, Connection

# As much as a body piece of 100 KB, so that it is one piece.
READ_BYTES = 128 * 1024
# A thousand requests at most: others must have their turn in between.
CLIENT_READ_BYTES = 32 * 1024

# What is read is copied out before anything else is read: one buffer serves all.
_from_server = memoryview(bytearray(READ_BYTES))
_from_client = _from_server[:CLIENT_READ_BYTES]


class Receiver(Protocol):
    """Who is told what happens on a link."""

    def received(self, link: "Link", data: bytes) -> None:
        """Take what a peer sent."""

    def ended(self, link: "Link") -> None:
        """Note that a peer sends no more, but may still read."""

    def lost(self, link: "Link") -> None:
        """Note that a connection is gone in both directions."""

    def drained(self, link: "Link") -> None:
        """Note that a peer took what waited for it."""


class Link(asyncio.BufferedProtocol):
    """A connection of mitmproxy's and the socket behind it; nothing is read before `read_on`.

    Args:
        receiver: told of everything.
        connection: what mitmproxy knows it as.
    """

    __slots__ = (
        "_inbox",
        "_receiver",
        "_written",
        "closed",
        "connection",
        "gate",
        "is_full",
        "is_told",
        "opening",
        "transport",
    )

    def __init__(self, receiver: Receiver, connection: Connection) -> None:
        self._receiver = receiver
        self.connection = connection
        self._inbox = _from_client if isinstance(connection, Client) else _from_server
        self._written: list[bytes] = []
        # The task that connects it, while it does.
        self.opening: asyncio.Task[None] | None = None
        self.transport: asyncio.Transport | None = None
        # More waits for the peer than it takes.
        self.is_full = False
        # The layers know that the peer sends no more.
        self.is_told = False
        # What must come true before it is read again.
        self.gate: Callable[[], bool] | None = None
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport, and wait."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.pause_reading()

    def get_buffer(self, _sizehint: int) -> memoryview:
        """Give where to read to."""
        return self._inbox

    def buffer_updated(self, nbytes: int) -> None:
        """Hand on what was read."""
        self._receiver.received(self, bytes(self._inbox[:nbytes]))

    def eof_received(self) -> bool:
        """Stay half-open: it may still be answered."""
        self._receiver.ended(self)
        return True

    def connection_lost(self, _error: Exception | None) -> None:
        """Tell that it is gone."""
        self.is_full = False
        self._receiver.lost(self)

    def pause_writing(self) -> None:
        """Note that the peer is slow."""
        self.is_full = True

    def resume_writing(self) -> None:
        """Note that it has caught up."""
        self.is_full = False
        self._receiver.drained(self)

    @property
    def unsent_bytes(self) -> int:
        """How much waits for the peer."""
        return self.transport.get_write_buffer_size() if self.transport else 0

    def read_on(self) -> None:
        """Read, from the first time or again."""
        if self.transport is not None and not self.transport.is_closing():
            self.transport.resume_reading()

    def hold(self) -> None:
        """Leave what comes in the socket."""
        if self.transport is not None and not self.transport.is_closing():
            self.transport.pause_reading()

    def write(self, data: bytes) -> None:
        """Send with the next `flush`."""
        self._written.append(data)

    def flush(self) -> None:
        """Send what was written, in one piece, unless it is closed."""
        written = self._written
        if not written:
            return
        if self.transport is not None and not self.transport.is_closing():
            self.transport.write(written[0] if len(written) == 1 else b"".join(written))
        written.clear()

    def write_end(self) -> None:
        """Say that nothing more will be sent.

        Raises:
            OSError: when the connection is gone.
        """
        self.flush()
        if self.transport is not None and not self.transport.is_closing():
            self.transport.write_eof()

    def close(self) -> None:
        """Close it once what was written is sent."""
        if self.opening is not None:
            self.opening.cancel()
        if self.transport is not None:
            self.flush()
            self.transport.close()
        if not self.closed.done():
            self.closed.set_result(None)
