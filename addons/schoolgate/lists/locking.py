"""One process at a time changes what a folder keeps, such as lists, their index, bundles: a lock in it."""

import contextlib
import fcntl
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from schoolgate.core.errors import UnavailableError


@contextlib.contextmanager
def only_one(state: Path, name: str, mode: int, occupied: Callable[[int], None]) -> Iterator[None]:
    """Hold a lock in a folder, which is made, until the end of the block.

    Args:
        state: the folder.
        name: of the file that is locked.
        mode: of that file: whoever may read it may hold it.
        occupied: called once for each time, counted from 0, that somebody else has it; waits, or raises.

    Raises:
        UnavailableError: when the folder cannot be written.
    """
    try:
        # What else is kept beside it is nobody else's business.
        state.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        state.mkdir(exist_ok=True)
        descriptor = os.open(state / name, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, mode)
    except OSError as error:
        raise UnavailableError(
            f"Nothing can be kept in {state}: {error.strerror}. "
            "Give schoolgate's user write access."
        ) from error
    try:
        attempt = 0
        while not _has(descriptor):
            occupied(attempt)
            attempt += 1
        yield
    finally:
        os.close(descriptor)


def _has(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
