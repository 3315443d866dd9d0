"""Sockets of the gate beside asyncio's own: one epoll for all of them, watched by the event loop."""

import asyncio
import select
from collections.abc import Callable

IN = select.EPOLLIN
OUT = select.EPOLLOUT
# Something to read, or the peer's end, which a minimum of bytes to wait for would hide.
IN_OR_END = IN | select.EPOLLRDHUP
ENDED = select.EPOLLRDHUP | select.EPOLLHUP | select.EPOLLERR

# So many at a time, and as long as there are several again so often, then the loop's other work has
# its turn: to ask once more here is cheaper than a turn of the loop.
_MOST_EVENTS = 256
_MOST_ROUNDS = 4
_SEVERAL = 3


class Poller:
    """Calls back when sockets are ready, for a fraction of what a callback of asyncio costs.

    asyncio makes a handle for every event and runs it in a context; a relayed packet is handled in
    less time than that takes. Events are level-triggered, so that one not handled comes again. A
    callback may be told of a socket that is not ready: descriptors are given out anew at once.

    Args:
        loop: watches the descriptor of this epoll.
        fault: told of a callback that raised; must close what it belongs to.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        fault: Callable[[Callable[[int], None], Exception], None],
    ) -> None:
        self._loop = loop
        self._fault = fault
        self._epoll = select.epoll()
        self._callbacks: dict[int, Callable[[int], None]] = {}
        self._events: dict[int, int] = {}
        loop.add_reader(self._epoll.fileno(), self._dispatch)

    def __len__(self) -> int:
        """How many sockets are watched."""
        return len(self._callbacks)

    def watch(self, descriptor: int, events: int, callback: Callable[[int], None]) -> None:
        """Begin to watch a socket, or watch it for something else."""
        watched = self._events.get(descriptor)
        if watched is None:
            self._epoll.register(descriptor, events)
        elif watched != events:
            self._epoll.modify(descriptor, events)
        self._events[descriptor] = events
        self._callbacks[descriptor] = callback

    def forget(self, descriptor: int) -> None:
        """Watch a socket no more; must come before it is closed or given away."""
        if self._callbacks.pop(descriptor, None) is not None:
            del self._events[descriptor]
            self._epoll.unregister(descriptor)

    def closing(self, descriptor: int) -> None:
        """Forget a socket that is closed right after this, which ends the kernel's watch on it."""
        self._callbacks.pop(descriptor, None)
        self._events.pop(descriptor, None)

    def soon(self, callback: Callable[[int], None]) -> None:
        """Call back in the next turn of the loop, as if there were something to read."""
        self._loop.call_soon(self._call, callback, IN)

    def close(self) -> None:
        """Watch nothing any more."""
        self._loop.remove_reader(self._epoll.fileno())
        self._callbacks.clear()
        self._events.clear()
        self._epoll.close()

    def _dispatch(self) -> None:
        callbacks, poll = self._callbacks, self._epoll.poll
        for _ in range(_MOST_ROUNDS):
            ready = poll(0, _MOST_EVENTS)
            for descriptor, events in ready:
                callback = callbacks.get(descriptor)
                # None: closed by what came before it in this round.
                if callback is not None:
                    # Not by `_call`: this is done for every packet.
                    try:
                        callback(events)
                    except Exception as error:  # noqa: BLE001 - this is the boundary
                        self._fault(callback, error)
            if len(ready) < _SEVERAL:
                return

    def _call(self, callback: Callable[[int], None], events: int) -> None:
        try:
            callback(events)
        except Exception as error:  # noqa: BLE001 - this is the boundary
            self._fault(callback, error)
