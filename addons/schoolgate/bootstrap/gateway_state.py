"""How this gateway is, for its school's database: gathered in the process that sees all others."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

from sqlalchemy import Engine

from schoolgate import __version__
from schoolgate.bootstrap.clock import now
from schoolgate.bootstrap.exposition import Shown, is_silent, services
from schoolgate.bootstrap.rules import list_places
from schoolgate.bootstrap.worker import JOURNAL_FAULT
from schoolgate.bundles.manifest import Manifest
from schoolgate.bundles.store import BundleStore, manifest_of
from schoolgate.core.errors import ConfigurationError, UnavailableError
from schoolgate.lists.generations import Generation, read_generation
from schoolgate.services import kept_requests
from schoolgate.services.gateway_reporting import GatewayReporting
from schoolgate.services.kept_requests import KeptRequests
from schoolgate.services.selftest_results import read_round
from schoolgate.settings import Settings
from schoolgate.shipping.tail import Tail, read_position
from schoolgate.storage import open_database
from schoolgate.storage.gateway_states import MIXED, GatewayState, GatewayStates
from schoolgate.workers import Row

_POLICY_DIGITS = 12
_MOST_FAULTS = 10
# A gateway that starts has no worker yet, and nothing is wrong with it.
_START = timedelta(minutes=1)


def start_reporting(settings: Settings, shown: Shown, started: datetime) -> None:
    """Have the state of a gateway of a trust reported until the process ends; never waits.

    Args:
        settings: of this machine.
        shown: what the process is given that shows metrics.
        started: when the gateway was, aware.
    """
    if settings.trust.gateway:
        look = Looking(settings, shown, started)
        GatewayReporting(look, _Writing(settings.database_url)).start()


@dataclass
class _Writing:
    """Writes into a database that is opened when it can be."""

    url: str
    database: Engine | None = None

    def __call__(self, state: GatewayState) -> None:
        if self.database is None:
            self.database = open_database(self.url)
        GatewayStates(self.database).write(state, now)


@dataclass
class _Once[T]:
    """Reads a folder that never changes once, for as long as it is the one that is live."""

    read: Callable[[Path], T]
    known: tuple[Path, T] | None = None

    def __call__(self, place: Path | None) -> T | None:
        if place is None:
            return None
        if self.known is None or self.known[0] != place:
            self.known = place, self.read(place)
        return self.known[1]


@dataclass
class Looking:
    """Looks at what other processes of the gateway have left: small files, and the board.

    Attributes:
        settings: of this machine.
        shown: what the process is given that shows metrics.
        started: when the gateway was, aware.
    """

    settings: Settings
    shown: Shown
    started: datetime
    _manifest: _Once[Manifest] = field(default_factory=lambda: _Once(manifest_of))
    _lists: _Once[Generation] = field(default_factory=lambda: _Once(read_generation))

    def __call__(self) -> GatewayState | None:
        """Give how the gateway is now; None while it starts."""
        settings, at, rows = self.settings, now(), self._rows()
        up = sum(row.serving for row in rows)
        if up < self.shown.workers and abs(at - self.started) < _START:
            return None
        faults = set(self._faults())
        bundle, lists = self._bundle(faults), self._fetched(faults)
        last = read_round(settings.selftest_file) if settings.selftest.enabled else None
        return GatewayState(
            settings.trust.school,
            settings.trust.gateway,
            __version__,
            self.started,
            bundle=bundle.bundle if bundle else 0,
            bundle_version=bundle.version if bundle else 0,
            ring=bundle.ring if bundle else settings.bundles.ring * bool(settings.bundles.url),
            policy=policy_of(rows),
            lists=lists.number if lists else 0,
            lists_made=lists.made if lists else None,
            index_made=self._index_made(),
            workers_wanted=self.shown.workers,
            workers_up=up,
            selftest_failures=sum(not one.ok for one in last.shown(at)) if last else None,
            kept_requests=KeptRequests(settings.state_dir / kept_requests.DIRECTORY)
            .state()
            .waiting,
            unsent_since=self._unsent_since(at),
            faults=tuple(sorted(faults)[:_MOST_FAULTS]),
        )

    def _rows(self) -> list[Row]:
        return list(islice(self.shown.board.rows(), self.shown.workers))

    def _faults(self) -> Iterator[str]:
        if is_silent(self.shown, time.monotonic()):
            yield "supervisor"
        if any(row.faults & JOURNAL_FAULT for row in self._rows()):
            yield "journal"
        yield from (name for name, serves in services(self.shown) if not serves)

    def _bundle(self, faults: set[str]) -> Manifest | None:
        if not self.settings.bundles.url:
            return None
        store = BundleStore(self.settings.bundles_dir)
        try:
            if store.status().failures:
                faults.add("bundle")
            return self._manifest(store.live())
        except (ConfigurationError, UnavailableError):
            faults.add("bundle")
            return None

    def _fetched(self, faults: set[str]) -> Generation | None:
        try:
            return self._lists(list_places(self.settings).fetched)
        except ConfigurationError:
            faults.add("lists")
            return None

    def _index_made(self) -> datetime | None:
        try:
            changed = list_places(self.settings).index.stat().st_mtime
        except (OSError, ConfigurationError):
            return None
        return datetime.fromtimestamp(changed, UTC)

    def _unsent_since(self, at: datetime) -> datetime | None:
        """Give the time of the oldest line that a receiver does not have; None where all have all."""
        tail, kept = Tail(self.settings.journal_dir), self.settings.state_dir / "shipping"
        places = (
            read_position(kept / f"{target.name}.json") or tail.start(at)
            for target in self.settings.shipping.to
        )
        return min(filter(None, map(tail.waiting_since, places)), default=None)


def policy_of(rows: Sequence[Row]) -> str:
    """Give the policy that the workers have in force, by its digits."""
    # One that has just come does not say yet.
    marks = {row.mark for row in rows if row.serving and row.mark}
    if len(marks) > 1:
        return MIXED
    return f"{marks.pop():0{_POLICY_DIGITS}x}" if marks else ""
