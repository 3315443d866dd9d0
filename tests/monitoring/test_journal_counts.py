"""Counts say of which table they are."""

from pathlib import Path

from schoolgate.monitoring.journal_counts import are_of, write_counts
from schoolgate.monitoring.journal_tables import Facts, write_table


def test_counts_are_of_the_table_as_it_is(tmp_path: Path) -> None:
    rows = [{"ts": 1, "run": "a", "seq": 1, "event": "request.decided", "user": "tom"}]
    table = write_table(rows, [], Facts(), tmp_path).rename(tmp_path / "2026-11-23.parquet")
    counts = write_counts(table, tmp_path)
    assert are_of(counts, table)
    write_table(rows * 2, [], Facts(), tmp_path).rename(table)
    assert not are_of(counts, table)
