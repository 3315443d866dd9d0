"""Counts say of which table they are."""

from pathlib import Path

from schoolgate.monitoring.journal_counts import (
    are_of,
    true_counts,
    unlisted_hosts,
    write_counts,
)
from schoolgate.monitoring.journal_tables import Facts, connected, write_table


def test_counts_are_of_the_table_as_it_is(tmp_path: Path) -> None:
    rows = [{"ts": 1, "run": "a", "seq": 1, "event": "request.decided", "user": "tom"}]
    table = write_table(rows, [], Facts(), tmp_path).rename(tmp_path / "2026-11-23.parquet")
    counts = write_counts(table, tmp_path)
    assert are_of(counts, table)
    write_table(rows * 2, [], Facts(), tmp_path).rename(table)
    assert not are_of(counts, table)


def test_of_several_those_are_true_whose_table_is_as_it_was(tmp_path: Path) -> None:
    kept = dict[Path, Path]()
    for name in ("it's one", "two"):
        rows = [{"ts": 1, "run": "a", "seq": 1, "event": "request.decided"}]
        table = write_table(rows, [], Facts(), tmp_path).rename(tmp_path / f"{name}.parquet")
        kept[write_counts(table, tmp_path).rename(tmp_path / f"{name}.counts")] = table
    first, second = kept
    with connected() as duck:
        assert true_counts(duck, kept) == {first, second}
        kept[first].write_bytes(kept[first].read_bytes() + b"more")
        assert true_counts(duck, kept) == {second}
        assert true_counts(duck, {}) == set()


def test_the_hosts_that_no_list_knows_are_those_that_somebody_reached(tmp_path: Path) -> None:
    decided = {"ts": 1, "run": "a", "event": "request.decided", "verdict": "allow"}
    rows = [
        {**decided, "seq": 1, "host": "new.test"},
        {**decided, "seq": 2, "host": "new.test"},
        {**decided, "seq": 3, "host": "listed.test", "category": "games"},
        {**decided, "seq": 4, "host": "closed.test", "verdict": "block"},
        {**decided, "seq": 5},
    ]
    table = write_table(rows, [], Facts(), tmp_path).rename(tmp_path / "2026-11-23.parquet")
    counts = write_counts(table, tmp_path)
    assert unlisted_hosts([counts]) == ["new.test"]
    assert unlisted_hosts([]) == []
