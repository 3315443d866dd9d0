"""The figures of several processes, added up by another; what one that ended leaves behind."""

import fcntl
import multiprocessing
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from schoolgate.monitoring import (
    Metrics,
    WorkerFigures,
    WorkerState,
    forget,
    share,
    shared_directory,
    shared_registry,
    sharing,
)

# Not forked: this process has threads, and its own metrics must stay its own.
SPAWN = multiprocessing.get_context("spawn")


def count(directory: Path, seat: int, blocked: int, version: int) -> None:
    """What a worker does, in a process of its own."""
    share(directory, seat)
    metrics = Metrics()
    metrics.requests.labels("block", "games", "staff", "").inc(blocked)
    metrics.decision_seconds.observe(0.000_003)
    metrics.policy_version.set(version)
    metrics.clients.set(blocked)
    metrics.flush()


def worker(directory: Path, seat: int, blocked: int, version: int) -> None:
    process = SPAWN.Process(target=count, args=(directory, seat, blocked, version))
    process.start()
    process.join(60)
    assert process.exitcode == 0


@pytest.fixture
def figures(tmp_path: Path) -> Callable[[str], float | None]:
    """What is shown after two workers counted, the second of which is behind."""
    worker(tmp_path, 1, 3, 8)
    worker(tmp_path, 2, 4, 7)
    labels = {"verdict": "block", "category": "games", "group": "staff", "period": ""}

    def shown(name: str) -> float | None:
        registry = shared_registry(tmp_path)
        return registry.get_sample_value(name, labels if "requests" in name else {})

    return shown


def test_counters_are_added_and_of_a_state_the_one_behind_is_shown(
    figures: Callable[[str], float | None],
) -> None:
    assert figures("schoolgate_requests_total") == 7
    assert figures("schoolgate_worker_clients") == 7
    assert figures("schoolgate_decision_seconds_count") == 2
    assert figures("schoolgate_policy_version") == 7


def test_of_one_that_ended_the_counts_stay_and_the_state_goes(
    figures: Callable[[str], float | None], tmp_path: Path
) -> None:
    forget(tmp_path, 2)
    assert figures("schoolgate_requests_total") == 7
    assert figures("schoolgate_worker_clients") == 3
    assert figures("schoolgate_policy_version") == 8


def test_the_next_one_in_a_seat_counts_on(
    figures: Callable[[str], float | None], tmp_path: Path
) -> None:
    forget(tmp_path, 2)
    worker(tmp_path, 2, 10, 8)
    assert figures("schoolgate_requests_total") == 17
    assert figures("schoolgate_policy_version") == 8


def test_workers_are_shown_as_somebody_else_sees_them() -> None:
    states = [WorkerState(1, up=True, restarts=0), WorkerState(2, up=False, restarts=3)]
    registry = CollectorRegistry()
    registry.register(WorkerFigures(lambda: states))
    text = generate_latest(registry).decode()
    for line in (
        'schoolgate_worker_up{worker="1"} 1.0',
        'schoolgate_worker_up{worker="2"} 0.0',
        'schoolgate_worker_restarts_total{worker="2"} 3.0',
    ):
        assert line in text


@pytest.fixture
def memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The place in memory, in which nobody else makes anything."""
    monkeypatch.setattr(sharing, "_MEMORY", tmp_path)
    return tmp_path


def test_the_directory_is_private_and_goes_at_the_end(memory: Path) -> None:
    with shared_directory(memory / "otherwise") as directory:
        assert directory.parent == memory
        assert directory.stat().st_mode & 0o777 == 0o700
        (directory / "counter_1.db").write_bytes(b"x")
    assert list(memory.iterdir()) == []


def test_without_such_a_place_it_is_elsewhere(
    memory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sharing, "_MEMORY", memory / "absent")
    with shared_directory(memory) as directory:
        assert directory.parent == memory


@pytest.mark.parametrize(
    ("name", "age_seconds", "held", "want"),
    [
        ("schoolgate-left", 3600, False, False),
        ("schoolgate-held", 3600, True, True),
        ("schoolgate-young", 0, False, True),
        ("another", 3600, False, True),
    ],
)
def test_what_a_gateway_left_that_was_killed_is_removed_by_the_next(
    memory: Path, name: str, age_seconds: float, held: bool, want: bool
) -> None:
    left = memory / name
    left.mkdir()
    os.utime(left, (time.time() - age_seconds,) * 2)
    descriptor = os.open(left, os.O_RDONLY)
    if held:
        fcntl.flock(descriptor, fcntl.LOCK_SH)
    with shared_directory(memory):
        assert left.exists() == want
    os.close(descriptor)
