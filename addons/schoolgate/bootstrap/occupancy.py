"""Who uses the state directory: what runs shares it; a restore has it alone, whoever finishes it."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from schoolgate.core.errors import RefusedError, UnavailableError
from schoolgate.services.switching import carry_out
from schoolgate.settings import Settings, load_settings

LOCK = "running.lock"
PLAN = "restore.plan"
_PRIVATE_FILE = 0o600


@contextmanager
def occupied(settings: Settings) -> Iterator[None]:
    """Use the state directory together with others, until all processes that were forked have ended.

    Raises:
        UnavailableError: when a restore is under way, or the directory cannot be written.
    """
    with _lock(settings, fcntl.LOCK_SH):
        if (settings.state_dir / PLAN).exists():
            raise UnavailableError("A restore came in between. Start again.")
        yield


@contextmanager
def alone(settings: Settings) -> Iterator[None]:
    """Use the state directory while nothing runs on it.

    Raises:
        RefusedError: when something does.
        UnavailableError: when the directory cannot be written.
    """
    with _lock(settings, fcntl.LOCK_EX):
        yield


def whole(settings: Settings) -> Settings:
    """Give the settings of a state that is whole: a restore that was cut off is finished first.

    Raises:
        UnavailableError: when it cannot be finished.
    """
    plan = settings.state_dir / PLAN
    if not plan.exists():
        return settings
    with alone(settings), suppress(FileNotFoundError):
        finish(settings)
    return load_settings(settings.file, state_dir=settings.state_dir)


def finish(settings: Settings) -> None:
    """Carry out the plan of a restore; whoever calls it is alone.

    Raises:
        UnavailableError: when that cannot be done; it can be tried again.
    """
    try:
        carry_out(settings.state_dir / PLAN)
    except (OSError, ValueError, TypeError) as error:
        raise UnavailableError(
            f"A restore was cut off and cannot be finished ({error}). "
            "Give schoolgate's user write access to what it names, and start again."
        ) from error


@contextmanager
def _lock(settings: Settings, kind: int) -> Iterator[None]:
    directory = settings.state_dir
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Root must not be led to another file, which it would give away.
        flags = os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC
        handle = os.open(directory / LOCK, flags, _PRIVATE_FILE)
    except OSError as error:
        raise UnavailableError(
            f"The state directory {directory} cannot be written. Give it to schoolgate's user."
        ) from error
    if os.getuid() == 0 and os.fstat(handle).st_nlink == 1:
        # Whoever runs the gateway must be able to open it, too.
        owner = directory.stat()
        os.fchown(handle, owner.st_uid, owner.st_gid)
    try:
        fcntl.flock(handle, kind | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(handle)
        if kind == fcntl.LOCK_SH:
            raise UnavailableError(f"A restore into {directory} is under way.") from error
        raise RefusedError(
            f"schoolgate runs on {directory}: stop the gateway, the portal and the jobs first"
        ) from error
    try:
        yield
    finally:
        os.close(handle)
