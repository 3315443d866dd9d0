"""What the process does that shows metrics and health: adds up, and looks at the board."""

import os
import socket
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import islice
from pathlib import Path

from schoolgate.bootstrap.clock import now
from schoolgate.bootstrap.portal_post import PORTAL_STARTING
from schoolgate.bootstrap.worker import JOURNAL_FAULT
from schoolgate.monitoring import (
    FeedFigure,
    FeedFigures,
    MetricsEndpoint,
    WorkerFigures,
    WorkerState,
    not_written,
    shared_registry,
)
from schoolgate.monitoring.approval_figures import ApprovalFigures, ApprovalState
from schoolgate.monitoring.bundle_metrics import BundleFigure, BundleFigures
from schoolgate.monitoring.journal_kept_metrics import JournalKeptFigures
from schoolgate.monitoring.kept_request_metrics import KeptRequestFigure, KeptRequestFigures
from schoolgate.monitoring.pair_metrics import PairFigures
from schoolgate.monitoring.process_figures import ProcessFigures
from schoolgate.monitoring.selftest_metrics import SelfTestFigures
from schoolgate.workers import Board, Link

# The supervisor writes ten times a second.
_STALE_SECONDS = 3.0
# For workers that do not answer, nobody waits longer.
_SETTLE_SECONDS = 1.0
_SETTLE_LOOK_SECONDS = 0.02


class Beside(Enum):
    """What runs beside the workers, and what is said when it does not."""

    PORTAL = "The portal is not serving."
    JOBS = "The jobs are not running: no mail is sent."
    METER = "The meter is not serving: no audio or video flows where it is limited."
    SELFTEST = "The self-test is not running: nobody asks whether filtering works."
    SHIPPING = "The journal is not taken to where others keep logs."
    TUNNELS = "The tunnels are not serving: devices at home reach nothing."


@dataclass(frozen=True, slots=True)
class Shown:
    """What the process is given.

    Attributes:
        listener: where it is asked.
        figures: directory with the metrics of the workers.
        board: how the supervisor sees the workers, which have its first rows.
        workers: how many.
        journal: directory of the journal.
        beside: what has the rows after those of the workers and of this process.
        approvals: gives how requests, grants and mail stand; None where that cannot be read.
        feeds: gives how the feeds of lists stand.
        selftest: what the self-test found last; None where there is none.
        bundles: gives how the bundles of the school's trust stand; None where there are none.
        kept: gives how requests stand that wait for the store.
        pair: gives whether this gateway has the address that a pair shares; None where there is no pair.
    """

    listener: socket.socket
    figures: Path
    board: Board
    workers: int
    journal: Path
    beside: Sequence[Beside] = ()
    approvals: Callable[[], ApprovalState | None] = lambda: None
    feeds: Callable[[], Iterable[FeedFigure]] = tuple
    selftest: SelfTestFigures | None = None
    bundles: Callable[[], BundleFigure | None] = lambda: None
    kept: Callable[[], KeptRequestFigure] = lambda: KeptRequestFigure(0, 0, 0.0)
    pair: Callable[[], bool | None] = lambda: None


def show(shown: Shown, link: Link) -> None:
    """Answer until told to end."""
    registry = shared_registry(shown.figures)
    registry.register(WorkerFigures(lambda: _states(shown), lambda: services(shown)))
    registry.register(ApprovalFigures(shown.approvals))
    # The supervisor is who started this process.
    registry.register(ProcessFigures(os.getppid()))
    registry.register(FeedFigures(shown.feeds))
    registry.register(BundleFigures(shown.bundles))
    registry.register(KeptRequestFigures(shown.kept))
    registry.register(PairFigures(shown.pair))
    registry.register(JournalKeptFigures(shown.journal, lambda: now().date()))
    if shown.selftest is not None:
        registry.register(shown.selftest)
    endpoint = MetricsEndpoint(
        registry,
        lambda: faults(shown, time.monotonic()),
        lambda: _settle(shown),
        lambda: notes(shown),
    )
    endpoint.start(shown.listener, link.beat)
    link.ready()
    try:
        link.order()
    finally:
        endpoint.stop()


def faults(shown: Shown, now: float) -> list[str]:
    """Give a sentence for each thing that is wrong.

    Args:
        shown: where to look.
        now: monotonic seconds.
    """
    said = []
    if is_silent(shown, now):
        silent = now - shown.board.written
        said.append(f"The supervisor has not answered for {silent:.0f} seconds.")
    rows = list(islice(shown.board.rows(), shown.workers))
    for number, row in enumerate(rows, 1):
        if not row.serving:
            said.append(f"Worker {number} is not serving.")
    if any(row.faults & JOURNAL_FAULT for row in rows):
        said.append(not_written(shown.journal))
    return said


def is_silent(shown: Shown, now: float) -> bool:
    """Ask whether the supervisor hangs at a monotonic time, so that the board shows what was."""
    return now - shown.board.written > _STALE_SECONDS


def notes(shown: Shown) -> list[str]:
    """Give a sentence for each thing that is not as it should be and keeps nothing from being filtered."""
    rows = islice(shown.board.rows(), shown.workers + 1, None)
    return [
        beside.value
        for beside, row in zip(shown.beside, rows, strict=True)
        if not row.serving or row.faults & PORTAL_STARTING
    ]


def services(shown: Shown) -> Iterator[tuple[str, bool]]:
    """Give the name of what runs beside the workers, and whether it serves."""
    rows = islice(shown.board.rows(), shown.workers + 1, None)
    for beside, row in zip(shown.beside, rows, strict=True):
        yield beside.name.lower(), row.serving and not row.faults & PORTAL_STARTING


def _states(shown: Shown) -> Iterator[WorkerState]:
    for number, row in enumerate(islice(shown.board.rows(), shown.workers), 1):
        yield WorkerState(number, row.serving, row.restarts)


def _settle(shown: Shown) -> None:
    """Wait until every worker has handed on what it had counted when this was asked for."""
    asked = time.monotonic()
    while time.monotonic() - asked < _SETTLE_SECONDS:
        rows = islice(shown.board.rows(), shown.workers)
        if all(row.beat > asked for row in rows if row.serving):
            return
        time.sleep(_SETTLE_LOOK_SECONDS)
