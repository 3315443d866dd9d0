"""`schoolgate journal`: days are closed and deleted, and what is held stays."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.cli.ended import DONE, lines, refused, run
from tests.school import School

pytestmark = pytest.mark.long
TODAY = datetime.now(UTC).date()
OLD = TODAY - timedelta(days=500)


def write(directory: Path, user: str, age: int) -> None:
    day = TODAY - timedelta(days=age)
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / f"{day}.jsonl").open("a") as file:
        record = {"ts": f"{day}T10:00:00.000+00:00", "id": "1-a-1", "user": user, "event": "x"}
        file.write(json.dumps(record) + "\n")


@pytest.fixture
def journal(school: School) -> Path:
    return school.state / "journal"


def test_days_are_closed_and_deleted_but_for_what_is_held(school: School, journal: Path) -> None:
    for user in ("tom", "ann"):
        write(journal, user, 500)
    write(journal, "tom", 501)
    write(journal, "tom", 0)
    hold = ("journal", "hold", "add", "user:tom", "--since", str(OLD), "--reason", "incident 17")
    assert lines(run(school, *hold)) == ["hold 1"]
    assert "incident 17" in lines(run(school, "journal", "hold", "list"))[1]
    kept = lines(run(school, "journal", "keep"))
    assert sorted(kept) == sorted(
        [
            f"closed   {OLD}",
            f"closed   {OLD - timedelta(days=1)}",
            f"deleted  of {OLD} what is kept no longer",
            f"deleted  of {OLD - timedelta(days=1)} what is kept no longer",
        ]
    )
    assert sorted(path.name for path in journal.glob("2*[!s]")) == [
        f"{OLD}.parquet",
        f"{TODAY}.jsonl",
    ]
    assert lines(run(school, "journal", "keep")) == ["Nothing was due."]
    first, last = lines(run(school, "journal", "status"))[1:]
    assert first.split()[0] == str(OLD)
    assert "closed" in first
    assert last.split()[0] == str(TODAY)
    lifted = run(school, "journal", "hold", "lift", "1", "--reason", "closed")
    assert lines(lifted) == ["hold 1 is lifted"]
    run(school, "journal", "keep")
    assert [path.name for path in journal.glob("2*[!s]")] == [f"{TODAY}.jsonl"]


def test_a_hold_that_is_not_there_is_refused(school: School) -> None:
    refused(run(school, "journal", "hold", "lift", "7", "--reason", "x"), 1, "no hold 7")


def test_the_key_stays_out_of_a_back_up_with_the_journal(school: School, journal: Path) -> None:
    write(journal, "tom", 1)
    assert run(school, "journal", "keep").returncode == DONE
    assert run(school, "suspend", "user:x", "--until", "1d", "--reason", "x").returncode == DONE
    key = school.state / "journal.key"
    with_key = run(school, "backup", str(school.root / "state.tar.gz"))
    assert str(key) not in with_key.stderr
    without = run(school, "backup", str(school.root / "all.tar.gz"), "--journal")
    assert f"not in it, keep it apart: {key}" in without.stderr
