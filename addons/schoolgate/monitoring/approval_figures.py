"""The figures of requests, grants and mail, which are counted from what is kept; no name in a label."""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from prometheus_client import Metric
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)
from prometheus_client.registry import Collector

_HOUR, _DAY = 3_600.0, 86_400.0
# From the click on a phone to the end of the holidays.
DECISION_BUCKETS = (
    300.0, 900.0, _HOUR, 4 * _HOUR, 8 * _HOUR, _DAY, 2 * _DAY, 3 * _DAY, 5 * _DAY, 7 * _DAY, 14 * _DAY,
)  # fmt: skip


@dataclass(slots=True)
class Decisions:
    """What was decided so far, added up.

    Attributes:
        by: how many, by outcome and category.
        sum_seconds: of all times to decide.
        counts: how many took as long as each of `DECISION_BUCKETS`, and longer than all.
    """

    by: dict[tuple[str, str], int] = field(default_factory=dict)
    sum_seconds: float = 0.0
    counts: list[int] = field(default_factory=lambda: [0] * (len(DECISION_BUCKETS) + 1))

    def add(self, outcome: str, category: str, seconds: float) -> None:
        """Count one."""
        self.by[outcome, category] = self.by.get((outcome, category), 0) + 1
        self.sum_seconds += seconds
        self.counts[bisect_left(DECISION_BUCKETS, seconds)] += 1


@dataclass(frozen=True, slots=True)
class TellingState:
    """How telling one program of the school's of alerts stands.

    Attributes:
        waiting: alerts that it is still to be told of.
        oldest_seconds: for how long the oldest of them has waited; 0 where none does.
        sent: alerts that it was told of.
        gave_up: alerts that it will never be told of.
    """

    waiting: int
    oldest_seconds: float
    sent: int
    gave_up: int


@dataclass(frozen=True, slots=True)
class ApprovalState:
    """How requests, grants and mail stand.

    Attributes:
        waiting: how many requests wait, by state.
        oldest: how long the oldest of them has waited, in seconds, by state; 0 where none does.
        decided: what was decided.
        ending: how many grants end soon, by how soon.
        mail_waiting: mails that are to be sent.
        mail_late_seconds: for how long one of them could have been sent.
        mail_sent: mails that were handed over.
        mail_gave_up: mails that are not tried again.
        incidents_open: how many incidents are open, by severity.
        webhooks: how each webhook stands, by its name.
    """

    waiting: Mapping[str, int]
    oldest: Mapping[str, float]
    decided: Decisions
    ending: Mapping[str, int]
    mail_waiting: int
    mail_late_seconds: float
    mail_sent: int
    mail_gave_up: int
    incidents_open: Mapping[str, int] = field(default_factory=dict)
    webhooks: Mapping[str, TellingState] = field(default_factory=dict)


class ApprovalFigures(Collector):
    """Shows them.

    Args:
        read: gives them as they are now; None where they cannot be read, and then only that is shown.
    """

    def __init__(self, read: Callable[[], ApprovalState | None]) -> None:
        self._read = read

    def collect(self) -> Iterator[Metric]:
        """Give the figures."""
        state = self._read()
        yield GaugeMetricFamily(
            "schoolgate_store_readable",
            "1 while the figures of requests, grants and mail can be read.",
            value=float(state is not None),
        )
        if state is not None:
            yield from _requests(state)
            yield from _mail(state)
            yield _incidents(state)
            yield from _webhooks(state)

    def describe(self) -> list[Metric]:
        """Name nothing beforehand: the names are this class's alone."""
        return []


def _requests(state: ApprovalState) -> Iterator[Metric]:
    waiting = GaugeMetricFamily(
        "schoolgate_access_requests_open", "Requests for access that wait.", labels=["state"]
    )
    oldest = GaugeMetricFamily(
        "schoolgate_access_request_oldest_seconds",
        "How long the oldest request in a state has waited; 0 where none does.",
        labels=["state"],
    )
    decided = CounterMetricFamily(
        "schoolgate_access_requests_decided",
        "Requests for access that were decided, by the category of the site.",
        labels=["outcome", "category"],
    )
    ending = GaugeMetricFamily(
        "schoolgate_grants_ending", "Grants that end within a day or a week.", labels=["within"]
    )
    for name, count in state.waiting.items():
        waiting.add_metric([name], count)
        oldest.add_metric([name], state.oldest[name])
    for (outcome, category), count in state.decided.by.items():
        decided.add_metric([outcome, category], count)
    for within, count in state.ending.items():
        ending.add_metric([within], count)
    yield from (waiting, oldest, decided, ending, _durations(state.decided))


def _incidents(state: ApprovalState) -> Metric:
    opened = GaugeMetricFamily(
        "schoolgate_incidents_open",
        "Safeguarding incidents that are open.",
        labels=["severity"],
    )
    for severity, count in state.incidents_open.items():
        opened.add_metric([severity], count)
    return opened


def _durations(decided: Decisions) -> Metric:
    total, buckets = 0, []
    bounds = [*map(str, DECISION_BUCKETS), "+Inf"]
    for bound, count in zip(bounds, decided.counts, strict=True):
        total += count
        buckets.append((bound, float(total)))
    return HistogramMetricFamily(
        "schoolgate_access_request_decision_seconds",
        "Time from a request for access until it was decided.",
        buckets=buckets,
        sum_value=decided.sum_seconds,
    )


def _mail(state: ApprovalState) -> Iterator[Metric]:
    yield GaugeMetricFamily(
        "schoolgate_mail_waiting", "Mails that are to be sent.", value=state.mail_waiting
    )
    yield GaugeMetricFamily(
        "schoolgate_mail_late_seconds",
        "For how long a mail could have been sent that still waits.",
        value=state.mail_late_seconds,
    )
    yield CounterMetricFamily("schoolgate_mail_sent", "Mails handed over.", value=state.mail_sent)
    yield CounterMetricFamily(
        "schoolgate_mail_gave_up", "Mails that are not tried again.", value=state.mail_gave_up
    )


def _webhooks(state: ApprovalState) -> Iterator[Metric]:
    waiting = GaugeMetricFamily(
        "schoolgate_webhook_waiting",
        "Alerts that a program of the school's is still to be told of.",
        labels=["webhook"],
    )
    oldest = GaugeMetricFamily(
        "schoolgate_webhook_oldest_seconds",
        "How long the oldest of them has waited; 0 where none does.",
        labels=["webhook"],
    )
    deliveries = CounterMetricFamily(
        "schoolgate_webhook_deliveries",
        "Alerts that a program was told of (sent), or will never be told of (gave_up).",
        labels=["webhook", "result"],
    )
    for name, telling in state.webhooks.items():
        waiting.add_metric([name], telling.waiting)
        oldest.add_metric([name], telling.oldest_seconds)
        deliveries.add_metric([name, "sent"], telling.sent)
        deliveries.add_metric([name, "gave_up"], telling.gave_up)
    yield from (waiting, oldest, deliveries)
