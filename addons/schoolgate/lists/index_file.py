"""The site index on disk: written aside and renamed, mapped when opened, refused when damaged."""

import contextlib
import mmap
import os
import stat
from pathlib import Path

from schoolgate.core.errors import ConfigurationError, DamagedIndexError, Fault, UnavailableError
from schoolgate.core.index import Built, SiteIndex, read_index

_REBUILD = "schoolgate lists build makes it anew"


def open_index(path: Path, *, native: bool | None = None) -> SiteIndex:
    """Map an index; what is mapped is never written again, so it may be replaced meanwhile.

    Args:
        path: the file.
        native: whether the native reader answers; None takes it where it was built.

    Raises:
        ConfigurationError: when there is none or it is damaged, with what can be done.
    """
    try:
        # A pipe of that name is refused, not waited for.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise _fault(path, "is not a file")
            if status.st_size == 0:
                raise _fault(path, "is empty")
            image = mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise _fault(path, f"cannot be read: {error.strerror}") from error
    # Look-ups land anywhere in the file: in pages of 4 KB each would also wait for its address, and
    # take a quarter longer. An advice, which a kernel may not know.
    with contextlib.suppress(OSError):
        image.madvise(mmap.MADV_HUGEPAGE)
    try:
        return read_index(image, native=native)
    except DamagedIndexError as error:
        raise _fault(path, str(error)) from error


def write_index(path: Path, built: Built) -> None:
    """Put an index in place of the one before, which stays beside it as ``….previous``.

    Whoever opens the path gets the whole old file or the whole new one, also after a power cut.

    Raises:
        UnavailableError: when it cannot be written; the one before is still in place.
    """
    aside = path.with_name(f".{path.name}.new")
    try:
        # One builds at a time (`catalogue`): what lies here was left by one that was killed.
        for left in path.parent.glob(f".{path.name}.*"):
            left.unlink(missing_ok=True)
        with aside.open("xb") as file:
            file.writelines(built.pieces)
            file.flush()
            # Nobody is to write into what others have mapped.
            os.fchmod(file.fileno(), 0o444)
            os.fsync(file.fileno())
            # Who opens it reads it back in large pages, which these are not (`open_index`).
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        _keep_previous(path)
        aside.replace(path)
        _sync_directory(path.parent)
    except OSError as error:
        with contextlib.suppress(OSError):
            aside.unlink()
        raise UnavailableError(
            f"The index {path} cannot be written: {error.strerror}. "
            "Give schoolgate's user write access and room on the disk."
        ) from error


def previous_of(path: Path) -> Path:
    """Give where the index before is kept."""
    return path.with_name(f"{path.name}.previous")


def _keep_previous(path: Path) -> None:
    previous = previous_of(path)
    spare = path.with_name(f".{path.name}.spare")
    # There may be none yet, or it belongs to another user: no previous is better than no index.
    with contextlib.suppress(OSError):
        spare.hardlink_to(path)
        spare.replace(previous)


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _fault(path: Path, message: str) -> ConfigurationError:
    return ConfigurationError([Fault(str(path), 0, message, _REBUILD)])
