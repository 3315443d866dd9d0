"""Journals of many gateways in tables: each line once, whatever comes when, whenever it is killed."""

import json
import os
import random
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schoolgate.core.errors import RefusedError
from schoolgate.core.shipment import Shipment
from schoolgate.monitoring import journal_gathered_ledger
from schoolgate.monitoring.journal_gathered import Gathered

pytestmark = pytest.mark.long
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
DAY = "2026-11-23.jsonl#1"


def shipment(first: int, last: int, source: str = DAY, **more: Any) -> Shipment:
    """Give lines ``first`` to ``last`` of a file in which each has ten bytes."""
    lines = [
        json.dumps(
            {"ts": f"2026-11-23T{10 + n % 2}:30:00.000+00:00", "id": f"{source}-{n}", **more}
        )
        for n in range(first, last)
    ]
    ends = [10 * n + 10 for n in range(first, last)]
    return Shipment(source, 10 * first, 10 * last, ends, [line.encode() for line in lines])


def rows(directory: Path, what: str = "*", more: str = "") -> list[tuple[Any, ...]]:
    if not list(directory.glob("school=*/**/*.parquet")):
        return []
    asked = f"FROM read_parquet('{directory}/school=*/*/*/*.parquet', hive_partitioning = true)"
    with duckdb.connect() as duck:
        return duck.execute(f"SELECT {what} {asked} {more}").fetchall()


def ids(directory: Path) -> Counter[str]:
    return Counter(one for (one,) in rows(directory, "id"))


def numbers(first: int, last: int) -> Counter[str]:
    return Counter(f"{DAY}-{n}" for n in range(first, last))


def test_a_line_is_in_the_table_of_its_school_and_hour(tmp_path: Path) -> None:
    gathered = Gathered(tmp_path)
    one = shipment(
        0, 2, verdict="block", status=403, gateway="other", school="other", brand_new={"a": 1}
    )
    gathered.add("hermitage", "gw1", one, NOON)
    assert gathered.write() == 2
    found = rows(tmp_path, "school, gateway, day, hour, ts, verdict, status, rest", "ORDER BY ts")
    rest = '{"brand_new":{"a":1},"school":"other"}'
    assert [(school, gateway, str(day), int(hour)) for school, gateway, day, hour, *_ in found] == [
        ("hermitage", "gw1", "2026-11-23", 10), ("hermitage", "gw1", "2026-11-23", 11)
    ]  # fmt: skip
    assert [one[5:] for one in found] == [("block", 403, rest)] * 2
    assert found[0][4].isoformat() == "2026-11-23T10:30:00"
    gathered.close()


@given(
    pieces=st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12), st.booleans()), max_size=12)
)
@settings(max_examples=6, deadline=None)
def test_whatever_comes_how_often_each_line_is_there_once(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[tuple[int, int, bool]]
) -> None:
    directory = tmp_path_factory.mktemp("gathered")
    gathered, want = Gathered(directory), Counter[str]()
    for first, last, is_written in pieces:
        gathered.add("hermitage", "gw1", shipment(first, last), NOON)
        want |= numbers(first, last)
        if is_written:
            gathered.write()
    gathered.write()
    assert ids(directory) == want
    gathered.close()


def test_the_same_file_of_another_gateway_is_another(tmp_path: Path) -> None:
    gathered = Gathered(tmp_path)
    for school, gateway in (("a", "gw1"), ("a", "gw2"), ("b", "gw1")):
        gathered.add(school, gateway, shipment(0, 1), NOON)
    gathered.add("a", "gw1", shipment(0, 1, "2026-11-23.jsonl#2"), NOON)
    assert gathered.write() == 4
    gathered.close()


@pytest.mark.parametrize(
    ("ts", "want"),
    [
        ("2026-11-23T10:59:59.999+00:00", "2026-11-23 10"),
        ("2026-11-23T00:30:00+01:00", "2026-11-22 23"),
        ("2026-10-01T10:00:00+00:00", "2026-10-01 10"),
        ("9999-12-31T23:00:00+00:00", "2026-11-23 12"),
        ("1970-01-01T00:00:00+00:00", "2026-11-23 12"),
        ("../../etc", "2026-11-23 12"),
        ("infinity", "2026-11-23 12"),
        ("2026-11-23T10:30:00", "2026-11-23 10"),
        ("2026-11-23T10:30:00Z", "2026-11-23 10"),
        ("2026-11-23T99:30:00Z", "2026-11-23 12"),
        (17, "2026-11-23 12"),
        (None, "2026-11-23 12"),
    ],
)
def test_a_clock_that_is_wrong_makes_no_days_of_its_own(
    tmp_path: Path, ts: object, want: str
) -> None:
    gathered = Gathered(tmp_path)
    line = json.dumps({"ts": ts, "status": "none", "host": ["x"]}).encode()
    gathered.add("a", "gw1", Shipment(DAY, 0, 10, [10], [line]), NOON)
    gathered.write()
    [(day, hour)] = rows(tmp_path, "day, hour")
    assert f"{day} {int(hour):02}" == want
    gathered.close()


