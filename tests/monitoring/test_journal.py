"""The journal: one JSON object a line, one file a day, written off the loop and never waited for."""

import json
import os
import stat
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from queue import Queue
from typing import Any

import pytest

from schoolgate.monitoring import JournalWriter

NOON = datetime(2026, 11, 23, 12, 0, 0, 123456, tzinfo=UTC)
MIDNIGHT = datetime(2026, 11, 24, tzinfo=UTC)


class Losses:
    """How many events were lost, as the journal says."""

    def __init__(self) -> None:
        self.told: Queue[int] = Queue()
        self.count = 0

    def __call__(self, count: int) -> None:
        self.count += count
        self.told.put(count)


def writer(
    directory: Path, losses: Losses | None = None, queue_size: int = 100, worker: int = 3
) -> JournalWriter:
    return JournalWriter(
        directory,
        queue_size=queue_size,
        dropped=losses or Losses(),
        gateway="north",
        worker=worker,
    )


def written(directory: Path, day: str = "2026-11-23") -> list[dict[str, Any]]:
    text = (directory / f"{day}.jsonl").read_text(encoding="utf-8")
    assert text.endswith("\n")
    return [json.loads(line) for line in text.split("\n")[:-1]]


def eventually(true: Callable[[], bool]) -> bool:
    """Wait for what the journal's thread does."""
    pause = threading.Event()
    return any(true() or pause.wait(0.01) for _ in range(2_000))


def keep(directory: Path, *events: tuple[datetime, dict[str, Any]]) -> None:
    """Write some events and end."""
    journal = writer(directory, queue_size=len(events) + 1)
    journal.start()
    for at, record in events:
        journal.tell(at, lambda record=record: record)  # type: ignore[misc]
    journal.stop()


def test_a_line_says_when_where_and_what(tmp_path: Path) -> None:
    keep(tmp_path, (NOON, {"event": "request.decided", "host": "münchen.example\n", "grant": None}))
    [line] = written(tmp_path)
    assert line.pop("id")
    assert line == {
        "ts": "2026-11-23T12:00:00.123+00:00",
        "gateway": "north",
        "worker": 3,
        "event": "request.decided",
        "host": "münchen.example\n",
        "grant": None,
    }


def test_lines_keep_their_order_and_each_has_an_id_of_its_own(tmp_path: Path) -> None:
    keep(tmp_path, *[(NOON, {"n": n}) for n in range(2_500)])
    lines = written(tmp_path)
    assert [line["n"] for line in lines] == list(range(2_500))
    assert len({line["id"] for line in lines}) == 2_500
    assert all(line["id"].startswith("3-") for line in lines)


@pytest.mark.parametrize(
    ("at", "want"),
    [
        (MIDNIGHT - timedelta(microseconds=1), "2026-11-23"),
        (MIDNIGHT, "2026-11-24"),
        (datetime(2026, 6, 1, 0, 30, tzinfo=timezone(timedelta(hours=1))), "2026-05-31"),
    ],
)
def test_a_day_is_a_day_of_universal_time(tmp_path: Path, at: datetime, want: str) -> None:
    keep(tmp_path, (at, {"event": "x"}))
    assert [path.name for path in tmp_path.iterdir()] == [f"{want}.jsonl"]
    assert written(tmp_path, want)[0]["ts"].endswith("+00:00")


def test_events_around_midnight_go_to_their_own_days(tmp_path: Path) -> None:
    before = MIDNIGHT - timedelta(seconds=1)
    keep(tmp_path, (before, {"n": 1}), (MIDNIGHT, {"n": 2}), (before, {"n": 3}))
    assert [line["n"] for line in written(tmp_path, "2026-11-23")] == [1, 3]
    assert [line["n"] for line in written(tmp_path, "2026-11-24")] == [2]


def test_a_later_run_adds_to_the_file_of_the_day(tmp_path: Path) -> None:
    keep(tmp_path, (NOON, {"n": 1}))
    keep(tmp_path, (NOON, {"n": 2}))
    assert [line["n"] for line in written(tmp_path)] == [1, 2]


def test_several_workers_add_whole_lines_to_one_file_each_with_an_id_of_its_own(
    tmp_path: Path,
) -> None:
    journals = [writer(tmp_path, queue_size=20_000, worker=n) for n in (1, 2, 3, 3)]
    for journal in journals:
        journal.start()
    for n in range(5_000):
        for journal in journals:
            journal.tell(NOON, lambda n=n: {"n": n, "host": "h" * (n % 500)})  # type: ignore[misc]
    for journal in journals:
        journal.stop()
    lines = written(tmp_path)
    assert len(lines) == 20_000
    assert len({line["id"] for line in lines}) == 20_000
    assert {line["worker"] for line in lines} == {1, 2, 3}


@pytest.mark.parametrize(
    ("left", "want"),
    [(b"", 0), (b'{"n":0}\n', 1), (b'{"n":0}\n{"ts":"20', 2)],
)
def test_after_half_a_line_of_one_that_was_killed_a_new_line_begins(
    tmp_path: Path, left: bytes, want: int
) -> None:
    file = tmp_path / "2026-11-23.jsonl"
    file.write_bytes(left)
    keep(tmp_path, (NOON, {"n": 1}), (NOON, {"n": 2}))
    lines = file.read_bytes().splitlines()
    assert [json.loads(line)["n"] for line in lines[want:]] == [1, 2]


