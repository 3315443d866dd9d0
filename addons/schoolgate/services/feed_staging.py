"""Builds the next generation of fetched lists aside: each list read, judged, and taken or left as it was."""

import os
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from schoolgate.core.errors import UnavailableError
from schoolgate.core.gate import Finding, Ground, Guards, disputed, judge, size_fault
from schoolgate.lists.decided import Decided
from schoolgate.lists.feeds_file import FeedList
from schoolgate.lists.formats import LineFault, NoListError
from schoolgate.lists.generations import Generation, Listed
from schoolgate.lists.reading import read_copy
from schoolgate.lists.reports import ListReport, Result

_EXAMPLES = 20
_KEPT_FAULTS = 200


@dataclass
class Staging:
    """A generation that is being made.

    Attributes:
        directory: where it is made.
        live: the one that is live; None where there is none.
        guards: what no list closes by mistake.
        decided: what people decided.
        closed: categories that the policy closes for somebody.
        seen: hosts that were visited of late, with all that they are below.
        lists: what is in it.
        reports: what became of each list that was judged.
        in_use: list → new entries that may cover a visited host.
    """

    directory: Path
    live: Generation | None
    guards: Guards
    decided: Decided
    closed: Collection[str]
    seen: Collection[bytes] = ()
    lists: dict[str, Listed] = field(default_factory=dict)
    reports: dict[str, ListReport] = field(default_factory=dict)
    in_use: dict[str, set[bytes]] = field(default_factory=dict)

    def leave(self, listed: FeedList) -> None:
        """Take a list over as it is live; without a copy of it, as the same file."""
        kept = self.live.lists.get(listed.id) if self.live else None
        if self.live is None or kept is None:
            return
        try:
            (self.directory / kept.file).hardlink_to(self.live.path_of(kept))
        except OSError as error:
            raise _unwritable(self.directory / kept.file, error) from error
        self.lists[listed.id] = kept

    def fail(self, listed: FeedList, why: str) -> None:
        """Leave a list as it is, because it could not be had or is none."""
        self.leave(listed)
        before = self.lists.get(listed.id)
        entries = before.entries if before else 0
        self.reports[listed.id] = ListReport(listed.id, Result.FAILED, why, entries)

    def take(self, listed: FeedList, copy: Path, digest: str) -> bool:
        """Read and judge a list's copy; it goes live with the generation, or waits for a person.

        Returns:
            Whether the copy is a list at all.
        """
        try:
            read = read_copy(listed, copy)
        except NoListError as error:
            self.fail(listed, str(error))
            return False
        old = self._live_entries(listed.id)
        faults = [_fault(fault) for fault in read.faults]
        if not listed.category:
            judged, findings, popular = read.entries, [], set[bytes]()
        else:
            approved = {entry.encode() for entry in self.decided.entries.get(listed.id, ())}
            judgement = judge(read.entries, old, listed.category, self.guards, approved)
            judged, findings, popular = judgement.taken, judgement.findings, judgement.popular
        added, removed = judged - old, old - judged
        report = ListReport(
            listed.id, Result.LIVE, "", len(judged), len(added), len(removed),
            _examples(added, removed), tuple(findings), tuple(faults[:_KEPT_FAULTS]),
            read.fault_count,
        )  # fmt: skip
        why = self._why_held(listed, digest, len(judged), len(old))
        if why:
            self.leave(listed)
            self.reports[listed.id] = replace(report, result=Result.HELD, why=why)
            return True
        self.reports[listed.id] = report
        used = _touching(added, self.seen)
        if used and listed.category in self.closed:
            self.in_use[listed.id] = used
        self.lists[listed.id] = Listed(
            listed.id, listed.category, len(judged), digest, self.decided.approved_of(listed.id),
            tuple(findings), tuple(sorted(entry.decode() for entry in popular)), read.fault_count,
        )  # fmt: skip
        self._write(self.lists[listed.id], judged)
        return True

    def settle_popular(self) -> None:
        """Keep out what would close a popular host on the word of one feed alone."""
        popular = {
            name: {entry.encode() for entry in listed.popular}
            for name, listed in self.lists.items()
            if listed.popular and listed.category in self.closed
        }
        held = disputed(
            popular,
            lambda name: self.lists[name].feed,
            lambda name: self.lists[name].category,
            self.guards.curated,
            {name: self._exempt(name) for name in popular},
        )
        for name in popular:
            self.hold(name, Ground.POPULAR, held.get(name, []))

    def hold(self, name: str, ground: Ground, findings: Collection[Finding]) -> None:
        """Keep entries of a list out on a ground, and take in those that were kept out on it before."""
        listed = self.lists[name]
        before = {one.entry for one in listed.findings if one.ground is ground}
        after = {one.entry for one in findings}
        if ground is Ground.IN_USE:
            before = set()
        if before == after and name not in self.reports:
            return
        path = self.directory / listed.file
        entries = set(path.read_bytes().split())
        count = len(entries)
        entries |= {entry.encode() for entry in before - after}
        entries -= {entry.encode() for entry in after}
        others = tuple(one for one in listed.findings if one.ground is not ground)
        findings = (*others, *findings)
        self.lists[name] = replace(listed, entries=len(entries), findings=findings)
        if len(entries) != count:
            self._write(self.lists[name], entries)
        if name in self.reports:
            report = self.reports[name]
            self.reports[name] = replace(
                report,
                entries=len(entries),
                added=report.added - (count - len(entries)),
                # What is kept out after all was not added.
                examples=tuple(
                    one for one in report.examples if one.removeprefix("+") not in after
                ),
                findings=findings,
            )

    def _exempt(self, name: str) -> set[bytes]:
        """Give the popular entries of a list that are live, or that a person approved."""
        approved = {entry.encode() for entry in self.decided.entries.get(name, ())}
        kept = self.live.lists.get(name) if self.live else None
        if kept is None:
            return approved
        out = {one.entry for one in kept.findings if one.ground is Ground.POPULAR}
        return approved | {entry.encode() for entry in kept.popular if entry not in out}

    def _why_held(self, listed: FeedList, digest: str, count: int, before: int) -> str:
        if listed.id in self.decided.held:
            return self.decided.held[listed.id]
        if self.decided.copies.get(listed.id) == digest:
            return ""
        return size_fault(count, before, listed.least, listed.greatest)

    def _live_entries(self, name: str) -> set[bytes]:
        kept = self.live.lists.get(name) if self.live else None
        if self.live is None or kept is None:
            return set()
        return set(self.live.path_of(kept).read_bytes().split())

    def _write(self, listed: Listed, entries: Iterable[bytes]) -> None:
        path = self.directory / listed.file
        try:
            # Not into a file that the generation before has, too.
            path.unlink(missing_ok=True)
            with path.open("xb") as file:
                file.write(b"\n".join(entries) + b"\n")
                file.flush()
                os.fsync(file.fileno())
                os.fchmod(file.fileno(), 0o444)
        except OSError as error:
            raise _unwritable(path, error) from error


