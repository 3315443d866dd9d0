"""Back to an earlier generation of the fetched lists, in one step; loaded fast, as somebody is waiting."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from schoolgate.core.errors import ConfigurationError, RefusedError
from schoolgate.lists import locking
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
    with locking.only_one(state, _LOCK, 0o600, _refuse):
        yield


def _refuse(_attempt: int) -> None:
    raise RefusedError("another update of the lists is on its way: try again later")
