"""Asks publishers for the lists that are due, several hosts at once; one that fails leaves the others."""

import hashlib
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from urllib.parse import urljoin, urlsplit

from schoolgate.core.errors import UnavailableError
from schoolgate.lists.copies import Copies, CopyState
from schoolgate.lists.feeds_file import FeedList
from schoolgate.lists.fetching import Fetcher, FetchError, UnreachableError, Version, Way
from schoolgate.lists.formats import Limits, NoListError, included, unpack
from schoolgate.lists.reading import most_bytes_of, pack_files, unpack_files

# Each of them has one connection.
_HOSTS_AT_ONCE = 16
# Packed for the way or not, these come as they are.
_PACKED_THEMSELVES = ("ut1", "ranks")
_MOST_FILES = 500
_MOST_FILE_BYTES = 16 << 20

# Called with the list, the bytes that came and those that are to come.
type Progress = Callable[[FeedList, int, int], None]


@dataclass(frozen=True, slots=True)
class Came:
    """What came of asking for a list.

    Attributes:
        listed: the list.
        state: what is known of its copy now.
        is_new: whether a new copy lies where it was written to.
        unreachable: whether nobody was there to be asked.
    """

    listed: FeedList
    state: CopyState
    is_new: bool
    unreachable: bool = False


def fetch_all(
    lists: Sequence[FeedList], copies: Copies, way: Way, now: datetime, progress: Progress
) -> Iterator[Came]:
    """Ask for lists: several hosts at once, each for one list after the other, as guests do.

    Args:
        lists: that are asked for.
        copies: that we have.
        way: how the web is reached.
        now: aware.
        progress: called from several threads.
    """
    if not lists:
        return
    asking = _Asking(Fetcher(way), copies, now, progress)
    hosts: dict[str, list[FeedList]] = {}
    for listed in lists:
        hosts.setdefault(host_of(listed), []).append(listed)
    with ThreadPoolExecutor(_HOSTS_AT_ONCE, "feeds") as pool:
        asked = [pool.submit(asking.host, of_host) for of_host in hosts.values()]
        try:
            for done in as_completed(asked):
                yield from done.result()
        finally:
            asking.ending.set()


def host_of(listed: FeedList) -> str:
    """Give who publishes a list: host and port."""
    return urlsplit(listed.address).netloc


@dataclass
class _Asking:
    """Who asks, from several threads.

    Attributes:
        fetcher: of lists.
        copies: that we have.
        now: aware.
        progress: who is told.
        ending: set when nothing more is to be asked for.
    """

    fetcher: Fetcher
    copies: Copies
    now: datetime
    progress: Progress
    ending: threading.Event = field(default_factory=threading.Event)

    def host(self, lists: Sequence[FeedList]) -> list[Came]:
        """Ask one host for its lists; where nobody is there, the others are not asked for any more."""
        found: list[Came] = []
        for listed in lists:
            if self.ending.is_set():
                break
            if found and found[-1].unreachable:
                found.append(self._failed(listed, found[-1].state.why, unreachable=True))
            else:
                found.append(self._one(listed))
        return found

    def _one(self, listed: FeedList) -> Came:
        known = self.copies.known(listed)
        try:
            self.copies.make_room(listed)
            if listed.format == "v2fly":
                fetched = _fetch_files(self.fetcher, listed, self.copies, known)
            else:
                fetched = _fetch_file(self.fetcher, listed, self.copies, known, self.progress)
        except UnreachableError as error:
            return self._failed(listed, str(error), unreachable=True)
        except (FetchError, NoListError, OSError, UnavailableError) as error:
            return self._failed(listed, str(error))
        good = replace(known, tried_at=self.now, fetched_at=self.now, failures=0, why="")
        if fetched is None:
            return Came(listed, good, is_new=False)
        versions, digest = fetched
        return Came(listed, replace(good, versions=versions, digest=digest), digest != known.digest)

    def _failed(self, listed: FeedList, why: str, *, unreachable: bool = False) -> Came:
        known = self.copies.known(listed)
        failed = replace(known, tried_at=self.now, failures=known.failures + 1, why=why)
        return Came(listed, failed, is_new=False, unreachable=unreachable)


def _fetch_file(
    fetcher: Fetcher, listed: FeedList, copies: Copies, known: CopyState, progress: Progress
) -> tuple[dict[str, Version], str] | None:
    came = fetcher.fetch(
        listed.address,
        copies.part(listed),
        (known.versions or {}).get("", Version()),
        most_bytes_of(listed),
        packed=listed.format not in _PACKED_THEMSELVES,
        progress=lambda done, total: progress(listed, done, total),
    )
    return None if came is None else ({"": came.version}, came.digest)


def _fetch_files(
    fetcher: Fetcher, listed: FeedList, copies: Copies, known: CopyState
) -> tuple[dict[str, Version], str] | None:
    """Fetch a list that is several files: the one that is named and those that it includes."""
    old = unpack_files(copies.path(listed))
    part = copies.part(listed)
    file = part.with_suffix(".file")
    found: dict[str, bytes] = {}
    versions: dict[str, Version] = {}
    digests = []
    waiting = [listed.address.rpartition("/")[2]]
    changed = False
    while waiting:
        name = waiting.pop(0)
        if name in found:
            continue
        if len(found) >= _MOST_FILES:
            raise FetchError(f"is refused: it includes more than {_MOST_FILES} files")
        version = (known.versions or {}).get(name, Version()) if name in old else Version()
        came = fetcher.fetch(urljoin(listed.address, name), file, version, most_bytes_of(listed))
        found[name] = old[name] if came is None else _unpacked(file)
        versions[name] = version if came is None else came.version
        changed = changed or came is not None
        waiting += included(found[name])
        digests.append(_digest(name, found[name]))
    file.unlink(missing_ok=True)
    if not changed and found.keys() == old.keys():
        return None
    pack_files(part, found.items())
    return versions, _digest("", "\n".join(digests).encode())


def _unpacked(file: Path) -> bytes:
    return b"".join(unpack([file.read_bytes()], Limits(_MOST_FILE_BYTES)))


def _digest(name: str, content: bytes) -> str:
    return hashlib.sha256(name.encode() + b"\0" + content).hexdigest()