@pytest.mark.parametrize("line", [b"{", b"[]", b"null", b'{"id": "\\ud800"}', b"\xff", b""])
def test_a_line_that_is_none_is_counted_and_holds_nobody_up(tmp_path: Path, line: bytes) -> None:
    gathered = Gathered(tmp_path)
    gathered.add("a", "gw1", Shipment(DAY, 0, 20, [10, 20], [line, b'{"id":"x"}']), NOON)
    assert gathered.write() == 1
    assert (gathered.tally.none, gathered.tally.events) == (1, {("a", "gw1"): 1})
    gathered.close()


def test_who_says_that_a_line_is_of_another_school_is_not_believed(tmp_path: Path) -> None:
    gathered = Gathered(tmp_path)
    lines = [b'{"_school":"b","_gateway":"x","id":"1"}', b'{"school":"b","id":"2"}', b"{"]
    gathered.add("a", "gw1", Shipment(DAY, 0, 30, [10, 20, 30], lines, frozenset({"id"})), NOON)
    gathered.add("b", "gw2", Shipment(DAY, 0, 10, [10], [b'{"id":"3"}'], frozenset({"id"})), NOON)
    assert gathered.write() == 3
    assert rows(tmp_path, "school, gateway, id", "ORDER BY id") == [
        ("a", "gw1", "1"), ("a", "gw1", "2"), ("b", "gw2", "3")
    ]  # fmt: skip
    assert gathered.tally.events == {("a", "gw1"): 2, ("b", "gw2"): 1}
    assert gathered.tally.none == 1
    gathered.close()


def test_what_never_came_is_known(tmp_path: Path) -> None:
    gathered = Gathered(tmp_path)
    gathered.add("a", "gw1", shipment(0, 2), NOON)
    gathered.add("a", "gw1", shipment(5, 6), NOON)
    gathered.write()
    assert gathered.missing() == {("a", "gw1"): 30}
    gathered.add("a", "gw1", shipment(2, 5), NOON)
    gathered.write()
    assert gathered.missing() == {("a", "gw1"): 0}
    gathered.close()


def test_many_tables_of_an_hour_become_one_once_its_day_is_over(tmp_path: Path) -> None:
    gathered = Gathered(tmp_path)
    for n in range(6):
        gathered.add("a", "gw1", shipment(n, n + 1), NOON)
        gathered.write()
    hour = tmp_path / "school=a/day=2026-11-23/hour=10"
    assert gathered.join(date(2026, 11, 23), 100) == 0
    assert len(list(hour.iterdir())) == 3
    assert gathered.join(date(2026, 11, 24), 1) == 1
    assert gathered.join(date(2026, 11, 24), 100) == 1
    assert len(list(hour.iterdir())) == 1
    assert gathered.join(date(2026, 11, 24), 100) == 0
    assert ids(tmp_path) == numbers(0, 6)
    assert {str(day) for (day,) in rows(tmp_path, "day")} == {"2026-11-23"}
    gathered.close()


def test_one_process_writes(tmp_path: Path) -> None:
    gathered = Gathered(tmp_path)
    with pytest.raises(RefusedError):
        Gathered(tmp_path)
    gathered.close()
    Gathered(tmp_path).close()


class Killed(BaseException):
    """Whoever wrote is no more."""


class Counting:
    """Kills before one of the steps on the disk."""

    def __init__(self, after: int) -> None:
        self.left = after

    def step(self) -> None:
        self.left -= 1
        if self.left == 0:
            raise Killed

    def before[**P, R](self, what: Callable[P, R]) -> Callable[P, R]:
        def counted(*given: P.args, **more: P.kwargs) -> R:
            self.step()
            return what(*given, **more)

        return counted


def test_killed_before_any_step_on_the_disk_nothing_is_lost_or_doubled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every place where it syncs, renames or removes is one where it is killed once."""
    chance, sent, after, is_done = random.Random(1), 0, 0, False
    while not is_done:
        after += 1
        gathered, counting = Gathered(tmp_path), Counting(after)
        first = max(0, sent - chance.randint(0, 3))
        sent += 2
        with monkeypatch.context() as patched, suppress(Killed):
            for where, name in ((Path, "replace"), (Path, "unlink"), (os, "fsync")):
                patched.setattr(where, name, counting.before(getattr(where, name)))
            gathered.add("a", "gw1", shipment(first, sent), NOON)
            gathered.write()
            gathered.join(date(2026, 11, 24), 100)
            is_done = True
        gathered.close()
        # What was not acknowledged comes again.
        again = Gathered(tmp_path)
        again.add("a", "gw1", shipment(first, sent), NOON)
        again.write()
        again.close()
        assert ids(tmp_path) == numbers(0, sent)
    assert after > 8
    assert not list((tmp_path / journal_gathered_ledger.ASIDE).rglob("*.parquet"))
