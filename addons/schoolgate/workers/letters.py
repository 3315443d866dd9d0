"""Sockets by which workers tell each other what belongs to one of them alone.

A client's connections come to one worker by its address, but a person has several devices: what is
counted of a person has one owner among the workers, whichever of them sees it.
"""

import socket
from collections.abc import Sequence
from zlib import crc32

from schoolgate.workers.socket_pairs import SocketPairs

# A datagram is one letter; what does not fit is not sent.
LONGEST_LETTER = 4096


class Letters(SocketPairs):
    """The sockets of all workers, made before any of them exists and inherited by each.

    Args:
        workers: how many.
    """

    def box(self, number: int) -> "LetterBox":
        """Give what a worker has of it; numbers are from 1."""
        return LetterBox(number - 1, self._taking[number - 1], self._giving)


class LetterBox:
    """Where one worker sends and takes letters; nothing in here waits."""

    def __init__(self, own: int, taking: socket.socket, giving: Sequence[socket.socket]) -> None:
        self._own = own
        self._taking = taking
        self._giving = giving

    def fileno(self) -> int:
        """Give what becomes readable when there is something to take."""
        return self._taking.fileno()

    def send(self, whom: str, letter: bytes) -> bool:
        """Send a letter to the worker that somebody belongs to.

        Args:
            whom: the same text belongs to the same worker on each of them.
            letter: of `LONGEST_LETTER` bytes at most.

        Returns:
            False where that is this worker, or where the other one takes nothing more: then the
            matter stays here.
        """
        owner = crc32(whom.encode()) % len(self._giving)
        if owner == self._own or len(letter) > LONGEST_LETTER:
            return False
        try:
            self._giving[owner].send(letter)
        except OSError:
            return False
        return True

    def take(self) -> bytes | None:
        """Take a letter, or None where there is none."""
        try:
            return self._taking.recv(LONGEST_LETTER)
        except BlockingIOError:
            return None
