"""The files that are followed while a process runs, each kind with what it takes to put it in force."""

import contextlib
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from schoolgate.bootstrap.clock import now
from schoolgate.bootstrap.rules import BUNDLED_POLICIES, bundle_of, list_places, locked_place
from schoolgate.core.categories import ListEntry
from schoolgate.core.errors import ConfigurationError
from schoolgate.core.locked import LockedLists
from schoolgate.lists import faults_of, load_local_lists, phrase_paths, read_locked_lists
from schoolgate.services.engines import Engines
from schoolgate.services.reload import FileWatch, Signature, signature
from schoolgate.settings import Settings
from schoolgate.wireguard import PEERS

logger = logging.getLogger(__name__)

# A few small files; what somebody writes there is to hold at once.
_LOCAL_SECONDS = 0.1
_POLICY = (".yaml", ".ics", ".csv")


@dataclass(frozen=True, slots=True)
class Seen:
    """What the files were before they were read."""

    rules: Signature
    local: Signature
    locked: Signature


def seen_now(settings: Settings) -> Seen:
    """Look at all of them; to be done before they are read, so that no change is missed."""
    return Seen(
        signature(watched_files(settings)),
        signature(_local_files(settings)),
        signature(locked_place(settings).files()),
    )


def watched_files(settings: Settings) -> Iterator[Path]:
    """Give the files of policy, people and supplied lists, which are read again together."""
    # The policy, those that it extends, and what they name: below their directory, or beside it.
    yield from _policies(settings.policies_dir)
    # A bundle that is put in force has other names, whatever is in it.
    with contextlib.suppress(ConfigurationError):
        bundle = bundle_of(settings)
        for place in (bundle, bundle / BUNDLED_POLICIES) if bundle else ():
            yield from place.glob("*.*")
    yield settings.policy_file
    yield settings.people
    yield settings.wireguard_dir / PEERS
    yield from list_places(settings).files()
    yield from phrase_paths(settings.lists.dirs)


def _policies(directory: Path) -> Iterator[Path]:
    """Give what may be part of a policy; `Path.rglob` takes five times as long, twice a second."""
    with contextlib.suppress(OSError):
        yield from (path for path in directory.parent.iterdir() if path.name.endswith(_POLICY))
    for place, _, names in os.walk(directory):
        yield from (Path(place, name) for name in names if name.endswith(_POLICY))


def watch_local(
    settings: Settings, engines: Engines, failed: Callable[[], None], seen: Signature
) -> FileWatch[Sequence[ListEntry]]:
    """Follow the school's own lists, which are put in force without anything else being read."""
    return FileWatch(
        lambda: _local_files(settings),
        lambda: load_local_lists(settings.lists.local),
        engines.put_local,
        failed,
        seen,
        _LOCAL_SECONDS,
        what="lists of the school's own are",
    )


def watch_locked(
    settings: Settings, engines: Engines, failed: Callable[[], None], seen: Signature
) -> FileWatch[LockedLists]:
    """Follow the locked lists; of one that has faults the last good state stays, and that is said."""
    place = locked_place(settings)

    def load() -> LockedLists:
        lists = read_locked_lists(place, now(), engines.current.locked)
        for fault in faults_of(lists):
            logger.error("%s", fault)
            failed()
        return lists

    return FileWatch(place.files, load, engines.put_locked, failed, seen, what="locked lists are")


def _local_files(settings: Settings) -> Iterator[Path]:
    return settings.lists.local.glob("*.txt")
