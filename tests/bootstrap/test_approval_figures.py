"""How requests stand, as the process that shows metrics reads it from the database."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from schoolgate.bootstrap import approval_figures
from schoolgate.bootstrap.approval_figures import ApprovalReader, category_by
from schoolgate.monitoring.approval_figures import TellingState
from schoolgate.storage import ApprovalStore, open_database
from schoolgate.storage.outbox import put_for_webhook
from tests.services.requested import APPROVE, HEAD, NINE, TEACHER, approvals, form, school

HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def always_fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(approval_figures, "_FRESH_SECONDS", 0.0)


def test_a_decision_is_counted_once_however_often_it_is_asked_for(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/schoolgate.db"
    engine = open_database(url)
    service = approvals(ApprovalStore(engine))
    asked = service.submit(form(), TEACHER, NINE)
    reader = ApprovalReader(url, category_by(school()), lambda: NINE + HOUR)
    before = reader()
    assert before is not None
    assert before.waiting == {"submitted": 1, "returned": 0, "reviewed": 0}
    assert before.oldest["submitted"] == 3_600
    service.act(asked.id, asked.version, APPROVE, HEAD, NINE + HOUR)
    for _ in range(2):
        after = reader()
        assert after is not None
        assert after.waiting["submitted"] == 0
        assert after.decided.by == {("approved", "games"): 1}
        assert after.decided.sum_seconds == 3_600
    reader.close()
    engine.dispose()


def test_a_database_that_fails_is_said_once_and_comes_back(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "schoolgate.db").mkdir()
    reader = ApprovalReader(f"sqlite:///{tmp_path}/schoolgate.db", str, lambda: NINE)
    assert [reader(), reader()] == [None, None]
    assert len(caplog.records) == 1
    (tmp_path / "schoolgate.db").rmdir()
    assert reader() is not None
    reader.close()


@pytest.mark.parametrize(
    ("host", "want"), [("games.example", "games"), ("other.example", "uncategorised")]
)
def test_a_host_has_the_category_that_the_policy_decides_on(host: str, want: str) -> None:
    category_of: Callable[[str], str] = category_by(school())
    assert category_of(host) == want


def test_a_program_that_was_never_told_of_anything_is_counted_as_well(tmp_path: Path) -> None:
    """Its first alert must show as a rise from nothing; one that the settings do not name is not shown."""
    url = f"sqlite:///{tmp_path}/schoolgate.db"
    engine = open_database(url)
    with engine.begin() as connection:
        put_for_webhook(connection, "pager", "An alert", "alert:1", NINE)
        put_for_webhook(connection, "gone", "An alert", "alert:1", NINE)
    reader = ApprovalReader(url, str, lambda: NINE + HOUR, ("pager", "new"))
    found = reader()
    assert found is not None
    assert found.webhooks == {
        "pager": TellingState(1, 3_600.0, 0, 0),
        "new": TellingState(0, 0.0, 0, 0),
    }
    reader.close()
    engine.dispose()
