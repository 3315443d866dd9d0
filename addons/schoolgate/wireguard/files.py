"""Files of the tunnel: whole at any time, and readable by schoolgate's user alone."""

import os
from pathlib import Path


def make_directory(directory: Path) -> None:
    """Make the directory, as whose user the state directory is.

    Raises:
        OSError: when it cannot be made.
    """
    if not directory.is_dir():
        directory.mkdir(mode=0o700, parents=True)
        _give(directory)


def write_whole(file: Path, content: bytes, *, is_lasting: bool = True) -> None:
    """Put a file in the place of another one.

    Args:
        file: where.
        content: of it.
        is_lasting: whether it must be on the disk before it has its name.

    Raises:
        OSError: when it cannot be written; the old one stays then.
    """
    aside = file.with_name(f".{file.name}.{os.getpid()}")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
        stream.flush()
        if is_lasting:
            os.fsync(stream.fileno())
    _give(aside)
    aside.replace(file)


def _give(path: Path) -> None:
    """Give what root makes to the user whose directory it is in."""
    if os.geteuid() == 0:
        owner = path.parent.stat()
        os.chown(path, owner.st_uid, owner.st_gid)
