"""Sockets by which workers are handed connections by others: each the worker whose client it is.

The kernel steers by the address that a connection is from, which behind a load balancer is never the
client's own. Only who has read what the load balancer says can steer by that. What comes out of the
tunnel of a device at home is from this machine itself; only its process knows the device.
"""

import json
import socket
from collections.abc import Sequence
from typing import NamedTuple

from schoolgate.workers import steering
from schoolgate.workers.socket_pairs import SocketPairs

# A worker says nothing: the connection itself says whose it is.
_OWN = b"\0"
_LONGEST = 1024


class Exchange(SocketPairs):
    """The sockets of all workers, made before any of them exists and inherited by each.

    What was handed to a worker that ends is taken by its replacement.

    Args:
        workers: how many.
    """

    def entrance(self) -> "Entrance":
        """Give what a process that is no worker hands connections in by."""
        return Entrance(self._giving)

    def desk(self, number: int) -> "Desk":
        """Give what a worker has of it; numbers are from 1."""
        return Desk(number - 1, self._taking[number - 1], self._giving)


class Handed(NamedTuple):
    """A connection that was handed over.

    Attributes:
        connection: with every byte that is unread.
        client: whose it is, normalised text; "" for the address that it is from.
        place: where its client believes to be connected to, address and port; None where it speaks to
            a proxy.
        stands_for: the group and network for which the gateway itself asks, from an address that nobody
            has; None for everybody else's.
    """

    connection: socket.socket
    client: str = ""
    place: tuple[str, int] | None = None
    stands_for: tuple[str, str] | None = None


class Entrance:
    """Where a process that is no worker gives connections to the workers; nothing in here waits.

    Only this machine's own processes have these sockets, so that what they say needs no proof.
    """

    def __init__(self, giving: Sequence[socket.socket]) -> None:
        self._giving = giving

    @property
    def workers(self) -> int:
        """How many there are."""
        return len(self._giving)

    def give(
        self,
        connection: socket.socket,
        client: str,
        place: tuple[str, int] | None,
        stands_for: tuple[str, str] | None = None,
    ) -> bool:
        """Hand a connection to the worker of its client; False when that takes no more.

        Args:
            connection: still this process's to close.
            client: whose it is, normalised text.
            place: for `Handed.place`.
            stands_for: for `Handed.stands_for`.
        """
        owner = steering.place_of(client, len(self._giving))
        said = json.dumps([client, place, stands_for]).encode()
        try:
            socket.send_fds(self._giving[owner], [said], [connection.fileno()])
        except OSError:
            return False
        return True


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
            socket.send_fds(self._giving[owner], [_OWN], [connection.fileno()])
        except OSError:
            # Its queue is full: better here than nowhere.
            return False
        return True

    def take(self) -> Handed | None:
        """Take a connection that was handed over, or None where there is none."""
        try:
            said, descriptors, _, _ = socket.recv_fds(
                self._taking, _LONGEST, 1, socket.MSG_CMSG_CLOEXEC
            )
        except BlockingIOError:
            return None
        if not descriptors:
            return None
        connection = socket.socket(fileno=descriptors[0])
        if said == _OWN:
            return Handed(connection)
        client, place, stands_for = json.loads(said)
        return Handed(
            connection,
            client,
            tuple(place) if place else None,
            tuple(stands_for) if stands_for else None,
        )
