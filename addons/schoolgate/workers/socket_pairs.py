"""A pair of sockets for each worker: one end that all may give by, and one that it alone takes from."""

import socket


class SocketPairs:
    """The sockets of all workers, made before any of them exists and inherited by each.

    Args:
        workers: how many.
    """

    def __init__(self, workers: int) -> None:
        pairs = [socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM) for _ in range(workers)]
        self._giving = [giving for giving, _ in pairs]
        self._taking = [taking for _, taking in pairs]
        for one in (*self._giving, *self._taking):
            one.setblocking(False)

    def close(self) -> None:
        """Close what this process has of it."""
        for one in (*self._giving, *self._taking):
            one.close()
