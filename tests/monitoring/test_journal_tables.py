"""Tables: what goes in comes out, sorted by person, small, and what they say of themselves."""

from functools import partial
from pathlib import Path

import pytest

from schoolgate.core.errors import UnavailableError
from schoolgate.monitoring import journal_tables
from schoolgate.monitoring.journal_slices import slices
from schoolgate.monitoring.journal_tables import (
    Facts,
    connected,
    facts_of,
    rewrite_table,
    rows_by_time,
    rows_of,
    write_table,
)

FACTS = Facts(("0123abcd",), 'it\'s "kept"')


def row(user: str, seq: int, **more: object) -> dict[str, object]:
    return {"ts": 1_000 + seq, "run": "1-a", "seq": seq, "user": user, **more}


def test_rows_come_back_by_person_and_time(tmp_path: Path) -> None:
    rows = [row("b", 1, path="/ż\0"), row("a", 3), row("b", 0, rest="{}"), row("a", 2)]
    made = write_table(rows, [], FACTS, tmp_path)
    assert list(rows_of([made])) == [rows[3], rows[1], rows[2], rows[0]]
    assert list(rows_of([made], "seq > ?", [1], "ORDER BY seq DESC LIMIT 1")) == [rows[1]]
    assert facts_of(made) == FACTS
    assert list(rows_of([])) == []


def test_a_table_takes_in_another_and_no_line_twice(tmp_path: Path) -> None:
    made = write_table([row("a", 1), row("a", 2)], [], FACTS, tmp_path)
    first = made.rename(tmp_path / "first")
    more = write_table([row("a", 2), row("a", 3)], [first], Facts(), tmp_path)
    assert [each["seq"] for each in rows_of([more])] == [1, 2, 3]
    assert len(list(rows_of([first, more]))) == 5


def test_a_table_is_made_anew_without_rows_and_values(tmp_path: Path) -> None:
    made = write_table([row("a", 1, path="/x"), row("b", 2, path="/y")], [], FACTS, tmp_path)
    place = made.rename(tmp_path / "2026-11-23.parquet")
    new, count = rewrite_table(place, {"path": "NULL"}, '"user" = ?', ["b"], FACTS, tmp_path)
    assert (list(rows_of([new])), count) == ([row("b", 2)], 1)
    nothing, count = rewrite_table(place, {}, "false", [], FACTS, tmp_path)
    assert (list(rows_of([nothing])), count) == ([], 0)


def test_a_table_larger_than_the_memory_is_made_slice_by_slice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_tables, "slices", partial(slices, rows=2))
    rows = [row(user, seq) for seq, user in enumerate("bcabacabba")]
    made = write_table(rows, [], FACTS, tmp_path)
    by_person = sorted(rows, key=lambda one: (one["user"], one["seq"]))
    assert list(rows_of([made])) == by_person
    assert list(rows_by_time([made])) == rows
    assert list(rows_by_time([made], '"user" = ?', ["b"])) == [r for r in rows if r["user"] == "b"]
    assert list(rows_by_time([])) == []
    place = made.rename(tmp_path / "2026-11-23.parquet")
    new, count = rewrite_table(place, {}, '"user" <> ?', ["b"], FACTS, tmp_path)
    assert list(rows_of([new])) == [r for r in by_person if r["user"] != "b"]
    assert count == 6
    # Without names it is by time.
    new, _ = rewrite_table(place, {"user": "NULL"}, "true", [], FACTS, tmp_path)
    assert [each["seq"] for each in rows_of([new])] == list(range(10))
    assert [path.name for path in tmp_path.glob("slice-*")] == []


def test_no_rows_are_a_table_too(tmp_path: Path) -> None:
    assert list(rows_of([write_table([], [], FACTS, tmp_path)])) == []


def test_what_is_no_table_is_told_in_a_sentence(tmp_path: Path) -> None:
    broken = tmp_path / "it's.parquet"
    broken.write_bytes(b"PAR1 not")
    with pytest.raises(UnavailableError, match="closed days of the journal cannot be used"):
        list(rows_of([broken]))


def test_nothing_is_fetched_from_anywhere() -> None:
    with connected() as duck:
        said = duck.execute(
            "SELECT name, value FROM duckdb_settings() WHERE name LIKE '%known_extensions'"
        ).fetchall()
    assert {value for _, value in said} == {"false"}
