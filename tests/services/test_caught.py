"""A site whose pages are stopped again and again is proposed; what was opened, the other way."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from schoolgate.core.approvals import Overlay
from schoolgate.services.caught import caught_sites, overblocked_percent
from tests.core.policy.example import engine, grant, listed, local_allow, local_block

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def judged(journal: Path, host: str, days_ago: int, path: str, category: str = "gambling") -> None:
    """Write the line of a page that was stopped."""
    at = NOW - timedelta(days=days_ago)
    line = {
        "ts": at.isoformat(), "event": "page.judged", "host": host, "category": category,
        "url": f"https://{host}{path}", "verdict": "block",
    }  # fmt: skip
    with (journal / f"{at.date()}.jsonl").open("a") as file:
        file.write(json.dumps(line) + "\n")


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    for host in (
        "many.example",
        "granted.example",
        "allowed.example",
        "blocked.example",
        "bet.example",
    ):
        for number in range(3):
            judged(tmp_path, host, number, f"/{number}")
    for number in range(3):
        judged(tmp_path, "one-day.example", 0, f"/{number}")
        judged(tmp_path, "one-page.example", number, "/")
    judged(tmp_path, "long-ago.example", 40, "/")
    judged(tmp_path, "mixed.example", 0, "/a", "alcohol")
    judged(tmp_path, "mixed.example", 1, "/b")
    judged(tmp_path, "mixed.example", 2, "/c")
    with (tmp_path / f"{NOW.date()}.jsonl").open("a") as file:
        file.write('{"event": "request.decided", "url": "\\"page.judged\\""}\n{"page.judged"\n')
    return tmp_path


def test_what_becomes_of_each_site(journal: Path) -> None:
    rules = engine(
        [listed("bet.example", "gambling")],
        [local_allow("allowed.example"), local_block("blocked.example")],
        Overlay(1, (grant("granted.example"),)),
    )
    sites = caught_sites(journal, rules, NOW)
    assert {site.host: (site.category, len(site.pages), site.state) for site in sites} == {
        "many.example": ("gambling", 3, "proposed for block.txt"),
        "mixed.example": ("gambling", 3, "proposed for block.txt"),
        "one-day.example": ("gambling", 3, "not enough yet"),
        "one-page.example": ("gambling", 1, "not enough yet"),
        "granted.example": ("gambling", 3, "opened: propose for allow.txt"),
        "allowed.example": ("gambling", 3, "allowed"),
        "blocked.example": ("gambling", 3, "blocked by the school"),
        "bet.example": ("gambling", 3, "listed"),
    }
    assert sites[0].last == NOW.date()
    assert overblocked_percent(sites) == 25


def test_nothing_was_caught(tmp_path: Path) -> None:
    assert caught_sites(tmp_path, engine(), NOW) == []
    assert overblocked_percent([]) == 0
