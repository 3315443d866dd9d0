"""Files that only root may have written: owner and rights of each, and of every directory above it."""

import os
import stat
from pathlib import Path

from schoolgate.core.errors import ConfigurationError, Fault

_ROOT = 0
_OF_OTHERS = stat.S_IWGRP | stat.S_IWOTH


def check_directory(directory: Path, owner: int = _ROOT) -> None:
    """See that nobody but root may change what is in a directory, or put another in its place.

    Args:
        directory: absolute.
        owner: numeric id of a user who counts as root.

    Raises:
        ConfigurationError: when it is no directory, or somebody else may write to it.
    """
    try:
        real = directory.resolve(strict=True)
        found = [(place, place.stat()) for place in (real, *real.parents)]
    except OSError as error:
        raise _fault(directory, f"cannot be read: {error.strerror}") from error
    if not real.is_dir():
        raise _fault(directory, "is not a directory")
    for place, status in found:
        # In a sticky directory nobody moves what is another's.
        is_sticky = place != real and bool(status.st_mode & stat.S_ISVTX)
        _check(place, status, owner, is_sticky=is_sticky)


def read_guarded(path: Path, most_bytes: int, owner: int = _ROOT) -> tuple[bytes, float]:
    """Read a file that only root may have written.

    Returns:
        What it holds, and when that was changed, in seconds of Unix time.

    Raises:
        ConfigurationError: when it is no file of its own, is too large, cannot be read, or somebody
            else may write to it.
    """
    try:
        # What is opened is what is judged; a link would lead to where nobody looked.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise _fault(path, "is not a file")
            _check(path, status, owner)
            content = file.read(most_bytes + 1)
    except OSError as error:
        raise _fault(path, f"cannot be read: {error.strerror}") from error
    if len(content) > most_bytes:
        raise _fault(path, f"is larger than {most_bytes} bytes")
    return content, status.st_mtime


def _check(path: Path, status: os.stat_result, owner: int, *, is_sticky: bool = False) -> None:
    if status.st_uid not in (_ROOT, owner):
        raise _fault(path, "belongs to somebody else than root", f"chown root {path}")
    if status.st_mode & _OF_OTHERS and not is_sticky:
        raise _fault(path, "can be written by others than root", f"chmod go-w {path}")


def _fault(path: Path, message: str, hint: str = "") -> ConfigurationError:
    return ConfigurationError([Fault(str(path), 0, message, hint)])
