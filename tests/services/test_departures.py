"""A directory says of itself what is in it, and is believed only while that is so."""

import json
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from schoolgate.core.errors import RefusedError
from schoolgate.services.departures import (
    Departure,
    TakenTable,
    check_departure,
    write_departure,
)

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOUR = "day=2026-11-23/hour=10/000000000001-0.parquet"


@pytest.fixture
def departure(tmp_path: Path) -> Departure:
    (tmp_path / "schoolgate.db").write_bytes(b"rows")
    (tmp_path / "events" / HOUR).parent.mkdir(parents=True)
    (tmp_path / "events" / HOUR).write_bytes(b"lines")
    tables = (TakenTable("grants", 2, "ab"), TakenTable("audit", 3, "cd"))
    return write_departure(tmp_path, "hermitage", NOW, "1.0", tables, {HOUR: 7})


def test_what_was_written_is_read_again_and_has_the_sums_of_every_file(
    departure: Departure, tmp_path: Path
) -> None:
    assert check_departure(tmp_path, "hermitage") == departure
    assert (departure.rows, departure.lines, list(departure.events)) == (5, 7, [HOUR])
    listed = {each.path for each in departure.files}
    assert listed == {"README.md", "schoolgate.db", f"events/{HOUR}"}
    command = ["sha256sum", "--check", "--strict", "SHA256SUMS"]
    assert subprocess.run(command, cwd=tmp_path, check=False).returncode == 0


def test_the_readme_names_the_setting_with_which_the_school_goes_on(
    departure: Departure, tmp_path: Path
) -> None:
    text = (tmp_path / "README.md").read_text()
    assert departure.school in text
    assert "database: sqlite:////var/lib/schoolgate/schoolgate.db" in text
    assert "5 rows in 2 tables" in text
    assert "7 lines of the journal in 1 files" in text


def test_what_was_not_there_is_said(tmp_path: Path) -> None:
    found = write_departure(tmp_path, "hermitage", NOW, "1.0", (), None)
    assert (found.rows, found.lines, found.has_events) == (0, 0, False)
    text = (tmp_path / "README.md").read_text()
    assert "no gateway was ever started" in text
    assert "they were not asked for" in text


@pytest.mark.parametrize(
    ("harm", "want"),
    [
        (
            lambda place: (place / "schoolgate.db").write_bytes(b"other"),
            "schoolgate.db is not what",
        ),
        (lambda place: (place / "schoolgate.db").unlink(), "schoolgate.db cannot be read"),
        (lambda place: (place / "manifest.json").unlink(), "no export of a school"),
        (lambda place: (place / "manifest.json").write_text("[]"), "no export of a school"),
        (
            lambda place: (place / "manifest.json").write_text(
                (place / "manifest.json").read_text().replace('"hermitage"', '"st-mary"')
            ),
            "the export of st-mary",
        ),
    ],
)
def test_what_is_not_as_it_was_is_refused(
    departure: Departure, tmp_path: Path, harm: Callable[[Path], object], want: str
) -> None:
    assert json.loads((tmp_path / "manifest.json").read_text())["school"] == departure.school
    harm(tmp_path)
    with pytest.raises(RefusedError, match=want):
        check_departure(tmp_path, "hermitage")
