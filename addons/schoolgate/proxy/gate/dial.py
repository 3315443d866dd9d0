"""Connects to the first address of a site that answers (RFC 8305, without its look-ups)."""

import asyncio
import errno
import os
import socket
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from schoolgate.proxy.gate.poller import ENDED, OUT, Poller

# RFC 8305, 5: how long one address has before the next is tried beside it.
ATTEMPT_DELAY_SECONDS = 0.25
_UNDER_WAY = frozenset({0, errno.EINPROGRESS})


class Dial:
    """One site being connected to.

    Args:
        loop: keeps the time between two attempts.
        poller: watches the attempts.
        addresses: as `socket.getaddrinfo` gives them, the preferred one first; not empty.
        done: called once, with the connected non-blocking socket, or with None and why.
    """

    __slots__ = ("_addresses", "_attempts", "_done", "_error", "_loop", "_poller", "_timer")

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        poller: Poller,
        addresses: Sequence[Any],
        done: Callable[[socket.socket | None, OSError | None], None],
    ) -> None:
        self._loop = loop
        self._poller = poller
        self._addresses = list(reversed(addresses))
        self._attempts: set[socket.socket] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._error: OSError | None = None
        self._done = done

    def start(self) -> None:
        """Try the first address; ``done`` may be called before this returns."""
        self._next()

    def give_up(self) -> None:
        """Close every attempt; ``done`` is not called any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for attempt in self._attempts:
            self._poller.closing(attempt.fileno())
            attempt.close()
        self._attempts.clear()
        self._addresses.clear()

    def _next(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._addresses:
            family, kind, protocol, _, address = self._addresses.pop()
            attempt = None
            try:
                # Without IPv6 in the kernel, or without a free descriptor, it fails here.
                attempt = socket.socket(family, kind | socket.SOCK_NONBLOCK, protocol)
                attempt.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._note(attempt.connect_ex(address))
            except OSError as error:
                self._error = error
                if attempt is not None:
                    attempt.close()
                continue
            self._attempts.add(attempt)
            self._poller.watch(attempt.fileno(), OUT, partial(self._settled, attempt))
            if self._addresses:
                self._timer = self._loop.call_later(ATTEMPT_DELAY_SECONDS, self._next)
            return
        if not self._attempts:
            self._done(None, self._error)

    def _settled(self, attempt: socket.socket, events: int) -> None:
        if not events & (OUT | ENDED):
            # Meant for a socket that had its number before.
            return
        self._attempts.discard(attempt)
        try:
            self._note(attempt.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))
        except OSError as error:
            self._error = error
            self._poller.closing(attempt.fileno())
            attempt.close()
            self._next()
            return
        self._poller.forget(attempt.fileno())
        self.give_up()
        self._done(attempt, None)

    def _note(self, number: int) -> None:
        if number not in _UNDER_WAY:
            raise OSError(number, os.strerror(number))
