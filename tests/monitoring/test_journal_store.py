"""The journal as a whole: closing, forgetting and erasing, whatever happens in between."""

import errno
import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from schoolgate.core.errors import RefusedError, UnavailableError
from schoolgate.monitoring import journal_store
from schoolgate.monitoring.journal_files import keeping, set_aside
from schoolgate.monitoring.journal_names import Pseudonyms
from schoolgate.monitoring.journal_retention import Held, Retention
from schoolgate.monitoring.journal_store import JournalStore
from schoolgate.monitoring.journal_tables import facts_of

DAY = date(2026, 11, 23)
NEXT = datetime(2026, 11, 24, 3, tzinfo=UTC)
FOR_EVER = Retention(36_500)


class Journal:
    """A journal in a directory, and lines for it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.store = JournalStore(directory, lambda: Pseudonyms(b"k" * 64))
        self._sequence = 0

    def write(self, *users: str | None, **more: Any) -> None:
        """Write a line of each of some users."""
        with (self.directory / f"{more.pop('day', DAY)}.jsonl").open("a") as lines:
            for user in users:
                self._sequence += 1
                record = {
                    "ts": f"{DAY}T10:00:{self._sequence % 60:02}.000+00:00", "id": f"1-a-{self._sequence}",
                    "event": "request.decided", "user": user, "host": f"{user}.example",
                    "scheme": "https", "url": f"https://{user}.example/of-{user}", **more,
                }  # fmt: skip
                lines.write(json.dumps(record) + "\n")

    def users(self, day: date = DAY) -> list[str]:
        return [json.loads(line)["user"] for line in self.store.lines(day)]

    def names(self) -> list[str]:
        return sorted(p.name.rpartition(".")[2] for p in self.directory.glob("2*[!s]"))

    def bytes(self) -> bytes:
        return b"".join(path.read_bytes() for path in self.directory.rglob("*") if path.is_file())


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path)


def test_a_closed_day_has_the_same_lines_and_no_names(journal: Journal) -> None:
    journal.write("tom", "ann", "tom")
    before = [json.loads(line) for line in journal.store.lines(DAY)]
    kept = journal.store.keep(NEXT, FOR_EVER)
    assert (kept.closed, kept.unreadable, kept.forgotten) == ([DAY], 0, [])
    assert journal.names() == ["parquet"]
    assert [json.loads(line) for line in journal.store.lines(DAY)] == before
    assert b'"tom"' not in journal.bytes()
    assert journal.store.keep(NEXT, FOR_EVER).closed == []


def test_today_is_left_alone_and_so_are_lines_that_have_just_come(journal: Journal) -> None:
    journal.write("tom")
    assert journal.store.keep(NEXT - timedelta(hours=4), FOR_EVER).closed == []
    at = datetime.now(UTC) + timedelta(days=400)
    journal.write("ann", day=at.date() - timedelta(days=1))
    assert journal.store.keep(at, FOR_EVER, quiet_seconds=500 * 86_400).closed == []
    assert journal.names() == ["jsonl", "jsonl"]


def test_lines_that_come_late_come_in_later_and_once(journal: Journal) -> None:
    journal.write("tom")
    journal.store.keep(NEXT, FOR_EVER)
    journal.write("ann")
    assert journal.users() == ["tom", "ann"]
    journal.store.keep(NEXT, FOR_EVER)
    assert journal.users() == ["tom", "ann"]
    assert journal.names() == ["parquet"]


def test_what_is_no_line_is_counted(journal: Journal) -> None:
    journal.write("tom")
    with (journal.directory / f"{DAY}.jsonl").open("a") as lines:
        lines.write('no line\n\n{"ts":"2026-11-2')
    assert journal.store.keep(NEXT, FOR_EVER).unreadable == 2
    assert journal.users() == ["tom"]


def test_killed_before_the_lines_are_gone_nothing_counts_twice(journal: Journal) -> None:
    journal.write("tom", "ann")
    left = set_aside(journal.directory, DAY)
    assert left is not None
    text = left.read_text()
    journal.store.keep(NEXT, FOR_EVER)
    left.write_text(text)
    assert journal.users() == ["tom", "ann"]
    journal.write("eve")
    journal.store.keep(NEXT, FOR_EVER)
    assert journal.users() == ["tom", "ann", "eve"]
    assert journal.names() == ["parquet"]


@pytest.mark.parametrize("step", ["write_table", "put_in_place", "sync"])
def test_whatever_fails_on_the_way_loses_nothing(
    journal: Journal, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    journal.write("tom")
    journal.store.keep(NEXT, FOR_EVER)
    journal.write("ann")
    with monkeypatch.context() as patched:
        patched.setattr(journal_store, step, full)
        with pytest.raises(UnavailableError, match="No space left"):
            journal.store.keep(NEXT, FOR_EVER)
    assert journal.users() == ["tom", "ann"]
    assert not (journal.directory / ".keep").exists()
    journal.store.keep(NEXT, FOR_EVER)
    assert journal.users() == ["tom", "ann"]
    assert journal.names() == ["parquet"]


def after(days: int) -> datetime:
    return datetime(2026, 11, 23, 12, tzinfo=UTC) + timedelta(days=days)


def test_fields_and_lines_are_forgotten_in_their_time(journal: Journal) -> None:
    rules = Retention(400, {"gambling": 30, "illegal": 2190}, {"url": 180, "user": 200})
    journal.write("tom", search="words")
    journal.write("ann", category="gambling")
    journal.write("eve", category="illegal")
    assert journal.store.keep(after(1), rules).forgotten == []
    assert journal.users() == ["tom", "ann", "eve"]
    assert journal.store.keep(after(31), rules).forgotten == [DAY]
    assert journal.users() == ["tom", "eve"]
    assert journal.store.keep(after(32), rules).forgotten == []
    journal.store.keep(after(181), rules)
    assert [record.get("url") for record in journal.store.closed_records(DAY)] == [None, None]
    journal.store.keep(after(201), rules)
    assert all("user" not in record for record in journal.store.closed_records(DAY))
    journal.store.keep(after(401), rules)
    assert [record["category"] for record in journal.store.closed_records(DAY)] == ["illegal"]
    journal.store.keep(after(2191), rules)
    assert journal.names() == []


@pytest.mark.parametrize(
    ("held", "left"),
    [
        (Held(1, "user", "tom", DAY, None), ["tom"]),
        (Held(1, "everyone", "", DAY, DAY), ["tom", "ann"]),
        (Held(1, "user", "tom", DAY + timedelta(days=1), None), []),
        (Held(1, "device", "tom", DAY, None), []),
    ],
)
def test_what_is_held_is_not_deleted_until_it_is_lifted(
    journal: Journal, held: Held, left: list[str]
) -> None:
    rules = Retention(30, {}, {"url": 10})
    journal.write("tom", "ann")
    journal.store.keep(after(40), rules, [held])
    assert journal.users() == left
    records = list(journal.store.closed_records(DAY))
    assert all(record["url"].endswith(f"/of-{record['user']}") for record in records)
    assert journal.store.keep(after(41), rules, [held]).forgotten == []
    journal.store.keep(after(42), rules)
    assert journal.names() == []


def test_who_is_erased_is_in_no_file(journal: Journal) -> None:
    """Of today, of lines that wait and of closed days; the others stay as they were."""
    journal.write("tom", "ann", "tom")
    journal.store.keep(NEXT, FOR_EVER)
    journal.write("tom", "eve")
    journal.write("tom", "bob", day=DAY + timedelta(days=1))
    journal.write("kim", "tom", day=DAY + timedelta(days=1))
    with (journal.directory / f"{DAY}.jsonl").open("a") as lines:
        lines.write('{"user":"tom","torn')
    pseudonym = Pseudonyms(b"k" * 64).of("user", "tom")
    assert pseudonym.encode() in journal.bytes()
    assert journal.store.erase({"user": "tom"}) == 6
    assert b"tom" not in journal.bytes()
    assert pseudonym.encode() not in journal.bytes()
    assert journal.users() == ["ann", "eve"]
    assert journal.users(DAY + timedelta(days=1)) == ["bob", "kim"]
    assert journal.store.erase({"user": "tom"}) == 0
    # The workers go on with a file of their own.
    journal.write("zoe", day=DAY + timedelta(days=1))
    journal.store.keep(NEXT + timedelta(days=1), FOR_EVER)
    assert journal.users(DAY + timedelta(days=1)) == ["bob", "kim", "zoe"]
    assert facts_of(journal.directory / f"{DAY}.parquet").merged


def test_whose_records_are_given(journal: Journal) -> None:
    journal.write("tom", client="10.9.0.7", device="tablet-1")
    journal.write("ann", client="10.9.0.7", device="tablet-1")
    journal.write(None, client="10.9.0.7", device="tablet-1", host="device.example")
    journal.write(None, client="10.9.0.7", host="address.example")
    journal.store.keep(NEXT, FOR_EVER)

    def hosts(**who: str) -> list[str]:
        return [record["host"] for record in journal.store.closed_records(DAY, who, 10)]

    assert hosts(user="tom") == ["tom.example"]
    assert hosts(device="tablet-1") == ["device.example"]
    assert hosts(client="10.9.0.7") == ["address.example"]
    assert hosts(user="tom", device="tablet-1") == ["device.example", "tom.example"]
    assert hosts() == []


@pytest.mark.parametrize(
    "done", [lambda s: s.keep(NEXT, FOR_EVER), lambda s: s.erase({"user": "tom"})]
)
def test_two_do_not_keep_it_at_once(
    journal: Journal, done: Callable[[JournalStore], object]
) -> None:
    journal.write("tom")
    with keeping(journal.directory), pytest.raises(RefusedError, match="wait for it"):
        done(journal.store)
    assert journal.users() == ["tom"]


def test_a_journal_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    (tmp_path / "journal").touch()
    store = Journal(tmp_path / "journal" / "x").store
    with pytest.raises(UnavailableError, match="cannot be used"):
        store.keep(NEXT, FOR_EVER)
    (tmp_path / f"{DAY}.parquet").write_bytes(b"no table")
    with pytest.raises(UnavailableError, match="closed days"):
        list(Journal(tmp_path).store.lines(DAY))
