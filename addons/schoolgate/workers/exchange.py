"""Sockets by which workers hand connections to each other: each to the worker whose client it is.

The kernel steers by the address that a connection is from, which behind a load balancer is never the
client's own. Only who has read what the load balancer says can steer by that.
"""

import socket
from collections.abc import Sequence

from schoolgate.workers import steering


class Exchange:
    """The sockets of all workers, made before any of them exists and inherited by each.

    What was handed to a worker that ends is taken by its replacement.

    Args:
        workers: how many.
    """

    def __init__(self, workers: int) -> None:
        pairs = [socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM) for _ in range(workers)]
        self._giving = [giving for giving, _ in pairs]
        self._taking = [taking for _, taking in pairs]
        for one in (*self._giving, *self._taking):
            one.setblocking(False)

    def desk(self, number: int) -> "Desk":
        """Give what a worker has of it; numbers are from 1."""
        return Desk(number - 1, self._taking[number - 1], self._giving)

    def close(self) -> None:
        """Close what this process has of it."""
        for one in (*self._giving, *self._taking):
            one.close()


class Desk:
    """Where one worker gives and takes connections; nothing in here waits."""

    def __init__(self, own: int, taking: socket.socket, giving: Sequence[socket.socket]) -> None:
        self._own = own
        self._taking = taking
        self._giving = giving

    def fileno(self) -> int:
        """Give what becomes readable when there is something to take."""
        return self._taking.fileno()

    def give(self, connection: socket.socket, client: str) -> bool:
        """Hand a connection on, with every byte that is unread; False where it stays here.

        Args:
            connection: still this process's to close.
            client: address of its client, normalised text.
        """
        owner = steering.place_of(client, len(self._giving))
        if owner == self._own:
            return False
        try:
            socket.send_fds(self._giving[owner], [b"\0"], [connection.fileno()])
        except OSError:
            # Its queue is full: better here than nowhere.
            return False
        return True

    def take(self) -> socket.socket | None:
        """Take a connection that was handed over, or None where there is none."""
        try:
            _, descriptors, _, _ = socket.recv_fds(self._taking, 1, 1, socket.MSG_CMSG_CLOEXEC)
        except BlockingIOError:
            return None
        return socket.socket(fileno=descriptors[0]) if descriptors else None
