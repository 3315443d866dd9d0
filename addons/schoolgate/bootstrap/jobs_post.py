"""Mail and reminders beside the workers: a process of its own, watched and stopped from its post."""

import select
import sys
import threading
from collections.abc import Callable

from schoolgate.bootstrap.jobs import open_mailing, work_through
from schoolgate.bootstrap.reminding import Reminding
from schoolgate.settings import Settings
from schoolgate.workers import Link

_BEAT_SECONDS = 0.2
# A mail that is being handed over may be finished; what is cut off is sent again later.
_STOP_SECONDS = 8.0


def keep_jobs(settings: Settings, link: Link) -> None:
    """Do what is done beside the traffic until told to end, or until it has ended.

    Without a mail server there is nothing to do: mail waits, and `schoolgate doctor` says so.

    Args:
        settings: of this machine.
        link: with the supervisor.

    Raises:
        SchoolgateError: when it cannot start.
    """
    work = _work(settings) if settings.mail.host else threading.Event.wait
    ending = threading.Event()
    # Apart from the beats: a mail server may be slow for a minute.
    thread = threading.Thread(target=work, args=(ending,), name="jobs", daemon=True)
    thread.start()
    link.ready()
    told = False
    while thread.is_alive() and not told:
        readable, _, _ = select.select([link.fileno()], [], [], _BEAT_SECONDS)
        told = bool(readable)
        link.beat()
    link.ending()
    ending.set()
    thread.join(_STOP_SECONDS)
    if not told:
        sys.exit(1)


def _work(settings: Settings) -> Callable[[threading.Event], object]:
    mailing, reminding = open_mailing(settings), Reminding(settings)
    return lambda ending: work_through(mailing, reminding, ending)
