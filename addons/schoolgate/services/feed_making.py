"""Makes the next generation of fetched lists from what has come, and says what became of each list."""

import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from schoolgate.core.categories import ListEntry
from schoolgate.core.gate import Finding, Ground, Guards
from schoolgate.lists.catalogue import ListPlaces, build_catalogue
from schoolgate.lists.catalogue import Progress as BuildProgress
from schoolgate.lists.copies import Copies
from schoolgate.lists.decided import read_decided
from schoolgate.lists.feeds_file import Feed, FeedList
from schoolgate.lists.feeds_file import Guards as Guarding
from schoolgate.lists.fetching import Way
from schoolgate.lists.generations import (
    Generation,
    begin,
    finish,
    forget_old,
    live_generation,
    make_live,
    next_number,
    write_manifest,
)
from schoolgate.lists.guarding import gather_guards
from schoolgate.lists.index_file import write_index
from schoolgate.lists.reports import ListReport, Result, read_reports, write_reports
from schoolgate.services.feed_fetching import Came, Progress, host_of
from schoolgate.services.feed_staging import Staging, entries_that_guard

# An update mostly finds nothing new, and then needs no rules, which take long to load.
if TYPE_CHECKING:
    from schoolgate.core.index import SiteIndex
    from schoolgate.core.policy import PolicyEngine
    from schoolgate.services.feed_replay import Replayed

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What an update works with.

    Attributes:
        places: where lists are.
        feeds: the register.
        lists: those of it that this machine has.
        way: how the web is reached.
        own: the school's domains.
        engine: gives the rules in force.
        local: gives the entries of the school's own lists.
        journal: gives pieces of the journal of the last days, whole lines each.
        now: gives the time, aware.
    """

    places: ListPlaces
    feeds: Mapping[str, Feed]
    lists: Sequence[FeedList]
    way: Way
    own: Collection[str]
    engine: "Callable[[], PolicyEngine]"
    local: Callable[[], Iterable[ListEntry]]
    journal: Callable[[], Iterable[bytes]]
    now: Callable[[], datetime]

    @property
    def state(self) -> Path:
        """The ``lists`` folder of the state directory."""
        return self.places.state


@dataclass(frozen=True, slots=True)
class Watching:
    """Who is told how far an update is.

    Attributes:
        fetching: called from several threads.
        judging: called with each list that is read and judged.
        building: called as the index is built.
    """

    fetching: Progress = lambda _listed, _done, _total: None
    judging: Callable[[FeedList], None] = lambda _listed: None
    building: Callable[[BuildProgress], None] = lambda _progress: None


@dataclass(frozen=True, slots=True)
class Update:
    """What came of an update.

    Attributes:
        asked: number of lists that their publishers were asked for.
        reports: of the lists that are new, held or failed.
        generation: that is live now, or would be; None where nothing changed.
        replayed: what the journal says of it.
        cut_off: whether several hosts were asked, and nobody was there on any.
    """

    asked: int
    reports: Mapping[str, ListReport] = field(default_factory=dict)
    generation: Generation | None = None
    replayed: "Replayed | None" = None
    cut_off: bool = False

    @property
    def failed(self) -> list[ListReport]:
        """Lists that could not be had."""
        return [one for one in self.reports.values() if one.result is Result.FAILED]

    @property
    def waiting(self) -> list[ListReport]:
        """Lists of which something waits for a person."""
        return [one for one in self.reports.values() if one.result is Result.HELD or one.waiting]


@dataclass
class Making:
    """One update, once what is to be had has come.

    Attributes:
        around: what it works with.
        copies: of lists.
        came: list → what came of asking for it.
        watching: who is told.
        dry: whether nothing is changed.
    """

    around: Surroundings
    copies: Copies
    came: Mapping[str, Came]
    watching: Watching
    dry: bool

    def __post_init__(self) -> None:
        self._live = live_generation(self.around.state)
        self._decided = read_decided(self.around.state)
        self._reports = read_reports(self.around.state)
        self._digests = {
            listed.id: self.copies.known(listed).digest for listed in self.around.lists
        }
        self._digests |= {name: one.state.digest for name, one in self.came.items() if one.is_new}

    def make(self) -> Update:
        """Judge what is new and make it live."""
        stale = [listed for listed in self.around.lists if self._is_stale(listed)]
        gone = set(self._live.lists if self._live else ()) - {one.id for one in self.around.lists}
        if not stale and not gone:
            reports = self._failures()
            self._note(reports)
            return Update(len(self.came), reports, cut_off=self._is_cut_off())
        staging = self._stage({listed.id for listed in stale})
        replayed = self._replay(staging)
        generation = self._generation(staging, replayed)
        changes = generation.lists != (self._live.lists if self._live else {})
        if changes and not self.dry:
            generation = self._go_live(generation)
        reports = {**self._failures(), **staging.reports}
        self._note(reports)
        made = generation if changes else None
        return Update(len(self.came), reports, made, replayed, self._is_cut_off())

    def _is_cut_off(self) -> bool:
        hosts = {host_of(one.listed) for one in self.came.values()}
        return len(hosts) > 1 and all(one.unreachable for one in self.came.values())

    def _is_stale(self, listed: FeedList) -> bool:
        """Ask whether a list would be judged otherwise than it was."""
        digest = self._digests[listed.id]
        if not digest:
            return False
        came = self.came.get(listed.id)
        kept = self._live.lists.get(listed.id) if self._live else None
        is_new = came is not None and came.is_new
        if listed.id in self._decided.held and not is_new:
            return False
        if kept is not None and kept.copy == digest:
            return kept.approved != self._decided.approved_of(listed.id)
        # What waits goes on waiting until somebody approves it or another copy comes.
        report = self._reports.get(listed.id)
        waits = report is not None and report.result is Result.HELD
        return is_new or not waits or self._decided.copies.get(listed.id) == digest

    def _stage(self, stale: Collection[str]) -> Staging:
        from schoolgate.core.policy import Verdict  # noqa: PLC0415
        from schoolgate.services.feed_replay import hosts_seen  # noqa: PLC0415

        around = self.around
        engine = around.engine()
        closed = {
            category
            for rule in engine.policy.all_rules
            if rule.verdict in (Verdict.BLOCK, Verdict.WARN)
            for category in rule.categories
        }
        directory = self.copies.aside or begin(around.state)
        guards = gather_guards(around.places.dirs, around.own)
        staging = Staging(directory, self._live, guards, self._decided, closed)
        staging.seen = hosts_seen(around.journal())
        guarding = [listed for listed in around.lists if not listed.category]
        self._take(staging, guarding, stale)
        staging.guards = self._guards(staging)
        self._take(staging, [listed for listed in around.lists if listed.category], stale)
        staging.settle_popular()
        return staging

    def _guards(self, staging: Staging) -> Guards:
        """Gather what is guarded, with what the registers that were fetched say."""

        def of(kind: Guarding) -> list[bytes]:
            ids = {
                one.id for one in self.around.lists if self.around.feeds[one.feed].guards is kind
            }
            return entries_that_guard(staging.lists, staging.directory, ids)

        return gather_guards(
            self.around.places.dirs, self.around.own, of(Guarding.EDUCATION), of(Guarding.POPULAR)
        )

    def _take(self, staging: Staging, lists: Iterable[FeedList], stale: Collection[str]) -> None:
        for listed in lists:
            if listed.id not in stale:
                staging.leave(listed)
                continue
            self.watching.judging(listed)
            came = self.came.get(listed.id)
            is_new = came is not None and came.is_new
            copy = self.copies.part(listed) if is_new else self.copies.path(listed)
            if staging.take(listed, copy, self._digests[listed.id]):
                if came is not None and is_new:
                    self.copies.keep(listed, came.state)
            elif came is not None:
                # What we have is better than what came.
                copy.unlink(missing_ok=True)
                why = staging.reports[listed.id].why
                known = self.copies.known(listed)
                failures = known.failures + 1
                self.copies.note(
                    listed, replace(known, tried_at=self.around.now(), failures=failures, why=why)
                )

    def _replay(self, staging: Staging) -> "Replayed | None":
        """Ask the journal what would be closed, and keep out what many people visit and one feed closes."""
        from schoolgate.core.catalogue import Catalogue  # noqa: PLC0415
        from schoolgate.core.policy import PolicyEngine  # noqa: PLC0415
        from schoolgate.services.feed_replay import (  # noqa: PLC0415
            MANY_PEOPLE,
            Replayed,
            replay_update,
        )

        if not staging.in_use:
            return Replayed() if staging.reports else None
        engine = self.around.engine()
        local = tuple(self.around.local())

        def with_sites(sites: "SiteIndex") -> "PolicyEngine":
            catalogue = Catalogue(engine.catalogue.categories, sites, engine.catalogue.version)
            return PolicyEngine(engine.policy, catalogue, local)

        out = {
            name: {one.entry for one in listed.findings} for name, listed in staging.lists.items()
        }
        added = {
            name: (
                staging.lists[name].category,
                [entry for entry in entries if entry.decode() not in out[name]],
            )
            for name, entries in staging.in_use.items()
        }
        replayed = replay_update(self.around.journal(), engine, with_sites, added)
        held: dict[str, list[Finding]] = {}
        for closed in replayed.closed:
            feeds = {name.partition(":")[0] for name, _ in closed.entries}
            if len(closed.people) < MANY_PEOPLE or len(feeds) > 1:
                continue
            for name, entry in sorted(closed.entries):
                if entry not in self._decided.entries.get(name, ()):
                    said = f"{closed.host}, {len(closed.people)} people"
                    held.setdefault(name, []).append(Finding(entry, Ground.IN_USE, said))
        for name, findings in held.items():
            staging.hold(name, Ground.IN_USE, findings)
        return replayed

    def _generation(self, staging: Staging, replayed: "Replayed | None") -> Generation:
        taken = [one for one in staging.reports.values() if one.result is Result.LIVE]
        return Generation(
            staging.directory,
            next_number(self.around.state),
            self.around.now(),
            f"{len(taken)} lists changed",
            staging.lists,
            sum(one.added for one in taken),
            sum(one.removed for one in taken),
            str(replayed) if replayed else "",
        )

    def _go_live(self, generation: Generation) -> Generation:
        around = self.around
        write_manifest(generation)
        places = replace(around.places, generation=generation.directory)
        built = build_catalogue(places, around.now(), self.watching.building)
        write_index(places.index, built)
        directory = finish(around.state, generation.directory, generation.number)
        make_live(around.state, generation.number)
        forget_old(around.state)
        return replace(generation, directory=directory)

    def _failures(self) -> dict[str, ListReport]:
        """Report the lists that could not be had."""
        live = self._live.lists if self._live else {}
        found = {}
        for name, came in self.came.items():
            if came.state.why:
                entries = live[name].entries if name in live else 0
                before = self._reports.get(name, ListReport(name, Result.FAILED))
                found[name] = replace(
                    before, result=Result.FAILED, why=came.state.why, entries=entries
                )
        return found

    def _note(self, reports: Mapping[str, ListReport]) -> None:
        """Write down what became of every list."""
        if self.dry:
            return
        for one in self.came.values():
            if not one.is_new:
                self.copies.note(one.listed, one.state)
        ids = [listed.id for listed in self.around.lists]
        every = {**self._reports, **reports}
        for name, one in self.came.items():
            before = every.get(name)
            if before is not None and before.result is Result.FAILED and not one.state.why:
                every[name] = (
                    replace(before, result=Result.LIVE, why="") if name not in reports else before
                )
        write_reports(self.around.state, {name: every[name] for name in ids if name in every})
