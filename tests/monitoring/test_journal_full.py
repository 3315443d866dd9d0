"""A full disk: what cannot be written is counted, what was there stays whole, and room lets it go on."""

import json
import os
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from schoolgate.core.errors import UnavailableError
from schoolgate.monitoring import JournalWriter
from schoolgate.monitoring.journal_names import Pseudonyms
from schoolgate.monitoring.journal_retention import Retention
from schoolgate.monitoring.journal_store import JournalStore
from tests import disks
from tests.gateway import eventually
from tests.school import NOON

pytestmark = pytest.mark.long
DAY, NEXT = NOON.date(), NOON + timedelta(days=1)
_SIZE = 1_200_000


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A file system of a megabyte."""
    with disks.small(tmp_path / "small", _SIZE) as place:
        yield place


def store(place: Path) -> JournalStore:
    return JournalStore(place, lambda: Pseudonyms(b"k" * 64))


def test_lines_are_counted_as_lost_and_come_again_when_there_is_room(small: Path) -> None:
    lost = list[int]()
    writer = JournalWriter(small, queue_size=100_000, dropped=lost.append, gateway="g", worker=1)
    writer.start()
    try:
        for number in range(20_000):
            writer.tell(NOON, partial(dict, event="x", user="tom", number=number))
        assert eventually(lambda: writer.waiting == 0 and sum(lost) > 0)
        assert eventually(lambda: writer.faults() != [])
        file = small / f"{DAY}.jsonl"
        os.truncate(file, 100_000)
        writer.tell(NOON, partial(dict, event="last"))
        assert eventually(lambda: b'"event":"last"' in file.read_bytes())
        assert writer.faults() == []
    finally:
        writer.stop()
    whole = [json.loads(line) for line in file.read_bytes().splitlines() if line.endswith(b"}")]
    assert whole[-1]["event"] == "last"


def test_a_day_that_finds_no_room_stays_as_it_was(small: Path) -> None:
    lines = [
        json.dumps({"ts": NOON.isoformat(timespec="milliseconds"), "id": f"1-a-{n}", "event": "x",
                    "user": os.urandom(9).hex(), "host": os.urandom(30).hex()})
        for n in range(4_000)
    ]  # fmt: skip
    file = small / f"{DAY}.jsonl"
    file.write_text("".join(f"{line}\n" for line in lines))
    with pytest.raises(UnavailableError):
        store(small).keep(NEXT, Retention(400))
    assert sorted(json.loads(line)["id"] for line in store(small).lines(DAY)) == sorted(
        json.loads(line)["id"] for line in lines
    )
    assert not list(small.glob(".keep/*"))
    assert not list(small.glob("*.parquet"))
    # There is room.
    subprocess.run(["mount", "-o", "remount,size=20000000", str(small)], check=True)
    assert store(small).keep(datetime.now(UTC) + timedelta(days=400), Retention(36_500)).closed
    assert len(list(store(small).lines(DAY))) == 4_000
