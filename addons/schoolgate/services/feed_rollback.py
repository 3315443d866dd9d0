"""Back to an earlier generation of the fetched lists, in one step; loaded fast, as somebody is waiting."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from schoolgate.core.errors import ConfigurationError, RefusedError, UnavailableError
from schoolgate.lists.decided import read_decided, write_decided
from schoolgate.lists.generations import Generation, kept_generations, live_generation, make_live

_LOCK = ".updating"


def roll_back(state: Path, number: int, why: str) -> tuple[int, list[str]]:
    """Switch to an earlier generation, and keep what it undoes from coming back until it is approved.

    Args:
        state: the ``lists`` folder of the state directory.
        number: of the generation; 0 is the state without fetched lists.
        why: said of each list that is held by it.

    Returns:
        The generation that was live, and the lists that are held.

    Raises:
        RefusedError: when there is no such generation, or it is live.
    """
    with only_one(state):
        kept = {generation.number: generation for generation in kept_generations(state)}
        live = _live_if_sound(state)
        if number and number not in kept:
            there = ", ".join(map(str, kept)) or "none"
            raise RefusedError(f"there is no generation {number}; there are: {there}")
        if live is not None and live.number == number:
            raise RefusedError(f"generation {number} is live already")
        before = live.lists if live else {}
        after = kept[number].lists if number else {}
        undone = sorted(name for name in {*before, *after} if before.get(name) != after.get(name))
        # First, so that no update undoes it in between.
        write_decided(state, read_decided(state).with_held(undone, why))
        make_live(state, number)
    return (live.number if live else 0), undone


def _live_if_sound(state: Path) -> Generation | None:
    """Give the live generation, or None where there is none or it cannot be read."""
    try:
        return live_generation(state)
    except ConfigurationError:
        return None


@contextlib.contextmanager
def only_one(state: Path) -> Iterator[None]:
    """Let one process at a time change the lists.

    Raises:
        RefusedError: when another does.
        UnavailableError: when the folder of the lists cannot be written.
    """
    try:
        state.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        state.mkdir(exist_ok=True)
        descriptor = os.open(state / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise UnavailableError(
            f"The lists cannot be kept in {state}: {error.strerror}. "
            "Give schoolgate's user write access."
        ) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise RefusedError("another update of the lists is on its way: try again later") from None
    try:
        yield
    finally:
        os.close(descriptor)
