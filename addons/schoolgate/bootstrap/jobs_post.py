"""Mail, reminders and updates of lists: a process of its own, watched and stopped from its post."""

import select
import sys
import threading
from collections.abc import Callable

from schoolgate.bootstrap.jobs import open_mailing, work_through
from schoolgate.bootstrap.reminding import Reminding
from schoolgate.bootstrap.repeated import JOURNAL, LISTS, bundles_of, repeating
from schoolgate.bootstrap.webhooks import webhook_keepers
from schoolgate.settings import Settings
from schoolgate.workers import Link

_BEAT_SECONDS = 0.2
# A mail that is being handed over may be finished; what is cut off is sent again later.
_STOP_SECONDS = 8.0


def keep_jobs(settings: Settings, link: Link) -> None:
    """Do what is done beside the traffic until told to end, or until it has ended.

    Args:
        settings: of this machine.
        link: with the supervisor.

    Raises:
        SchoolgateError: when it cannot start.
    """
    work = work_of(settings)
    ending = threading.Event()
    # Apart from the beats: a mail server may be slow for a minute.
    thread = threading.Thread(target=work, args=(ending,), name="jobs", daemon=True)
    thread.start()
    lists = repeating(LISTS, settings, ending)
    if settings.lists.update:
        lists.start()
    journal = journal_keeper(settings, ending)
    bundles = bundle_keeper(settings, ending)
    webhooks = webhook_keepers(settings, ending)
    link.ready()
    told = False
    while thread.is_alive() and not told:
        readable, _, _ = select.select([link.fileno()], [], [], _BEAT_SECONDS)
        told = bool(readable)
        link.beat()
    link.ending()
    ending.set()
    thread.join(_STOP_SECONDS)
    for beside in (lists, journal, bundles, *webhooks):
        if beside.is_alive():
            beside.join(_STOP_SECONDS)
    if not told:
        sys.exit(1)


def journal_keeper(settings: Settings, ending: threading.Event) -> threading.Thread:
    """Give the thread that has the journal kept until an event is set; started, where it is to be."""
    keeper = repeating(JOURNAL, settings, ending)
    if settings.journal.close:
        keeper.start()
    return keeper


def bundle_keeper(settings: Settings, ending: threading.Event) -> threading.Thread:
    """Give the thread that has bundles of the trust fetched; started, where there are some."""
    keeper = repeating(bundles_of(settings), settings, ending)
    if settings.bundles.url:
        keeper.start()
    return keeper


def work_of(settings: Settings) -> Callable[[threading.Event], object]:
    """Give what is done until an event is set.

    Without a mail server that is nothing: mail waits, and `schoolgate doctor` says so.

    Raises:
        ConfigurationError: when the settings under ``mail`` do not do, or a file has faults.
        UnavailableError: when the database cannot be used.
    """
    if not settings.mail.host:
        return threading.Event.wait
    mailing, reminding = open_mailing(settings), Reminding(settings)
    return lambda ending: work_through(mailing, reminding, ending)
