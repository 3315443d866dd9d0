"""Alerts and incidents as figures: about whom, and what was typed, is not in them.

What concerns staff or the headteacher is not counted: a figure would tell whoever it concerns (T-8-concern).
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median

from schoolgate.core.safeguarding import Severity
from schoolgate.core.safeguarding.incidents import About, Incident, KeptAlert
from schoolgate.services.figures import too_few

_HOUR = 3600


@dataclass(frozen=True, slots=True)
class Count:
    """How many there were of something; None where that would be about too few people."""

    name: str
    number: int | None


@dataclass(frozen=True, slots=True)
class SafeguardingFigures:
    """What happened in a span of time.

    Attributes:
        alerts: how many were raised; None where they are about too few people.
        themes: of them, by theme; those about too few people are left out, with as many as hide them.
        severities: likewise.
        hidden: how many lines are left out.
        opened: incidents that were opened; None as above.
        closed: incidents that were closed, by outcome, as `themes`.
        closed_number: how many were closed; None as above.
        open_now: incidents that are open; None as above.
        unassigned: of them with nobody; None as above.
        hours: the median from opening to closing; None where none, or too few, were closed.
    """

    alerts: int | None
    themes: tuple[Count, ...]
    severities: tuple[Count, ...]
    hidden: int
    opened: int | None
    closed: tuple[Count, ...]
    closed_number: int | None
    open_now: int | None
    unassigned: int | None
    hours: float | None


def safeguarding_figures(
    alerts: Sequence[KeptAlert],
    incidents: Sequence[Incident],
    since: datetime,
    until: datetime,
    least_people: int,
) -> SafeguardingFigures:
    """Count what is about pupils.

    Args:
        alerts: raised in this time.
        incidents: opened or closed in this time, or open now.
        since: from when.
        until: up to when, not included.
        least_people: about fewer nothing is said; 1 for whoever looks after each of them anyway.
    """
    signs = [one for one in alerts if one.about is About.PUPILS and since <= one.at < until]
    ours = [one for one in incidents if one.about is About.PUPILS]
    closed = [one for one in ours if one.closed_at and since <= one.closed_at < until]
    opened = [one for one in ours if since <= one.opened_at < until]
    open_now = [one for one in ours if one.is_open]
    themes, left_out = _by(signs, lambda one: one.theme, least_people)
    severities, also_left_out = _by(signs, lambda one: one.severity.value, least_people)
    outcomes, _ = _by(closed, lambda one: one.outcome.value, least_people)
    many = _many(closed, least_people)
    return SafeguardingFigures(
        _many(signs, least_people),
        themes,
        tuple(sorted(severities, key=lambda one: -Severity(one.name).rank)),
        left_out + also_left_out,
        _many(opened, least_people),
        outcomes,
        many,
        _many(open_now, least_people),
        _many([one for one in open_now if not one.assigned_to], least_people),
        median(map(_hours, closed)) if closed and many is not None else None,
    )


def _hours(incident: Incident) -> float:
    ended = incident.closed_at or incident.opened_at
    return (ended - incident.opened_at).total_seconds() / _HOUR


def _who(one: KeptAlert | Incident) -> str:
    # What is about nobody in particular is about somebody else each time.
    return one.who or f"nobody:{one.id}"


def _many(found: Sequence[KeptAlert | Incident], least: int) -> int | None:
    return len(found) if not found or len({_who(one) for one in found}) >= least else None


def _by[T: KeptAlert | Incident](
    found: Iterable[T], of: Callable[[T], str], least: int
) -> tuple[tuple[Count, ...], int]:
    cells: dict[str, list[T]] = defaultdict(list)
    for one in found:
        cells[of(one)].append(one)
    without = too_few({name: {_who(one) for one in cell} for name, cell in cells.items()}, least)
    counts = [Count(name, len(cell)) for name, cell in cells.items() if name not in without]
    return tuple(sorted(counts, key=lambda one: (-(one.number or 0), one.name))), len(without)
