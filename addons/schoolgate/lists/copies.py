"""The last good copy of each list as it came, with what is known of it; in ``lists/fetched``."""

import json
import os
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from schoolgate.core.errors import UnavailableError
from schoolgate.lists.feeds_file import FeedList
from schoolgate.lists.fetching import Version
from schoolgate.lists.generations import sync_directory, write_whole

FETCHED = "fetched"
# After a failure a list is asked for again sooner than when it is due, and later each time.
_FIRST_AGAIN = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class CopyState:
    """What is known of a list's copy.

    Attributes:
        digest: of the copy; empty where there is none.
        versions: file → what its publisher said of it.
        fetched_at: when it was last known to be what the publisher has; aware.
        tried_at: when it was last asked for; aware.
        failures: in a row.
        why: what went wrong the last time; empty where nothing did.
        address: where it came from: another address is another list.
    """

    digest: str = ""
    versions: dict[str, Version] | None = None
    fetched_at: datetime | None = None
    tried_at: datetime | None = None
    failures: int = 0
    why: str = ""
    address: str = ""

    def is_due(self, every: timedelta, now: datetime) -> bool:
        """Say whether it is time to ask again."""
        if self.tried_at is None or now < self.tried_at:
            return True
        pause = every
        if self.failures:
            pause = min(every, _FIRST_AGAIN * 2.0 ** min(self.failures - 1, 10))
        return now - self.tried_at >= pause


@dataclass(frozen=True, slots=True)
class Copies:
    """Where copies are kept.

    Attributes:
        state: the ``lists`` folder of the state directory.
        aside: where new ones are written to where nothing is to change; None for `state`.
    """

    state: Path
    aside: Path | None = None

    def path(self, listed: FeedList) -> Path:
        """Give where a list's copy is."""
        return self.state / FETCHED / listed.feed / f"{listed.name}.copy"

    def part(self, listed: FeedList) -> Path:
        """Give where a copy is written to until it is whole."""
        return (self.aside or self.state) / FETCHED / listed.feed / f".{listed.name}.part"

    def known(self, listed: FeedList) -> CopyState:
        """Give what is known of a list's copy."""
        try:
            said: dict[str, Any] = json.loads(self._about(listed).read_bytes())
            state = _read(said)
        except (OSError, ValueError, TypeError, KeyError):
            return CopyState(address=listed.address)
        if state.address != listed.address:
            return CopyState(address=listed.address)
        return state if self.path(listed).exists() else replace(state, digest="", versions=None)

    def keep(self, listed: FeedList, state: CopyState) -> None:
        """Take what was written to `part` for the copy.

        Raises:
            UnavailableError: when it cannot be renamed.
        """
        part, path = self.part(listed), self.path(listed)
        if self.aside is not None:
            return
        try:
            with part.open("rb") as file:
                os.fsync(file.fileno())
            part.replace(path)
            sync_directory(path.parent)
        except OSError as error:
            raise _unwritable(path, error) from error
        self.note(listed, state)

    def note(self, listed: FeedList, state: CopyState) -> None:
        """Write down what is known of a list's copy.

        Raises:
            UnavailableError: when it cannot be written.
        """
        if self.aside is not None:
            return
        path = self._about(listed)
        said = asdict(replace(state, address=listed.address))
        for name in ("fetched_at", "tried_at"):
            said[name] = said[name] and said[name].isoformat()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, json.dumps(said).encode())
        except OSError as error:
            raise _unwritable(path, error) from error

    def make_room(self, listed: FeedList) -> None:
        """Make the folder of a feed.

        Raises:
            UnavailableError: when it cannot be made.
        """
        try:
            self.part(listed).parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _unwritable(self.part(listed).parent, error) from error

    def _about(self, listed: FeedList) -> Path:
        return self.path(listed).with_suffix(".json")


def _read(said: dict[str, Any]) -> CopyState:
    for name in ("fetched_at", "tried_at"):
        said[name] = said[name] and datetime.fromisoformat(said[name])
    versions = {name: Version(**text) for name, text in (said.pop("versions") or {}).items()}
    return CopyState(**said, versions=versions)


def _unwritable(path: Path, error: OSError) -> UnavailableError:
    return UnavailableError(
        f"{path} cannot be written: {error.strerror}. "
        "Give schoolgate's user write access and room on the disk."
    )
