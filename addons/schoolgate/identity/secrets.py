"""Secrets that stand in files of their own, which nobody else may read."""

import os
import stat
from pathlib import Path

from schoolgate.core.errors import UnavailableError

_MAX_BYTES = 4096


def read_secret(file: Path) -> bytes:
    """Read a secret: the first line of a file, without its end.

    Raises:
        UnavailableError: when it cannot be read, is empty or too long, or others can read it.
    """
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as stream:
            mode = stat.S_IMODE(os.fstat(stream.fileno()).st_mode)
            content = stream.read(_MAX_BYTES + 1)
    except OSError as error:
        raise UnavailableError(
            f"The secret {file} cannot be read: {error.strerror or error}."
        ) from error
    if mode & 0o077:
        raise UnavailableError(
            f"The secret {file} can be read by others (mode {mode:04o}); run 'chmod 600' on it."
        )
    secret = content.partition(b"\n")[0].rstrip(b"\r")
    if not secret or len(content) > _MAX_BYTES:
        raise UnavailableError(f"The secret {file} is empty or too long.")
    return secret
