"""Lists of others are brought up to date while the gateway runs, in a process that gives its memory back."""

import logging
import random
import subprocess
import sys
import threading
from collections.abc import Sequence

from schoolgate.settings import Settings

logger = logging.getLogger(__name__)

# The first look is soon: a gateway that was off may have lists of last month.
_FIRST_SECONDS = (60.0, 600.0)
# Each list has a time of its own; all gateways of a country must not ask at once.
_PAUSE_SECONDS = (2700.0, 4500.0)
_LOOK_SECONDS = 0.2
_DONE = (0, 1)


def keep_lists(
    settings: Settings,
    ending: threading.Event,
    first: tuple[float, float] = _FIRST_SECONDS,
    pause: tuple[float, float] = _PAUSE_SECONDS,
) -> None:
    """Ask for the lists that are due, again and again, until told to end.

    Args:
        settings: of this machine.
        ending: set when it is time to end.
        first: seconds before the first time, at least and at most.
        pause: seconds between two times, at least and at most.
    """
    wait = first
    while not ending.wait(random.uniform(*wait)):  # noqa: S311 - no secret
        _update(_command(settings), ending)
        wait = pause


def _command(settings: Settings) -> Sequence[str]:
    return (
        sys.executable, "-m", "schoolgate", "lists", "update", "--due",
        "--config", str(settings.file), "--state", str(settings.state_dir),
    )  # fmt: skip


def _update(command: Sequence[str], ending: threading.Event) -> None:
    child = subprocess.Popen(  # noqa: S603 - our own command
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    with child:
        reader = threading.Thread(target=_tell, args=(child,), daemon=True)
        reader.start()
        while child.poll() is None:
            if ending.wait(_LOOK_SECONDS):
                # Whatever it was doing, the lists are as they were or as they are to be.
                child.kill()
        reader.join()
    if child.returncode not in _DONE and not ending.is_set():
        logger.error("The lists of others are not brought up to date.")


def _tell(child: "subprocess.Popen[str]") -> None:
    for line in child.stderr or ():
        logger.warning("lists: %s", line.rstrip())
