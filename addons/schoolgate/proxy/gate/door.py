"""Accepts connections on the listening sockets, and takes those that other workers hand over."""

import socket
from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol

from schoolgate.core.errors import BadAddressError
from schoolgate.core.prefixes import client_address
from schoolgate.proxy.gate.poller import IN, Poller

# Descriptors are used up: others are closed meanwhile, and who waits in the queue is not lost.
PAUSE_SECONDS = 0.2
_ACCEPTED_AT_ONCE = 64

# Takes a connection with the address of its client, and whether another process handed it over.
type Arrive = Callable[[socket.socket, str, bool], None]
# Takes one whose client believes to be connected to an address and port.
type ArriveElsewhere = Callable[[socket.socket, str, tuple[str, int]], None]
# Takes an address of nobody's with the group and network for which the gateway itself asks there.
type Introduce = Callable[[str, str, str], None]


class Handed(Protocol):
    """A connection that was handed over, as `workers.Handed`."""

    @property
    def connection(self) -> socket.socket:
        """It, with every byte that is unread."""

    @property
    def client(self) -> str:
        """Whose it is; "" for the address that it is from."""

    @property
    def place(self) -> tuple[str, int] | None:
        """Where its client believes to be connected to; None where it speaks to a proxy."""

    @property
    def stands_for(self) -> tuple[str, str] | None:
        """The group and network for which the gateway itself asks; None for everybody else's."""


class Desk(Protocol):
    """Where workers give and take connections, as `workers.Desk`."""

    def fileno(self) -> int:
        """Give what becomes readable when there is something to take."""

    def give(self, connection: socket.socket, client: str) -> bool:
        """Hand a connection to the worker of a client; False where that is this one."""

    def take(self) -> Handed | None:
        """Take a connection that was handed over."""


class Door:
    """The way in to one gate.

    Args:
        poller: watches the sockets.
        arrive: takes what comes.
        later: calls back after some seconds.
        fault: told of an error that stopped it for a moment.
        elsewhere: takes what is handed over and was going to a place.
        introduce: told for whom the gateway itself asks, before its connection is taken.
    """

    def __init__(
        self,
        poller: Poller,
        arrive: Arrive,
        later: Callable[[float, Callable[[], None]], object],
        fault: Callable[[Exception], None],
        elsewhere: ArriveElsewhere | None = None,
        introduce: Introduce | None = None,
    ) -> None:
        self._poller = poller
        self._arrive = arrive
        self._later = later
        self._fault = fault
        self._elsewhere = elsewhere
        self._introduce = introduce
        self._listeners: list[socket.socket] = []
        self._desk: Desk | None = None

    def open(self, listeners: Sequence[socket.socket], desk: Desk | None) -> None:
        """Begin to take connections."""
        for listener in listeners:
            listener.setblocking(False)
            # What is accepted inherits it.
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._listeners.append(listener)
            self._watch(listener)
        self._desk = desk
        if desk is not None:
            self._poller.watch(desk.fileno(), IN, self._take)

    def close(self) -> None:
        """Take no more. The listening sockets stay as they are."""
        for listener in self._listeners:
            self._poller.forget(listener.fileno())
        self._listeners.clear()
        if self._desk is not None:
            self._poller.forget(self._desk.fileno())
            self._desk = None

    def _watch(self, listener: socket.socket) -> None:
        self._poller.watch(listener.fileno(), IN, partial(self._accept, listener))

    def _accept(self, listener: socket.socket, _events: int) -> None:
        for _ in range(_ACCEPTED_AT_ONCE):
            try:
                connection, peer = listener.accept()
            except (BlockingIOError, ConnectionAbortedError):
                return
            except OSError as error:
                self._pause(listener, error)
                return
            connection.setblocking(False)
            self._arrive(connection, _plain(peer[0]), False)

    def _pause(self, listener: socket.socket, error: OSError) -> None:
        """Stop accepting for a moment: an error that stays would spin the loop."""
        self._fault(error)
        self._poller.forget(listener.fileno())
        self._later(PAUSE_SECONDS, partial(self._resume, listener))

    def _resume(self, listener: socket.socket) -> None:
        if listener in self._listeners:
            self._watch(listener)

    def _take(self, _events: int) -> None:
        for _ in range(_ACCEPTED_AT_ONCE):
            handed = self._desk.take() if self._desk is not None else None
            if handed is None:
                return
            connection = handed.connection
            connection.setblocking(False)
            try:
                client = handed.client or _plain(connection.getpeername()[0])
            except OSError:
                # It has gone again meanwhile.
                connection.close()
                continue
            if handed.stands_for is not None and self._introduce is not None:
                self._introduce(client, *handed.stands_for)
            if handed.place is None:
                self._arrive(connection, client, True)
            elif self._elsewhere is not None:
                self._elsewhere(connection, client, handed.place)
            else:
                connection.close()


def _plain(address: str) -> str:
    """Give a client's address as the policy knows it."""
    if ":" not in address:
        return address
    try:
        return client_address(address)
    except BadAddressError:
        return ""
