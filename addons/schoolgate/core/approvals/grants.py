"""A site, or a part of one, opened for somebody for a time."""

from dataclasses import dataclass
from datetime import datetime

from schoolgate.core.approvals.roles import Role
from schoolgate.core.approvals.subjects import Subject
from schoolgate.core.categories import ListEntry, Reach
from schoolgate.core.clients import Client
from schoolgate.core.urls import path_covers, path_readings


@dataclass(frozen=True, slots=True)
class Grant:
    """A site opened for somebody for a time; times are aware, ``ends`` is exclusive.

    Attributes:
        id: its number.
        entry: a host with what is below it, or a host alone, or a path of either.
        subject: for whom.
        starts: from when.
        ends: until when.
        decided_by: the role in which it was decided.
        reason: shown to people.
        page: path and query, as they stand in the URL, of the one page that is opened; empty for all
            that the entry covers.
        periods: only in these periods of the timetable; empty for all times.
        networks: only from these networks; empty for all.
        request: number of the request that it was decided on, if any.
    """

    id: int
    entry: ListEntry
    subject: Subject
    starts: datetime
    ends: datetime
    decided_by: Role
    reason: str
    page: str = ""
    periods: frozenset[str] = frozenset()
    networks: frozenset[str] = frozenset()
    request: int | None = None

    @property
    def site(self) -> str:
        """What is opened, for people: ``example.com/path``."""
        return f"{self.entry.host}{self.page}" if self.page else self.entry.text

    @property
    def is_whole(self) -> bool:
        """Whether it opens whole hosts, so that nothing need be read to carry it out."""
        return self.entry.path == "/" and not self.page

    def in_force(
        self,
        client: Client,
        groups: frozenset[str],
        host: str,
        path: str,
        now: datetime,
        *,
        query: str = "",
        period: str = "",
    ) -> bool:
        """Ask whether it opens this page for this client now."""
        return self.in_force_on(client, groups, host, now, period) and self.opens(path, query)

    def in_force_on(
        self, client: Client, groups: frozenset[str], host: str, now: datetime, period: str = ""
    ) -> bool:
        """Ask whether it opens anything on this host for this client now.

        Args:
            client: who asks.
            groups: all that the client is in.
            host: normalised.
            now: aware.
            period: of the timetable at that time; a grant for periods is not in force in none.
        """
        return (
            self.starts <= now < self.ends
            and covers_host(self.entry, host)
            and (not self.periods or period in self.periods)
            and (not self.networks or client.network in self.networks)
            and self.subject.concerns(client, groups)
        )

    def opens(self, path: str, query: str) -> bool:
        """Ask whether a page of a host that the entry covers is meant."""
        if self.page:
            return self.page == (f"{path}?{query}" if query else path)
        entry = self.entry.path
        return entry == "/" or all(path_covers(entry, reading) for reading in path_readings(path))


def covers_host(entry: ListEntry, host: str) -> bool:
    """Ask whether an entry reaches a normalised host."""
    if host == entry.host:
        return entry.reach is not Reach.BELOW
    return entry.reach is not Reach.HOST and host.endswith("." + entry.host)
