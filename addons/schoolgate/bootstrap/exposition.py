"""What the process does that shows metrics and health: adds up, and looks at the board."""

import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from schoolgate.bootstrap.portal_post import PORTAL_STARTING
from schoolgate.bootstrap.worker import JOURNAL_FAULT
from schoolgate.monitoring import (
    MetricsEndpoint,
    WorkerFigures,
    WorkerState,
    not_written,
    shared_registry,
)
from schoolgate.workers import Board, Link

# The supervisor writes ten times a second.
_STALE_SECONDS = 3.0
# For workers that do not answer, nobody waits longer.
_SETTLE_SECONDS = 1.0
_SETTLE_LOOK_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Shown:
    """What the process is given.

    Attributes:
        listener: where it is asked.
        figures: directory with the metrics of the workers.
        board: how the supervisor sees the workers, which have its first rows.
        workers: how many.
        journal: directory of the journal.
        has_portal: whether the portal has the last row of the board.
    """

    listener: socket.socket
    figures: Path
    board: Board
    workers: int
    journal: Path
    has_portal: bool = False


def show(shown: Shown, link: Link) -> None:
    """Answer until told to end."""
    registry = shared_registry(shown.figures)
    registry.register(WorkerFigures(lambda: _states(shown)))
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
    silent = now - shown.board.written
    if silent > _STALE_SECONDS:
        said.append(f"The supervisor has not answered for {silent:.0f} seconds.")
    rows = list(islice(shown.board.rows(), shown.workers))
    for number, row in enumerate(rows, 1):
        if not row.serving:
            said.append(f"Worker {number} is not serving.")
    if any(row.faults & JOURNAL_FAULT for row in rows):
        said.append(not_written(shown.journal))
    return said


def notes(shown: Shown) -> list[str]:
    """Give a sentence for each thing that is not as it should be and keeps nothing from being filtered."""
    if not shown.has_portal:
        return []
    *_, portal = shown.board.rows()
    if portal.serving and not portal.faults & PORTAL_STARTING:
        return []
    return ["The portal is not serving."]


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
