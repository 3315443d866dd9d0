"""The clock against what has been already, and room on the disks."""

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from schoolgate.services.vital_signs import clock, disks, is_clock_set, last_of_journal

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
WEEK = timedelta(days=7)


@pytest.mark.parametrize(
    ("witness", "is_set", "ok", "note", "words"),
    [
        (NOW - WEEK, True, True, False, "set from elsewhere"),
        (NOW - WEEK, None, True, False, "2026-11-23 09:00 UTC"),
        (NOW - WEEK, False, True, True, "nobody sets it"),
        (NOW + timedelta(minutes=1), True, True, False, ""),
        (NOW + WEEK, True, False, False, "too early: the journal is of 2026-11-30 09:00"),
    ],
)
def test_the_clock_is_held_against_what_was_before(
    witness: datetime, is_set: bool | None, ok: bool, note: bool, words: str
) -> None:
    [found] = clock(NOW, {"the CA": NOW - WEEK, "the journal": witness}, is_set)
    assert (found.ok, found.is_note) == (ok, note)
    assert words in found.said


def test_the_kernel_is_asked_or_does_not_say() -> None:
    assert is_clock_set() in (True, False, None)


@pytest.mark.parametrize(
    ("files", "want"),
    [
        ({}, None),
        ({"2026-11-23.jsonl": ""}, None),
        (
            {"2026-11-23.jsonl": '{"ts":"2026-11-23T08:00:00.000+00:00"}\n'},
            NOW - timedelta(hours=1),
        ),
        # A line that is just being written, and one that never was whole.
        (
            {"2026-11-23.jsonl": '{"ts":"2026-11-23T08:00:00.000+00:00"}\nx\n{"ts":"2026-11-'},
            NOW - timedelta(hours=1),
        ),
        (
            {
                "2026-11-22.jsonl": '{"ts":"2026-11-22T09:00:00.000+00:00"}\n',
                "2026-11-23.jsonl": "",
            },
            NOW - timedelta(days=1),
        ),
    ],
)
def test_the_newest_line_of_the_journal_is_found(
    tmp_path: Path, files: dict[str, str], want: datetime | None
) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    assert last_of_journal(tmp_path) == want


@pytest.mark.parametrize(
    ("free", "ok", "note"),
    [(10_000_000, False, False), (500_000_000, True, True), (50_000_000_000, True, False)],
)
def test_a_disk_is_told_once_for_all_that_lies_on_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, ok: bool, note: bool
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: type("Usage", (), {"free": free}))
    [found] = disks({"state": tmp_path, "journal": tmp_path / "not" / "made" / "yet"})
    assert (found.ok, found.is_note) == (ok, note)
    assert found.what == "disk (state and journal)"
    assert f"{free / 1_000_000:,.0f} MB free" in found.said
