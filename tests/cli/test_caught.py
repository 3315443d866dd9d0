"""`schoolgate lists caught`: what was stopped for what it says, and the way into the school's own lists."""

import json
from datetime import UTC, datetime, timedelta

from tests.cli.ended import DONE, NO, lines, run
from tests.school import School


def stopped(school: School, host: str) -> None:
    """Write that three pages were stopped on two days."""
    journal = school.state / "journal"
    journal.mkdir(parents=True, exist_ok=True)
    for number in range(3):
        at = datetime.now(UTC) - timedelta(days=number % 2)
        line = {
            "ts": at.isoformat(), "event": "page.judged", "host": host, "category": "gambling",
            "url": f"https://{host}/{number}", "verdict": "block",
        }  # fmt: skip
        with (journal / f"{at.date()}.jsonl").open("a") as file:
            file.write(json.dumps(line) + "\n")


def test_nothing_was_stopped(school: School) -> None:
    assert lines(run(school, "lists", "caught")) == ["No page was stopped for what it says."]


def test_a_site_is_proposed_and_put_into_a_list(school: School) -> None:
    stopped(school, "lucky.example")
    ended = run(school, "lists", "caught")
    assert "lucky.example" in ended.stdout
    assert "proposed for block.txt" in ended.stdout
    assert "Opened after all: 0 % of the sites (budget 5 %)." in ended.stdout
    assert lines(run(school, "lists", "caught", "--block", "lucky.example")) == [
        "lucky.example is in block.txt."
    ]
    assert "blocked by the school" in run(school, "lists", "caught").stdout
    again = run(school, "lists", "caught", "--block", "LUCKY.example")
    assert (again.returncode, lines(again)) == (DONE, ["lucky.example was in block.txt already."])


def test_only_what_was_stopped_is_put_there(school: School) -> None:
    ended = run(school, "lists", "caught", "--allow", "other.example")
    assert ended.returncode == NO
    assert "no page of other.example was stopped" in ended.stderr
