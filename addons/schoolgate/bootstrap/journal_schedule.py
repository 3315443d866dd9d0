"""The journal is kept while the gateway runs, in a process that gives its memory back."""

import logging
import random
import subprocess
import sys
import threading

from schoolgate.settings import Settings

logger = logging.getLogger(__name__)

_FIRST_SECONDS = (120.0, 600.0)
_PAUSE_SECONDS = (3000.0, 4200.0)
_LOOK_SECONDS = 0.2
# Lines that end late, such as those of long downloads, come into the table of their day together.
QUIET_SECONDS = 7200
_DONE = 0


def keep_days(
    settings: Settings,
    ending: threading.Event,
    first: tuple[float, float] = _FIRST_SECONDS,
    pause: tuple[float, float] = _PAUSE_SECONDS,
) -> None:
    """Close the days of the journal and delete what is due, again and again, until told to end.

    Args:
        settings: of this machine.
        ending: set when it is time to end.
        first: seconds before the first time, at least and at most.
        pause: seconds between two times, at least and at most.
    """
    command = (
        sys.executable, "-m", "schoolgate", "journal", "keep", "--quiet-seconds", str(QUIET_SECONDS),
        "--config", str(settings.file), "--state", str(settings.state_dir),
    )  # fmt: skip
    wait = first
    # All gateways of a machine of many must not begin at once.
    while not ending.wait(random.uniform(*wait)):  # noqa: S311 - no secret
        _keep(command, ending)
        wait = pause


def _keep(command: tuple[str, ...], ending: threading.Event) -> None:
    with subprocess.Popen(  # noqa: S603 - our own command
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as child:
        while child.poll() is None:
            if ending.wait(_LOOK_SECONDS):
                # Killed at any moment it has lost nothing.
                child.kill()
        said = child.stderr.read().strip() if child.stderr else ""
    if child.returncode != _DONE and not ending.is_set():
        logger.error("The journal is not kept: %s", said)
