"""Figures from the journal for those in charge: none is about so few people that it names somebody."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from schoolgate.core.approvals import AccessRequest
from schoolgate.core.errors import RefusedError
from schoolgate.monitoring.journal_figures import Counted, Hour, RawFigures, Told, raw_figures
from schoolgate.monitoring.journal_store import JournalStore

SCHOOL = ZoneInfo("Europe/London")
UNCATEGORISED = "uncategorised"
_MOST_HOSTS = 30
_LONGEST = timedelta(days=800)


@dataclass(frozen=True, slots=True)
class Row:
    """A line of figures.

    Attributes:
        name: what it is about.
        events: requests; None where that would be about too few people.
        blocked: of them; likewise.
        people: of how many people; likewise.
    """

    name: str
    events: int | None
    blocked: int | None
    people: int | None


@dataclass(frozen=True, slots=True)
class OverBlock:
    """A site that was blocked and then approved.

    Attributes:
        site: what was approved.
        approved: on which day.
        blocks: how often it was blocked before, in the days of the report; None where that would be about
            too few people.
    """

    site: str
    approved: date
    blocks: int | None


@dataclass(frozen=True, slots=True)
class Figures:
    """A report.

    Attributes:
        since: the first day, of the school's zone.
        until: the last day.
        least_people: about fewer nothing is said.
        total: all requests.
        verdicts: by what was answered.
        categories: by kind of site, those with the most requests first.
        groups: by group, likewise.
        hours: by hour of the day, of the school's zone, all 24.
        ways: attempts to get round the filter, by kind.
        uncategorised: hosts that no list knows, the most frequent first.
        over_blocks: sites that were blocked and then approved.
        hidden: how many lines there are that are about too few people, by the table.
    """

    since: date
    until: date
    least_people: int
    total: Row
    verdicts: tuple[Row, ...]
    categories: tuple[Row, ...]
    groups: tuple[Row, ...]
    hours: tuple[Row, ...]
    ways: tuple[Row, ...]
    uncategorised: tuple[Row, ...]
    over_blocks: tuple[OverBlock, ...]
    hidden: Mapping[str, int]

    def plain(self) -> dict[str, Any]:
        """Give it as JSON has it."""
        return asdict(self) | {
            "since": self.since.isoformat(),
            "until": self.until.isoformat(),
            "over_blocks": [asdict(o) | {"approved": o.approved.isoformat()} for o in self.over_blocks],
        }  # fmt: skip


def figures_of(
    journal: JournalStore,
    since: date,
    until: date,
    least_people: int,
    requests: Iterable[AccessRequest] = (),
) -> Figures:
    """Count what happened in some days of the school.

    Args:
        journal: where it stands.
        since: the first day.
        until: the last day.
        least_people: about fewer people nothing is said.
        requests: for access, of which those approved in these days show what was blocked too much.

    Raises:
        RefusedError: when the days are none, or too many.
        UnavailableError: when the journal cannot be read.
    """
    check_days(since, until)
    starts = datetime.combine(since, time(), SCHOOL)
    ends = datetime.combine(until + timedelta(days=1), time(), SCHOOL)
    approved = _approved(requests, starts, ends)
    raw = raw_figures(journal, starts, ends, [site for site, _ in approved])
    return figures_from(raw, since, until, least_people, approved)


def check_days(since: date, until: date) -> None:
    """Refuse what is no span of days, or too long.

    Raises:
        RefusedError: when it is so.
    """
    if not timedelta() <= until - since <= _LONGEST:
        raise RefusedError(
            f"from {since} to {until} is no span of days, or more than {_LONGEST.days}"
        )


def figures_from(
    raw: RawFigures,
    since: date,
    until: date,
    least: int,
    approved: Sequence[tuple[str, date]] = (),
) -> Figures:
    """Give what may be seen of what was counted; arguments as of `figures_of`."""
    hidden: dict[str, int] = {}

    def table(name: str, of: Callable[[Counted], str]) -> tuple[Row, ...]:
        rows, hidden[name] = _rows(_cells(raw.counted, of), least)
        return rows

    def told(name: str, found: Iterable[Told]) -> tuple[Row, ...]:
        found = list(found)
        # What nobody is known for, such as what the packet filter refuses, names nobody.
        rows = [one for one in found if not one.people or one.people >= least]
        hidden[name] = len(found) - len(rows)
        return tuple(Row(one.name, one.events, None, one.people) for one in rows)

    totals, _ = _rows(_cells(raw.counted, lambda _: "all"), least)
    return Figures(
        since,
        until,
        least,
        totals[0] if totals else Row("all", None if raw.counted else 0, None, None),
        table("verdicts", lambda one: one.verdict or "none"),
        table("categories", lambda one: one.category or UNCATEGORISED),
        table("groups", lambda one: one.group or "none"),
        _hours(raw.hours, least),
        told("ways", raw.ways),
        told("uncategorised", raw.uncategorised)[:_MOST_HOSTS],
        tuple(_over_block(raw, site, day, least) for site, day in approved),
        {name: count for name, count in hidden.items() if count},
    )


@dataclass(slots=True)
class _Cell:
    """What is known of a line: how often, of whom, and the same of what was blocked."""

    events: int = 0
    people: set[str] = field(default_factory=set)
    blocked: int = 0
    blocked_people: set[str] = field(default_factory=set)


def _cells(counted: Iterable[Counted], of: Callable[[Counted], str]) -> dict[str, _Cell]:
    cells: dict[str, _Cell] = defaultdict(_Cell)
    for one in counted:
        cell = cells[of(one)]
        cell.events += one.events
        cell.people.add(one.who)
        if one.verdict == "block":
            cell.blocked += one.events
            cell.blocked_people.add(one.who)
    return cells


def _rows(cells: Mapping[str, _Cell], least: int) -> tuple[tuple[Row, ...], int]:
    """Give the lines that may be seen, those with the most requests first, and how many may not."""
    kept_back = too_few({name: cell.people for name, cell in cells.items()}, least)
    seen = {name: cell for name, cell in cells.items() if name not in kept_back}
    without = too_few({n: c.blocked_people for n, c in seen.items() if c.blocked}, least)
    rows = [
        Row(name, cell.events, None if name in without else cell.blocked, len(cell.people))
        for name, cell in seen.items()
    ]
    rows.sort(key=lambda row: (-(row.events or 0), row.name))
    return tuple(rows), len(kept_back)


def too_few(people: Mapping[str, set[str]], least: int) -> set[str]:
    """Say which lines must not be seen, so that none about fewer people can be found by subtraction, either.

    What is kept back is of `least` people or more together, or else all of it is kept back.

    Args:
        people: of each line, who they are.
        least: how many people a line must be about.
    """
    order = sorted(people, key=lambda name: (len(people[name]), name))
    kept_back = {name for name in order if len(people[name]) < least}
    together = set[str]().union(*(people[name] for name in kept_back))
    for name in order:
        if not kept_back or len(together) >= least:
            break
        if name not in kept_back:
            kept_back.add(name)
            together |= people[name]
    return kept_back


def _hours(hours: Iterable[Hour], least: int) -> tuple[Row, ...]:
    events, blocked, people = [0] * 24, [0] * 24, [0] * 24
    for one in hours:
        hour = one.begins.astimezone(SCHOOL).hour
        events[hour] += one.events
        blocked[hour] += one.blocked
        # Of other days they may be the same.
        people[hour] = max(people[hour], one.people)
    return tuple(
        Row(f"{hour:02}", None, None, None)
        if 0 < people[hour] < least
        else Row(f"{hour:02}", events[hour], None, people[hour])
        for hour in range(24)
    )


def _approved(
    requests: Iterable[AccessRequest], starts: datetime, ends: datetime
) -> list[tuple[str, date]]:
    found = {
        (one.scope.entry.host, one.decision.at.astimezone(SCHOOL).date())
        for one in requests
        if one.decision and one.decision.approved and starts <= one.decision.at < ends
    }
    return sorted(found, key=lambda one: (one[1], one[0]))


def _over_block(raw: RawFigures, site: str, day: date, least: int) -> OverBlock:
    told = raw.blocked.get(site)
    if told is None:
        return OverBlock(site, day, 0)
    return OverBlock(site, day, told.events if told.people >= least else None)
