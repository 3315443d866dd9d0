"""The portal beside the workers: a process of its own, started, watched and stopped from its post."""

import contextlib
import os
import select
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from schoolgate.settings import Settings
from schoolgate.workers import Link, Listeners

# A bit that the post shows on the board.
PORTAL_STARTING = 1

_BEAT_SECONDS = 0.2
_STOP_SECONDS = 8.0


def why_no_portal(settings: Settings) -> str:
    """Give a sentence that says why there is no portal; "" when there is one."""
    if not settings.portal.enabled:
        return "portal.enabled is false"
    if find_spec("django") is None:
        return "Django is not installed"
    from schoolgate.portal.application import why_not  # noqa: PLC0415 - only where Django is

    return why_not()


def keep_portal(settings: Settings, listeners: Listeners, figures: Path, link: Link) -> None:
    """Run the portal until told to end, or until it has ended.

    It is a program of its own, not a fork: it shares nothing with the filter but files, and what it
    needs of memory is its own.

    Args:
        settings: of this machine.
        listeners: where it is asked; they outlive it.
        figures: directory for its metrics.
        link: with the supervisor.
    """
    places = [str(one.fileno()) for one in listeners.all()]
    told, tells = os.pipe()
    process = subprocess.Popen(  # noqa: S603 - this very program
        [
            sys.executable, "-m", "schoolgate", "portal",
            "--config", str(settings.file), "--state", str(settings.state_dir),
            *(word for place in places for word in ("--listener", place)), "--ready", str(tells),
            "--figures", str(figures), "--seat", str(link.seat),
        ],
        pass_fds=[*map(int, places), tells],
        stdin=subprocess.DEVNULL,
        # A terminal's Ctrl-C is answered by the supervisor alone.
        start_new_session=True,
    )  # fmt: skip
    os.close(tells)
    starting = PORTAL_STARTING
    link.ready(starting)
    try:
        while process.poll() is None:
            heard = [link.fileno(), *([told] if starting else [])]
            readable, _, _ = select.select(heard, [], [], _BEAT_SECONDS)
            if link.fileno() in readable:
                return
            if told in readable:
                starting = 0 if os.read(told, 1) else starting
            link.beat(starting)
    finally:
        link.ending()
        _stop(process)
    sys.exit(process.returncode or 1)


def _stop(process: "subprocess.Popen[bytes]") -> None:
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
