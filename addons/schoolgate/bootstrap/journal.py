"""The journal of this machine: opened, kept, and read day by day."""

from collections.abc import Iterator
from datetime import timedelta
from functools import cache
from pathlib import Path

from schoolgate.bootstrap.clock import now
from schoolgate.bootstrap.seen_sites import keep_seen_sites
from schoolgate.monitoring.journal_names import Pseudonyms, pseudonyms_by
from schoolgate.monitoring.journal_retention import Held, Retention
from schoolgate.monitoring.journal_store import JournalStore, Kept
from schoolgate.settings import Settings
from schoolgate.storage import JournalHolds, is_there, open_database


def open_journal(settings: Settings) -> JournalStore:
    """Give the journal; nothing is read or made before it is asked."""
    return JournalStore(settings.journal_dir, lambda: _pseudonyms(settings.journal_key_file))


def keep_journal(settings: Settings, quiet_seconds: float = 0) -> Kept:
    """Close days and delete what is kept no longer, as the settings and what is held say.

    What the workers know of sites by closed days is made anew with them.

    Args:
        settings: of this machine.
        quiet_seconds: how long lines of closed days must have rested.

    Raises:
        RefusedError: when another command keeps it just now.
        UnavailableError: when it or the database cannot be used; nothing is lost.
    """
    kept = settings.journal
    fields = {str(name): days for name, days in kept.keep_fields.items()}
    retention = Retention(kept.keep_days, kept.keep_categories, fields)
    # What is held must be known, or nothing is deleted.
    journal = open_journal(settings)
    done = journal.keep(now(), retention, held_if_any(settings), quiet_seconds)
    keep_seen_sites(settings, journal)
    return done


def held_if_any(settings: Settings) -> list[Held]:
    """Give what is held as evidence; makes no files.

    Raises:
        UnavailableError: when there is a store that cannot be used.
    """
    if not is_there(settings.database_url):
        return []
    database = open_database(settings.database_url)
    try:
        holds = JournalHolds(database).standing()
    finally:
        database.dispose()
    return [
        Held(one.id, one.subject.kind.value, one.subject.id, one.since, one.until) for one in holds
    ]


def journal_lines(settings: Settings, looked_back: timedelta) -> Iterator[bytes]:
    """Give the lines of the journal of the last days, the oldest day first.

    Raises:
        UnavailableError: when it cannot be read.
    """
    journal, day, last = open_journal(settings), (now() - looked_back).date(), now().date()
    while day <= last:
        yield from journal.lines(day)
        day += timedelta(days=1)


@cache
def _pseudonyms(file: Path) -> Pseudonyms:
    return pseudonyms_by(file)
