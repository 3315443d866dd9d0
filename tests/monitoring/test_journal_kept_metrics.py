"""The figures of the journal's files: days that nobody closed are counted, sizes are added up."""

from datetime import date
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from schoolgate.monitoring import journal_kept_metrics
from schoolgate.monitoring.journal_kept_metrics import JournalKeptFigures

TODAY = date(2026, 11, 23)
UNCLOSED, BYTES = "schoolgate_journal_unclosed", "schoolgate_journal_bytes"


def shown(directory: Path) -> CollectorRegistry:
    registry = CollectorRegistry()
    registry.register(JournalKeptFigures(directory, lambda: TODAY))
    return registry


def put(directory: Path, sizes: dict[str, int]) -> None:
    for name, size in sizes.items():
        (directory / name).write_bytes(bytes(size))


@pytest.mark.parametrize(
    ("files", "unclosed"),
    [
        ((), 0),
        (("2026-11-23.jsonl", "2026-11-22.jsonl"), 0),
        (("2026-11-21.parquet", "2026-11-20.parquet"), 0),
        # Of a day that is closed lines came late, or it never was.
        (("2026-11-21.parquet", "2026-11-21.jsonl"), 1),
        (("2026-11-21.jsonl", "2026-11-20.0123abcd.closing", "2026-11-20.parquet"), 2),
        (("notes.txt",), 0),
    ],
)
def test_what_is_to_be_closed_the_day_after_is_late_on_the_next(
    tmp_path: Path, files: tuple[str, ...], unclosed: int
) -> None:
    put(tmp_path, dict.fromkeys(files, 1))
    assert shown(tmp_path).get_sample_value(UNCLOSED) == unclosed


def test_what_lies_on_the_disk_is_added_up_by_its_form(tmp_path: Path) -> None:
    sizes = {
        "2026-11-23.jsonl": 500,
        "2026-11-22.0123abcd.closing": 200,
        "2026-11-21.parquet": 40,
        "2026-11-20.parquet": 30,
        "2026-11-21.counts": 7,
    }
    put(tmp_path, sizes)
    found = shown(tmp_path)
    bytes_of = {
        form: found.get_sample_value(BYTES, {"form": form})
        for form in ("lines", "tables", "counts")
    }
    assert bytes_of == {"lines": 700, "tables": 70, "counts": 7}


def test_a_file_that_goes_while_it_is_looked_at_counts_nothing(tmp_path: Path) -> None:
    (tmp_path / "2026-11-23.jsonl").symlink_to(tmp_path / "gone")
    assert shown(tmp_path).get_sample_value(BYTES, {"form": "lines"}) == 0


def test_before_the_first_line_nothing_is_late(tmp_path: Path) -> None:
    assert shown(tmp_path / "journal").get_sample_value(UNCLOSED) == 0


def test_a_directory_that_cannot_be_read_has_no_figures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: Path) -> list[object]:
        raise PermissionError

    monkeypatch.setattr(journal_kept_metrics, "days_of", refuse)
    assert shown(tmp_path).get_sample_value(UNCLOSED) is None
