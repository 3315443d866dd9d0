"""Files of the journal: told apart by their names, taken from the workers, and changed by one alone."""

import stat
import threading
from datetime import date
from functools import partial
from pathlib import Path

import pytest

from schoolgate.core.errors import RefusedError
from schoolgate.monitoring import JournalWriter
from schoolgate.monitoring.journal_files import (
    day_files,
    days_of,
    keeping,
    put_in_place,
    set_aside,
)
from tests.gateway import eventually
from tests.school import NOON

DAY = date(2026, 11, 23)


def test_files_are_told_apart_by_their_names(tmp_path: Path) -> None:
    for name in (
        "2026-11-23.jsonl", "2026-11-23.parquet", "2026-11-23.0123abcd.closing", "2026-11-22.parquet",
        "2026-13-01.jsonl", "notes.txt", "2026-11-23.jsonl.gz", ".keep.lock", "2026-11-23.x.closing",
    ):  # fmt: skip
        (tmp_path / name).touch()
    before, day = days_of(tmp_path)
    assert (before.day, before.written, before.closing) == (date(2026, 11, 22), None, {})
    assert day.written == tmp_path / "2026-11-23.jsonl"
    assert day.table == tmp_path / "2026-11-23.parquet"
    assert day.closing == {"0123abcd": tmp_path / "2026-11-23.0123abcd.closing"}
    assert day_files(tmp_path, date(2026, 1, 1)).table is None
    assert days_of(tmp_path / "nowhere") == []


def test_lines_that_are_taken_away_lose_no_line_of_a_writer(tmp_path: Path) -> None:
    """However often its file goes, each line that was told is in one of the files, once."""
    writer = JournalWriter(
        tmp_path, queue_size=100_000, dropped=lambda _: None, gateway="g", worker=1
    )
    writer.start()
    ending = threading.Event()

    def take() -> None:
        while not ending.is_set():
            set_aside(tmp_path, DAY)

    taking = threading.Thread(target=take)
    taking.start()
    try:
        for number in range(3000):
            writer.tell(NOON, partial(dict, event="x", number=number))
            if number % 100 == 0:
                assert eventually(lambda: writer.waiting == 0)
        assert eventually(lambda: writer.waiting == 0)
    finally:
        writer.stop()
        ending.set()
        taking.join()
    lines = b"".join(path.read_bytes() for path in tmp_path.iterdir()).splitlines()
    numbers = sorted(int(line.rpartition(b":")[2][:-1]) for line in lines)
    assert numbers == list(range(3000))
    assert len(list(tmp_path.glob("*.closing"))) > 1


def test_nothing_is_taken_where_nothing_is(tmp_path: Path) -> None:
    assert set_aside(tmp_path, DAY) is None


def test_one_alone_keeps_the_journal_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / ".keep").mkdir()
    (tmp_path / ".keep" / "of one that was killed").touch()
    with keeping(tmp_path) as aside:
        assert list(aside.iterdir()) == []
        assert stat.S_IMODE(aside.stat().st_mode) == 0o700
        (aside / "made").write_text("x")
        with pytest.raises(RefusedError, match="wait for it"), keeping(tmp_path):
            pass
        put_in_place(aside / "made", tmp_path / "2026-11-23.parquet")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".keep.lock", "2026-11-23.parquet"]
    assert stat.S_IMODE((tmp_path / "2026-11-23.parquet").stat().st_mode) == 0o600
