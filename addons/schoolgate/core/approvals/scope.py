"""What is opened, for whom and when: the same words in a request, a decision and a grant."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from schoolgate.core.approvals.subjects import Subject, SubjectKind
from schoolgate.core.categories import ListEntry, Reach
from schoolgate.core.urls import path_covers

# Group → that group and those around it.
type Around = Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class Scope:
    """What is opened, for whom and when; times are aware, ``ends`` is exclusive.

    Attributes:
        entry: a host with what is below it, or a host alone, or a path of either.
        subject: for whom.
        starts: from when.
        ends: until when; there is always an end.
        page: path and query of the one page meant; empty for all that the entry covers.
        periods: only in these periods of the timetable; empty for all times.
        networks: only from these networks; empty for all.
    """

    entry: ListEntry
    subject: Subject
    starts: datetime
    ends: datetime
    page: str = ""
    periods: frozenset[str] = frozenset()
    networks: frozenset[str] = frozenset()

    @property
    def site(self) -> str:
        """What is opened, for people: ``example.com/path``."""
        return f"{self.entry.host}{self.page}" if self.page else self.entry.text


def widenings(asked: Scope, given: Scope, around: Around) -> list[str]:
    """Give in which ways one scope goes beyond another, in words; empty when it lies within."""
    found = []
    if not _site_within(asked, given):
        found.append(f"{given.site} instead of {asked.site}")
    if not _subject_within(asked.subject, given.subject, around):
        found.append(f"for {given.subject} instead of {asked.subject}")
    if given.starts < asked.starts:
        found.append("from an earlier time")
    if given.ends > asked.ends:
        found.append("until a later time")
    if not _restricted_within(asked.periods, given.periods):
        found.append("in other periods of the day")
    if not _restricted_within(asked.networks, given.networks):
        found.append("from other networks")
    return found


def _site_within(asked: Scope, given: Scope) -> bool:
    wide, narrow = asked.entry, given.entry
    if wide.reach is not Reach.SITE:
        if narrow.host != wide.host or narrow.reach is not wide.reach:
            return False
    elif narrow.host != wide.host and not narrow.host.endswith("." + wide.host):
        return False
    if asked.page:
        return given.page == asked.page
    return path_covers(wide.path, narrow.path)


def _subject_within(asked: Subject, given: Subject, around: Around) -> bool:
    if asked == given or asked.kind is SubjectKind.EVERYONE:
        return True
    groups = asked.kind is given.kind is SubjectKind.GROUP
    return groups and asked.id in around.get(given.id, frozenset())


def _restricted_within(asked: frozenset[str], given: frozenset[str]) -> bool:
    return not asked or (bool(given) and given <= asked)
