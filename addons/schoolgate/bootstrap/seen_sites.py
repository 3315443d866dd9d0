"""The sites that this school has seen in the last month: gathered of closed days, followed by workers."""

import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

from schoolgate.bootstrap.clock import now
from schoolgate.core.content import SeenSites, is_image
from schoolgate.core.errors import ConfigurationError, Fault, UnavailableError
from schoolgate.core.gate import Suffixes
from schoolgate.core.registrable import sites_by
from schoolgate.lists.public_suffixes import suffix_rules
from schoolgate.monitoring.journal_counts import unlisted_hosts
from schoolgate.monitoring.journal_store import JournalStore
from schoolgate.services.reload import FileWatch
from schoolgate.settings import Settings

# How far is looked back.
_LOOKED_BACK = timedelta(days=30)
_LOOK_SECONDS = 2.0


def keep_seen_sites(settings: Settings, journal: JournalStore) -> None:
    """Write down which sites that no list knows the closed days of the last month saw.

    Nobody can read a name out of the file; it says of one whether it is in there.

    Raises:
        UnavailableError: when the journal cannot be read or the file cannot be written.
    """
    first = (now() - _LOOKED_BACK).date()
    counts = [day.counts for day in journal.days() if day.counts and day.day >= first]
    site_of = sites_by(Suffixes(*suffix_rules()))
    image = SeenSites(map(site_of, unlisted_hosts(counts))).image
    place = settings.seen_sites_file
    aside = place.with_name(f".{place.name}.{secrets.token_hex(4)}")
    try:
        if place.exists() and place.read_bytes() == image:
            return
        with os.fdopen(os.open(aside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as made:
            made.write(image)
        aside.replace(place)
    except OSError as error:
        raise UnavailableError(f"{place} cannot be written: {error.strerror}") from error
    finally:
        with suppress(OSError):
            aside.unlink()


def watch_seen_sites(
    settings: Settings, seen: SeenSites, failed: Callable[[], None]
) -> FileWatch[bytes]:
    """Follow the file, off the event loop; what is there at the start is put in force as well."""
    return FileWatch(
        lambda: [settings.seen_sites_file],
        lambda: _read(settings),
        seen.put,
        failed,
        frozenset(),
        _LOOK_SECONDS,
        what="sites that the school has seen are",
    )


def _read(settings: Settings) -> bytes:
    """Read what was seen.

    Raises:
        ConfigurationError: when the file is damaged.
    """
    place = settings.seen_sites_file
    image = place.read_bytes()
    if not is_image(image):
        raise ConfigurationError(
            [Fault(str(place), 0, "is damaged", "delete it: it is made anew within the hour")]
        )
    return image
