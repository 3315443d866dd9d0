"""Counts requests, grants and mail from the database for the process that shows metrics."""

import logging
import time
from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy import Engine

from schoolgate.bootstrap.clock import now
from schoolgate.core.clients import Client
from schoolgate.core.errors import UnavailableError
from schoolgate.core.policy import PolicyEngine
from schoolgate.monitoring.approval_figures import ApprovalState, Decisions, TellingState
from schoolgate.monitoring.metrics import UNCATEGORISED
from schoolgate.services.checking import check
from schoolgate.storage import Figures, IncidentStore, open_database
from schoolgate.storage.figures import Told

logger = logging.getLogger(__name__)

# Several may scrape; the database is asked for one of them.
_FRESH_SECONDS = 1.0


class ApprovalReader:
    """Gives how requests, grants and mail stand; for the threads of the metrics' address.

    Args:
        url: of the database, which is opened when it is first asked for.
        category_of: gives the category of a host, as the policy has it.
        clock: gives the aware time.
        webhooks: names of those that are told of alerts, of which some were never told of any.
    """

    def __init__(
        self,
        url: str,
        category_of: Callable[[str], str],
        clock: Callable[[], datetime] = now,
        webhooks: Sequence[str] = (),
    ) -> None:
        self._webhooks = webhooks
        self._url = url
        self._category_of = category_of
        self._clock = clock
        self._database: Engine | None = None
        self._decided = Decisions()
        self._line = 0
        self._read_at = -_FRESH_SECONDS
        self._last: ApprovalState | None = None
        self._is_failing = False

    def __call__(self) -> ApprovalState | None:
        """Give it as it is now; None where the database cannot be read."""
        if time.monotonic() - self._read_at < _FRESH_SECONDS:
            return self._last
        try:
            self._last = self._read()
            self._is_failing = False
        except UnavailableError as error:
            if not self._is_failing:
                logger.error("Requests and grants cannot be counted: %s", error)  # noqa: TRY400
            self._last, self._is_failing = None, True
        self._read_at = time.monotonic()
        return self._last

    def close(self) -> None:
        """Give the connections back."""
        if self._database is not None:
            self._database.dispose()

    def _read(self) -> ApprovalState:
        if self._database is None:
            self._database = open_database(self._url)
        at = self._clock()
        kept = Figures(self._database).read(at, self._line)
        for one in kept.decided:
            self._decided.add(one.outcome.value, self._category_of(one.host), one.seconds)
            self._line = one.line
        day, week = kept.ending
        return ApprovalState(
            waiting={state.value: count for state, (count, _) in kept.waiting.items()},
            oldest={state.value: _age(oldest, at) for state, (_, oldest) in kept.waiting.items()},
            decided=self._decided,
            ending={"day": day, "week": week},
            mail_waiting=kept.mail_waiting,
            mail_late_seconds=_age(kept.mail_due_since, at),
            mail_sent=kept.mail_sent,
            mail_gave_up=kept.mail_gave_up,
            incidents_open={
                severity.value: count
                for severity, count in IncidentStore(self._database).open_counts().items()
            },
            webhooks={
                name: _telling(kept.webhooks.get(name, Told()), at) for name in self._webhooks
            },
        )


def _telling(told: Told, at: datetime) -> TellingState:
    return TellingState(told.waiting, _age(told.since, at), told.sent, told.gave_up)


def category_by(engine: PolicyEngine) -> Callable[[str], str]:
    """Give what finds the category of a host as the policy has it for its default group, without grants."""
    client = Client(address="", group=engine.policy.default_group)

    def category_of(host: str) -> str:
        decision = check(engine, f"https://{host}/", client, now()).decision
        return decision.category or UNCATEGORISED

    return category_of


def _age(since: datetime | None, at: datetime) -> float:
    return max(0.0, (at - since).total_seconds()) if since is not None else 0.0