def entries_that_guard(
    lists: Mapping[str, Listed], directory: Path, wanted: Collection[str]
) -> list[bytes]:
    """Give the hosts of some lists of a generation."""
    return [
        host
        for name, listed in lists.items()
        if name in wanted
        for host in (directory / listed.file).read_bytes().split()
    ]


def _touching(added: set[bytes], seen: Collection[bytes]) -> set[bytes]:
    """Give the entries that are about a visited host, or what it is below."""
    if not seen:
        return set()
    return {
        entry
        for entry in added
        if entry in seen
        or (entry[:1] in b"=*" and entry.lstrip(b"=*.") in seen)
        or (b"/" in entry and entry.partition(b"/")[0] in seen)
    }


def _examples(added: set[bytes], removed: set[bytes]) -> tuple[str, ...]:
    def some(entries: set[bytes], sign: str) -> list[str]:
        return [f"{sign}{entry.decode()}" for entry in sorted(entries)[:_EXAMPLES]]

    return (*some(added, "+"), *some(removed, "-"))


def _fault(fault: LineFault) -> str:
    return (
        f"line {fault.line}: {fault.message}"
        if fault.written in fault.message
        else (f"line {fault.line}: {fault.written}: {fault.message}")
    )


def _unwritable(path: Path, error: OSError) -> UnavailableError:
    return UnavailableError(f"{path} cannot be written: {error.strerror}")
