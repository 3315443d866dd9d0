"""How each feed stands: how old, how large, what came of it last, and how much of it waits for a person."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from schoolgate.lists.copies import Copies
from schoolgate.lists.decided import read_decided
from schoolgate.lists.feeds_file import FeedList
from schoolgate.lists.generations import live_generation
from schoolgate.lists.reports import ListReport, Result, read_reports


@dataclass(frozen=True, slots=True)
class FeedState:
    """How a feed stands.

    Attributes:
        feed: id.
        fetched_at: when the oldest of its lists was last what its publisher has, aware; None where one
            never was.
        domains: entries of it that are live.
        held: lists of it of which something waits for a person.
        failed: sentences about lists that could not be had at the last time.
    """

    feed: str
    fetched_at: datetime | None
    domains: int
    held: int
    failed: tuple[str, ...]

    def age_seconds(self, now: datetime) -> float:
        """Give how old it is; without an end where a list of it was never had."""
        return float("inf") if self.fetched_at is None else (now - self.fetched_at).total_seconds()


def feed_states(state: Path, lists: Sequence[FeedList]) -> list[FeedState]:
    """Say how each feed stands that a machine has.

    Args:
        state: the ``lists`` folder of the state directory.
        lists: that are fetched.

    Raises:
        ConfigurationError: when what is kept of them cannot be read.
    """
    reports, decided = read_reports(state), read_decided(state)
    live = live_generation(state)
    copies = Copies(state)
    feeds: dict[str, list[FeedList]] = {}
    for listed in lists:
        feeds.setdefault(listed.feed, []).append(listed)
    return [
        FeedState(
            feed,
            _oldest(copies.known(listed).fetched_at for listed in own),
            sum(live.lists[one.id].entries for one in own if live and one.id in live.lists),
            sum(_waits(reports.get(one.id)) or one.id in decided.held for one in own),
            tuple(
                f"{one.id} {reports[one.id].why}"
                for one in own
                if one.id in reports and reports[one.id].result is Result.FAILED
            ),
        )
        for feed, own in feeds.items()
    ]


def _waits(report: ListReport | None) -> bool:
    return report is not None and (report.result is Result.HELD or bool(report.waiting))


def _oldest(times: Iterable[datetime | None]) -> datetime | None:
    found = list(times)
    return None if None in found else min(at for at in found if at is not None)
