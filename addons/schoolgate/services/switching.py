"""Puts files in the place of others, all of them or none, whenever the process is killed.

What is new is made ready beside its place. Then the plan is written: that is the moment from which all of
it is in force. Renames carry it out, and whoever finds a plan that was not carried out to its end does so.
"""

import json
import os
import stat
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from schoolgate.core.errors import UnavailableError
from schoolgate.services.archive import sync_directory

# A plan that root left behind is carried out by schoolgate's user, who has to read it.
_READABLE_FILE = 0o644
_PRIVATE_DIRECTORY = 0o700


@dataclass(frozen=True, slots=True)
class Step:
    """One name that is given to another file or directory.

    Attributes:
        place: the name.
        ready: what gets it, beside it; "" where nothing does.
        kept: the name that what is there now gets.
    """

    place: str
    ready: str
    kept: str


def commit(plan: Path, steps: Sequence[Step]) -> None:
    """Write a plan; from now on it is in force, and `carry_out` has to come.

    Raises:
        OSError: when it cannot be written; it is not in force then.
    """
    for directory in {Path(step.ready).parent for step in steps if step.ready}:
        sync_directory(directory)
    aside = plan.with_name(f".{plan.name}")
    # What lies there was left by one that was killed, or leads elsewhere.
    aside.unlink(missing_ok=True)
    handle = os.open(aside, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, _READABLE_FILE)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump([asdict(step) for step in steps], file)
        file.flush()
        os.fsync(file.fileno())
    aside.replace(plan)
    sync_directory(plan.parent)


def carry_out(plan: Path) -> list[Step]:
    """Do what a plan says and was not done yet, and end it; give all of it.

    Raises:
        OSError: when something cannot be renamed; it can be called again.
        UnavailableError: when root is to carry out what somebody else planned.
        ValueError: when it is no plan.
    """
    steps = [Step(**one) for one in json.loads(_read(plan))]
    for step in steps:
        _do(step)
    for directory in {Path(step.place).parent for step in steps}:
        sync_directory(directory)
    for directory in {Path(step.ready).parent for step in steps if step.ready}:
        with suppress(OSError):
            directory.rmdir()
    plan.unlink()
    sync_directory(plan.parent)
    return steps


def _read(plan: Path) -> str:
    """Give what a plan says; root believes nobody else's, as it would rename anything."""
    with os.fdopen(os.open(plan, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb") as file:
        if os.geteuid() == 0 and os.fstat(file.fileno()).st_uid != 0:
            raise UnavailableError(
                f"A restore was cut off, and its plan {plan} is not root's. "
                "Run the same command as the user who began it."
            )
        return file.read().decode()


def _do(step: Step) -> None:
    place, kept, ready = Path(step.place), Path(step.kept), Path(step.ready)
    if step.ready and _mode(ready) is None:
        return  # done before
    mode = _mode(place)
    if mode is not None and _mode(kept) is None:
        _make(kept.parent)
        _keep(place, kept, stays=bool(step.ready) and not _is_tree(mode, _mode(ready)))
        sync_directory(kept.parent)
    if step.ready:
        ready.replace(place)


def _keep(place: Path, kept: Path, *, stays: bool) -> None:
    """Give what is there its second name; a file that is replaced has its first one until then."""
    if stays:
        # Where there are no links, the place is empty for a moment.
        with suppress(OSError):
            os.link(place, kept, follow_symlinks=False)
            return
    place.rename(kept)


def _is_tree(*modes: int | None) -> bool:
    return any(mode is not None and stat.S_ISDIR(mode) for mode in modes)


def _mode(path: Path) -> int | None:
    """Give the mode of what has a name, None where nothing has; what may not be seen is an error."""
    try:
        return path.lstat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return None


def _make(directory: Path) -> None:
    """Make a private directory, of the owner of the one that it is in."""
    try:
        directory.mkdir(mode=_PRIVATE_DIRECTORY)
    except FileExistsError:
        return
    if os.geteuid() == 0:
        owner = directory.parent.stat()
        os.chown(directory, owner.st_uid, owner.st_gid, follow_symlinks=False)
