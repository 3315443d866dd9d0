"""Asks publishers for the lists that are due, several at once; one that fails leaves the others alone."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from urllib.parse import urljoin

from schoolgate.core.errors import UnavailableError
from schoolgate.lists.copies import Copies, CopyState
from schoolgate.lists.feeds_file import FeedList
from schoolgate.lists.fetching import Fetcher, FetchError, Version, Way
from schoolgate.lists.formats import Limits, NoListError, included, unpack
from schoolgate.lists.reading import most_bytes_of, pack_files, unpack_files

_AT_ONCE = 6
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
    """

    listed: FeedList
    state: CopyState
    is_new: bool


def fetch_all(
    lists: Sequence[FeedList], copies: Copies, way: Way, now: datetime, progress: Progress
) -> Iterator[Came]:
    """Ask for lists, and give each as it is answered.

    Args:
        lists: that are asked for.
        copies: that we have.
        way: how the web is reached.
        now: aware.
        progress: called from several threads.
    """
    if not lists:
        return
    fetcher = Fetcher(way)
    with ThreadPoolExecutor(_AT_ONCE, "feeds") as pool:
        asked = {
            pool.submit(_fetch, fetcher, listed, copies, now, progress): listed for listed in lists
        }
        try:
            for done in as_completed(asked):
                yield done.result()
        finally:
            for one in asked:
                one.cancel()


def _fetch(
    fetcher: Fetcher, listed: FeedList, copies: Copies, now: datetime, progress: Progress
) -> Came:
    known = copies.known(listed)
    try:
        copies.make_room(listed)
        if listed.format == "v2fly":
            fetched = _fetch_files(fetcher, listed, copies, known)
        else:
            fetched = _fetch_file(fetcher, listed, copies, known, progress)
    except (FetchError, NoListError, OSError, UnavailableError) as error:
        why = str(error)
        failed = replace(known, tried_at=now, failures=known.failures + 1, why=why)
        return Came(listed, failed, is_new=False)
    good = replace(known, tried_at=now, fetched_at=now, failures=0, why="")
    if fetched is None:
        return Came(listed, good, is_new=False)
    versions, digest = fetched
    return Came(listed, replace(good, versions=versions, digest=digest), digest != known.digest)


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
