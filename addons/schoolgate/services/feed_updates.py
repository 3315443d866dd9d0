"""Updates of the lists of others: fetched, judged, built aside, and live at once or not at all."""

import contextlib
import shutil
import tempfile
from collections.abc import Collection, Iterator
from datetime import timedelta
from pathlib import Path

from schoolgate.core.errors import RefusedError
from schoolgate.lists.copies import Copies
from schoolgate.lists.decided import read_decided, write_decided
from schoolgate.lists.feeds_file import FeedList
from schoolgate.lists.reports import Result, read_reports
from schoolgate.services.feed_fetching import fetch_all
from schoolgate.services.feed_making import Making, Surroundings, Update, Watching
from schoolgate.services.feed_rollback import only_one


def update(
    around: Surroundings,
    *,
    names: Collection[str] = (),
    due_only: bool = False,
    fetch: bool = True,
    dry: bool = False,
    watching: Watching | None = None,
) -> Update:
    """Bring the lists up to date.

    Args:
        around: what it works with.
        names: of feeds or lists; all when empty.
        due_only: whether only those are asked for that are due.
        fetch: whether publishers are asked at all; else the copies are judged again.
        dry: whether everything is done but nothing is changed.
        watching: who is told.

    Raises:
        ConfigurationError: when files of this machine have faults.
        RefusedError: when no such feed is fetched here, or another update is on its way.
        UnavailableError: when something cannot be written.
    """
    watching = watching or Watching()
    wanted = _named(around, names) if fetch else []
    with only_one(around.state), _aside(around.state, dry=dry) as aside:
        copies = Copies(around.state, aside)
        if due_only:
            wanted = [one for one in wanted if _is_due(around, copies, one)]
        now = around.now()
        came = {
            one.listed.id: one
            for one in fetch_all(wanted, copies, around.way, now, watching.fetching)
        }
        return Making(around, copies, came, watching, dry=dry).make()


def approve(around: Surroundings, names: Collection[str], entries: Collection[str]) -> list[str]:
    """Let go live what waits: whole lists, or single entries of them; the next update takes it.

    Args:
        around: what an update works with.
        names: of feeds or lists.
        entries: of these alone; everything that waits when empty.

    Returns:
        What was approved, in words.

    Raises:
        RefusedError: when nothing of it waits.
    """
    with only_one(around.state):
        reports, decided = read_reports(around.state), read_decided(around.state)
        copies = Copies(around.state)
        said = []
        for listed in _named(around, names):
            report = reports.get(listed.id)
            waiting = [
                one.entry
                for one in (report.waiting if report else ())
                if not entries or one.entry in entries
            ]
            if waiting:
                decided = decided.with_entries(listed.id, waiting)
                said += [f"{listed.id}: {entry}" for entry in waiting]
            whole = (report and report.result is Result.HELD) or listed.id in decided.held
            if whole and not entries:
                decided = decided.with_copy(listed.id, copies.known(listed).digest)
                said.append(f"{listed.id}: {report.why if report else 'held'}")
        if not said:
            raise RefusedError("nothing of that waits: see 'schoolgate lists diff'")
        write_decided(around.state, decided)
    return said


def _named(around: Surroundings, names: Collection[str]) -> list[FeedList]:
    """Give the lists of feeds, or lists, that this machine has.

    Raises:
        RefusedError: when one is unknown.
    """
    if not names:
        return list(around.lists)
    for name in names:
        if not any(name in (listed.feed, listed.id) for listed in around.lists):
            there = ", ".join(sorted({listed.feed for listed in around.lists})) or "none"
            raise RefusedError(f"'{name}' is no feed that is fetched here; there are: {there}")
    return [listed for listed in around.lists if {listed.feed, listed.id} & set(names)]


def _is_due(around: Surroundings, copies: Copies, listed: FeedList) -> bool:
    every = timedelta(hours=around.feeds[listed.feed].every_hours)
    return copies.known(listed).is_due(every, around.now())


@contextlib.contextmanager
def _aside(state: Path, *, dry: bool) -> Iterator[Path | None]:
    """Give a folder for what is to be thrown away."""
    if not dry:
        yield None
        return
    directory = Path(tempfile.mkdtemp(prefix=".dry-", dir=state))
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)
