"""Commands of our own, run again and again beside the gateway, in processes that give their memory back."""

import logging
import random
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass

from schoolgate.settings import Settings

logger = logging.getLogger(__name__)

_LOOK_SECONDS = 0.2
# Lines that end late, such as those of long downloads, come into the table of their day together.
QUIET_SECONDS = 7200


@dataclass(frozen=True, slots=True)
class Repeated:
    """What is run.

    Attributes:
        name: under which is logged what it says.
        arguments: of the command ``schoolgate``.
        failure: what is logged when it fails, a sentence.
        first: seconds before the first time, at least and at most.
        pause: seconds between two times, at least and at most; whoever is asked is not asked by all
            gateways at once.
        done: exit codes that are no failure.
    """

    name: str
    arguments: tuple[str, ...]
    failure: str
    first: tuple[float, float]
    pause: tuple[float, float]
    done: frozenset[int] = frozenset({0})


LISTS = Repeated(
    name="lists",
    arguments=("lists", "update", "--due"),
    failure="The lists of others are not brought up to date.",
    # The first look is soon: a gateway that was off may have lists of last month.
    first=(60.0, 600.0),
    # Each list has a time of its own.
    pause=(2700.0, 4500.0),
    # 1 is that some could not be had: the others are in use.
    done=frozenset({0, 1}),
)
JOURNAL = Repeated(
    name="journal",
    arguments=("journal", "keep", "--quiet-seconds", str(QUIET_SECONDS)),
    failure="The journal is not kept.",
    first=(120.0, 600.0),
    pause=(3000.0, 4200.0),
)


def bundles_of(settings: Settings) -> Repeated:
    """Give how bundles of the school's trust are fetched on this machine."""
    pause = settings.bundles.every_seconds
    return Repeated(
        name="bundles",
        arguments=("bundle", "fetch"),
        failure="The bundles of the trust are not brought up to date; what was in force stays.",
        first=(pause / 30, pause / 10),
        pause=(0.75 * pause, 1.25 * pause),
    )


def repeating(what: Repeated, settings: Settings, ending: threading.Event) -> threading.Thread:
    """Give a thread, not started, that runs something until told to end.

    Args:
        what: to run.
        settings: of this machine.
        ending: set when it is time to end; what runs then is killed.
    """
    command = _command(what, settings)
    return threading.Thread(
        target=_repeat, args=(what, command, ending), name=what.name, daemon=True
    )


def _command(what: Repeated, settings: Settings) -> Sequence[str]:
    places = ("--config", str(settings.file), "--state", str(settings.state_dir))
    return (sys.executable, "-m", "schoolgate", *what.arguments, *places)


def _repeat(what: Repeated, command: Sequence[str], ending: threading.Event) -> None:
    wait = what.first
    while not ending.wait(random.uniform(*wait)):  # noqa: S311 - no secret
        _run(what, command, ending)
        wait = what.pause


def _run(what: Repeated, command: Sequence[str], ending: threading.Event) -> None:
    child = subprocess.Popen(  # noqa: S603 - our own command
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    with child:
        reader = threading.Thread(target=_tell, args=(what, child), daemon=True)
        reader.start()
        while child.poll() is None:
            if ending.wait(_LOOK_SECONDS):
                # Killed at any moment each of them leaves things as they were or as they are to be.
                child.kill()
        reader.join()
    if child.returncode not in what.done and not ending.is_set():
        logger.error(what.failure)


def _tell(what: Repeated, child: "subprocess.Popen[str]") -> None:
    for line in child.stderr or ():
        logger.warning("%s: %s", what.name, line.rstrip())
