"""Looks at what came on a connection and leaves it where it is, for whoever takes the connection."""

import socket

# Most heads and ClientHellos are shorter; a buffer for the longest costs more than a second look.
_GLANCE_BYTES = 4096


class Glance:
    """What is looked at of one connection.

    Args:
        connection: non-blocking.
    """

    __slots__ = ("_awaits_more", "_connection", "_seen", "has_ended")

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        # Bytes that were looked at and left where they are.
        self._seen = 0
        self._awaits_more = False
        # Whether the client has said that it sends no more.
        self.has_ended = False

    def at(self, most: int) -> bytes | None:
        """Give what came, so many bytes at most; None when that is nothing new.

        Raises:
            OSError: when nothing more can come.
        """
        try:
            data = self._connection.recv(_GLANCE_BYTES, socket.MSG_PEEK)
            if len(data) == _GLANCE_BYTES:
                data = self._connection.recv(most, socket.MSG_PEEK)
        except BlockingIOError:
            return None
        if len(data) <= self._seen:
            # Woken without a byte: by the client's end, or for nothing.
            if not data or self.has_ended:
                raise ConnectionResetError("the client sends no more")
            return None
        return data

    def wait_for_more(self, seen: int) -> None:
        """Be woken only when there is more: what is left unread would wake us again and again."""
        self._seen = seen
        self._awaits_more = True
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, seen + 1)

    def is_enough(self) -> None:
        """Be woken by any byte again."""
        self._seen = 0
        if self._awaits_more:
            self._awaits_more = False
            self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 1)
