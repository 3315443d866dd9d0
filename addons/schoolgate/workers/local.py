"""Sockets in the file system, between processes of one gateway; paths may be longer than 107 bytes."""

import contextlib
import os
import socket
from collections.abc import Iterator
from pathlib import Path

_PRIVATE = 0o600


@contextlib.contextmanager
def local_address(path: Path) -> Iterator[str]:
    """Give an address of a socket that is short enough, as long as the context lasts (man 7 unix).

    Raises:
        OSError: when its directory cannot be opened.
    """
    directory = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{directory}/{path.name}"
    finally:
        os.close(directory)


def listen_locally(path: Path, backlog: int) -> socket.socket:
    """Listen on a socket that only this user may open; takes the place of one that was left behind.

    Raises:
        OSError: when it cannot be made.
    """
    one = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with local_address(path) as address, contextlib.suppress(FileNotFoundError):
            Path(address).unlink()
        with local_address(path) as address:
            # Nobody may connect between the two steps.
            before = os.umask(0o177)
            try:
                one.bind(address)
            finally:
                os.umask(before)
            Path(address).chmod(_PRIVATE)
        one.listen(backlog)
    except BaseException:
        one.close()
        raise
    return one