def test_when_the_disk_is_full_what_got_through_is_whole_and_the_rest_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kernel then writes as much as there is room for."""
    losses = Losses()
    journal = writer(tmp_path, losses)
    room = [150, None]
    write = os.write

    def full(descriptor: int, data: bytes) -> int:
        return write(descriptor, data[: room.pop(0)] if room else data)

    monkeypatch.setattr("schoolgate.monitoring.journal.os.write", full)
    for n in range(3):
        journal.tell(NOON, lambda n=n: {"n": n})  # type: ignore[misc]
    journal.start()
    assert losses.told.get(timeout=20) == 2
    journal.tell(NOON, lambda: {"n": 3})
    journal.stop()
    first, torn, last = (tmp_path / "2026-11-23.jsonl").read_bytes().splitlines()
    assert (json.loads(first)["n"], json.loads(last)["n"]) == (0, 3)
    assert not torn.endswith(b"}")


def test_only_schoolgate_reads_the_journal(tmp_path: Path) -> None:
    directory = tmp_path / "state" / "journal"
    keep(directory, (NOON, {"event": "x"}))
    modes = [stat.S_IMODE(p.stat().st_mode) for p in (directory, directory / "2026-11-23.jsonl")]
    assert modes == [0o700, 0o600]


def test_what_does_not_fit_the_queue_is_counted_and_nobody_waits(tmp_path: Path) -> None:
    losses = Losses()
    journal = writer(tmp_path, losses, queue_size=2)
    for n in range(5):
        journal.tell(NOON, lambda n=n: {"n": n})  # type: ignore[misc]
    assert losses.count == 3
    journal.start()
    journal.stop()
    assert [line["n"] for line in written(tmp_path)] == [0, 1]


def test_a_record_is_made_by_the_journal_not_by_the_one_who_tells(tmp_path: Path) -> None:
    journal = writer(tmp_path)
    journal.start()
    journal.tell(NOON, lambda: {"thread": threading.current_thread().name})
    journal.stop()
    assert written(tmp_path)[0]["thread"] == "journal"


def _raising() -> dict[str, Any]:
    raise ZeroDivisionError("a bug")


def _no_json() -> dict[str, Any]:
    return {"host": object()}


@pytest.mark.parametrize("bad", [_raising, _no_json])
def test_a_record_that_cannot_be_made_is_counted_and_the_rest_is_written(
    tmp_path: Path, bad: Callable[[], dict[str, Any]]
) -> None:
    losses = Losses()
    journal = writer(tmp_path, losses)
    for record in (lambda: {"n": 1}, bad, lambda: {"n": 2}):
        journal.tell(NOON, record)
    journal.start()
    journal.stop()
    assert [line["n"] for line in written(tmp_path)] == [1, 2]
    assert losses.count == 1


def test_a_record_that_cannot_be_made_leaves_no_file_open(tmp_path: Path) -> None:
    losses = Losses()
    journal = writer(tmp_path, losses)
    journal.start()
    journal.tell(NOON, lambda: {"n": 1})
    assert eventually(lambda: bool(list(tmp_path.glob("*.jsonl"))))
    journal.tell(NOON, _raising)
    assert losses.told.get(timeout=20) == 1
    journal.tell(NOON, lambda: {"n": 3})
    journal.stop()
    assert [line["n"] for line in written(tmp_path)] == [1, 3]


def test_a_disk_that_fails_is_told_counted_and_used_again_when_it_is_back(tmp_path: Path) -> None:
    directory, losses = tmp_path / "journal", Losses()
    journal = writer(directory, losses)
    journal.start()
    assert journal.faults() == []
    directory.rmdir()
    journal.tell(NOON, lambda: {"n": 1})
    assert losses.told.get(timeout=20) == 1
    assert eventually(lambda: bool(journal.faults()))  # it says so just after it has counted
    assert journal.faults() == [f"The journal in {directory} is not being written."]
    directory.mkdir()
    journal.tell(NOON, lambda: {"n": 2})
    assert eventually(lambda: journal.faults() == [])
    journal.stop()
    assert [line["n"] for line in written(directory)] == [2]


def test_a_journal_that_has_ended_or_never_began_is_a_fault(tmp_path: Path) -> None:
    journal = writer(tmp_path)
    fault = [f"The journal in {tmp_path} is not being written."]
    assert journal.faults() == fault
    journal.start()
    assert journal.faults() == []
    journal.stop()
    assert journal.faults() == fault


@pytest.mark.parametrize("below", ["", "journal"])
def test_a_directory_that_cannot_be_made_stops_the_start(tmp_path: Path, below: str) -> None:
    file = tmp_path / "file"
    file.write_text("")
    journal = writer(file / below)
    with pytest.raises(OSError, match=r"Not a directory|File exists"):
        journal.start()
    journal.stop()


def test_ending_what_never_began_does_nothing(tmp_path: Path) -> None:
    journal = writer(tmp_path / "journal")
    journal.stop()
    assert not (tmp_path / "journal").exists()
