"""The tables of one school are copied whole, and removed with all that is known of its journals."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from schoolgate.core.errors import RefusedError
from schoolgate.monitoring import journal_gathered_ledger
from schoolgate.monitoring.journal_gathered import Gathered
from schoolgate.monitoring.journal_gathered_leaving import tables_of_school
from tests.monitoring.test_journal_gathered import rows, shipment

pytestmark = pytest.mark.long
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture
def events(tmp_path: Path) -> Path:
    """Tables of two schools, with a gap in the journal of the first."""
    directory = tmp_path / "events"
    gathered = Gathered(directory)
    for school in ("hermitage", "hill"):
        gathered.add(school, "gw1", shipment(0, 4), NOON)
        gathered.add(school, "gw1", shipment(6, 8), NOON)
    gathered.write()
    gathered.close()
    return directory


def test_every_table_is_copied_with_its_count_and_is_known_again(
    events: Path, tmp_path: Path
) -> None:
    with tables_of_school(events, "hermitage") as tables:
        copied = tables.copy(tmp_path / "out")
        sums = {each.path: each.sha256 for each in copied}
        tables.check_copied(sums)
        with pytest.raises(RefusedError, match="not in the export"):
            tables.check_copied(dict(list(sums.items())[1:]))
    assert sum(each.rows for each in copied) == 6
    for each in copied:
        original = events / "school=hermitage" / each.path
        assert (tmp_path / "out" / each.path).read_bytes() == original.read_bytes()


def test_what_is_removed_is_no_matter_of_missing_lines_any_more_and_the_others_stay(
    events: Path,
) -> None:
    with tables_of_school(events, "hermitage") as tables:
        assert tables.remove() == 2
        assert tables.remove() == 0
        tables.check_copied({})
    gathered = Gathered(events)
    assert gathered.missing() == {("hill", "gw1"): 20}
    gathered.close()
    assert {school for (school,) in rows(events, "DISTINCT school")} == {"hill"}
    assert not (events / "school=hermitage").exists()


def test_a_removal_that_was_killed_is_finished_by_the_next(
    events: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(_self: object) -> None:
        raise KeyboardInterrupt

    with tables_of_school(events, "hermitage") as tables:
        monkeypatch.setattr(journal_gathered_ledger.Ledger, "_finish", killed)
        with pytest.raises(KeyboardInterrupt):
            tables.remove()
    monkeypatch.undo()
    Gathered(events).close()
    assert {school for (school,) in rows(events, "DISTINCT school")} == {"hill"}


def test_nobody_may_write_meanwhile(events: Path, tmp_path: Path) -> None:
    gathered = Gathered(events)
    with (
        pytest.raises(RefusedError, match="stop 'schoolgate trust consume'"),
        tables_of_school(events, "hermitage"),
    ):
        pass
    gathered.close()
    with (
        pytest.raises(RefusedError, match="no directory"),
        tables_of_school(tmp_path / "nowhere", "hermitage"),
    ):
        pass
