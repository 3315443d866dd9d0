"""What /healthz finds wrong, from the board of the supervisor."""

import socket
from pathlib import Path

import pytest

from schoolgate.bootstrap.exposition import Beside, Shown, faults, notes, services
from schoolgate.bootstrap.portal_post import PORTAL_STARTING
from schoolgate.bootstrap.worker import JOURNAL_FAULT
from schoolgate.workers import Board, Row

WELL, ABSENT, UNWRITTEN = Row(5.0, True), Row(), Row(5.0, True, JOURNAL_FAULT)
NOT_WRITTEN = "The journal in journal is not being written."


@pytest.mark.parametrize(
    ("rows", "now", "want"),
    [
        ([WELL, WELL, WELL], 10.0, []),
        ([WELL, ABSENT, WELL], 10.0, ["Worker 2 is not serving."]),
        ([WELL, UNWRITTEN, WELL], 10.0, [NOT_WRITTEN]),
        ([UNWRITTEN, UNWRITTEN, WELL], 10.0, [NOT_WRITTEN]),
        ([WELL, WELL, WELL], 13.0, []),
        ([WELL, WELL, WELL], 14.0, ["The supervisor has not answered for 4 seconds."]),
        # The third is not a worker: it is the one that answers.
        ([WELL, WELL, ABSENT], 10.0, []),
        (
            [ABSENT, UNWRITTEN, WELL],
            20.0,
            [
                "The supervisor has not answered for 10 seconds.",
                "Worker 1 is not serving.",
                NOT_WRITTEN,
            ],
        ),
    ],
)
def test_each_thing_that_is_wrong_is_a_sentence(
    rows: list[Row], now: float, want: list[str]
) -> None:
    board = Board(len(rows))
    board.write(10.0, rows)
    assert list(board.rows()) == rows
    with socket.socket() as listener:
        assert faults(Shown(listener, Path(), board, 2, Path("journal")), now) == want


NO_PORTAL, NO_JOBS = Beside.PORTAL.value, Beside.JOBS.value
NO_TUNNELS = Beside.TUNNELS.value
STARTING = Row(5.0, True, PORTAL_STARTING)


@pytest.mark.parametrize(
    ("beside", "want"),
    [
        ({}, []),
        ({Beside.PORTAL: WELL}, []),
        ({Beside.PORTAL: ABSENT}, [NO_PORTAL]),
        ({Beside.PORTAL: STARTING}, [NO_PORTAL]),
        ({Beside.JOBS: ABSENT}, [NO_JOBS]),
        ({Beside.JOBS: WELL, Beside.TUNNELS: ABSENT}, [NO_TUNNELS]),
        ({Beside.PORTAL: WELL, Beside.JOBS: WELL}, []),
        ({Beside.PORTAL: STARTING, Beside.JOBS: WELL}, [NO_PORTAL]),
        ({Beside.PORTAL: WELL, Beside.JOBS: ABSENT}, [NO_JOBS]),
        ({Beside.PORTAL: ABSENT, Beside.JOBS: ABSENT}, [NO_PORTAL, NO_JOBS]),
    ],
)
def test_what_does_not_run_beside_the_workers_is_a_note(
    beside: dict[Beside, Row], want: list[str]
) -> None:
    rows = [WELL, WELL, *beside.values()]
    board = Board(len(rows))
    board.write(10.0, rows)
    with socket.socket() as listener:
        shown = Shown(listener, Path(), board, 1, Path("journal"), tuple(beside))
        assert notes(shown) == want
        lacking = {name for name, serves in services(shown) if not serves}
        assert lacking == {one.name.lower() for one in beside if one.value in want}
        assert faults(shown, 10.0) == []
