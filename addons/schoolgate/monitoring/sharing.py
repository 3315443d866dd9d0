"""Where the workers of one gateway leave their figures for the one process that shows them.

prometheus_client's multi-process mode: each process writes into mapped files of its own, and
whoever is asked adds them up.
"""

import contextlib
import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from prometheus_client import CollectorRegistry, values
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

# Memory: a write into a mapped file of a disk may have to wait for it.
_MEMORY = Path("/dev/shm")  # noqa: S108 - what is made there is named at random and private
_PREFIX = "schoolgate-"
# Another gateway may just be making its own.
_YOUNG_SECONDS = 60.0


@contextlib.contextmanager
def shared_directory(otherwise: Path) -> Iterator[Path]:
    """Make an empty directory for the figures, in memory, and remove it at the end.

    Args:
        otherwise: where it is made on a system without such a place.
    """
    parent = _MEMORY if os.access(_MEMORY, os.W_OK | os.X_OK) else otherwise
    _sweep(parent)
    directory = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
    # Held by every process that is forked, so that it goes with the last of them.
    held = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(held, fcntl.LOCK_SH)
        yield directory
    finally:
        os.close(held)
        shutil.rmtree(directory, ignore_errors=True)


def share(directory: Path, seat: int) -> None:
    """Have the metrics that this process makes from now on written there.

    Args:
        directory: of `shared_directory`.
        seat: a number that no other living process has; counters go on where the process that had
            it before ended.
    """
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(directory)
    values.ValueClass = values.MultiProcessValue(lambda: seat)  # type: ignore[no-untyped-call]


def forget(directory: Path, seat: int) -> None:
    """Take the state of a process that ended out of the figures; what it counted stays."""
    mark_process_dead(seat, str(directory))  # type: ignore[no-untyped-call]


def shared_registry(directory: Path) -> CollectorRegistry:
    """Give the sums of what all processes count."""
    registry = CollectorRegistry()
    MultiProcessCollector(registry, str(directory))  # type: ignore[no-untyped-call]
    return registry


def _sweep(parent: Path) -> None:
    """Remove what gateways left that were killed."""
    for left in parent.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):
            status = left.lstat()
            if status.st_uid == os.getuid() and time.time() - status.st_mtime > _YOUNG_SECONDS:
                _remove_unless_held(left)


def _remove_unless_held(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(directory, ignore_errors=True)
    finally:
        os.close(descriptor)
