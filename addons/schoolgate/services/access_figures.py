"""Requests for access as figures: how many, what was decided, and how long people waited."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from statistics import median

from schoolgate.core.approvals import AccessRequest, State

_WAITING = (State.SUBMITTED, State.RETURNED, State.REVIEWED)
_HOUR = 3600


@dataclass(frozen=True, slots=True)
class AccessFigures:
    """What was asked for and decided in a span of time.

    Attributes:
        submitted: requests that were sent.
        approved: that were approved.
        declined: that were declined.
        waiting: that wait now.
        hours: the median from sending to deciding; None where nothing was decided.
    """

    submitted: int
    approved: int
    declined: int
    waiting: int
    hours: float | None


def access_figures(
    requests: Iterable[AccessRequest], since: datetime, until: datetime
) -> AccessFigures:
    """Count them.

    Args:
        requests: all there are.
        since: from when.
        until: up to when, not included.
    """
    every = list(requests)
    decided = [(one, one.decision) for one in every if one.decision]
    of_late = [(one, decision) for one, decision in decided if since <= decision.at < until]
    waited = [(decision.at - one.submitted_at).total_seconds() / _HOUR for one, decision in of_late]
    approved = sum(decision.approved for _, decision in of_late)
    return AccessFigures(
        sum(since <= one.submitted_at < until for one in every),
        approved,
        len(of_late) - approved,
        sum(one.state in _WAITING for one in every),
        median(waited) if waited else None,
    )
