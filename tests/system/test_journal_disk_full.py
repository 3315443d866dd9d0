"""A gateway whose journal finds no room: it filters, says so, and goes on when there is."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests import disks
from tests.gateway import ROOT, Gateway, eventually, running, write_config

pytestmark = [pytest.mark.system, pytest.mark.long]
LOST = "schoolgate_journal_dropped_total"
RULES = ROOT / "deploy/prometheus/rules/schoolgate.alerts.yml"
BLOCKED = "http://www.bet365.com/"
_SIZE, _LEFT, _ASKED = 1 << 20, 24 << 10, 120


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with disks.small(tmp_path_factory.mktemp("full") / "journal", _SIZE) as place:
        yield place


@pytest.fixture(scope="module")
def gate(disk: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    config = write_config(tmp_path_factory.mktemp("gateway"), journal={"dir": str(disk)})
    with running(config) as own:
        yield own


def lines(disk: Path) -> list[bytes]:
    return [
        line for file in disk.glob("*.jsonl") for line in file.read_bytes().split(b"\n") if line
    ]


def ids(disk: Path) -> list[str]:
    """Give the ids of all lines that are whole."""
    found = list[str]()
    for line in lines(disk):
        try:
            found.append(json.loads(line)["id"])
        except json.JSONDecodeError:
            continue
    return found


def is_written(disk: Path, path: str) -> bool:
    return any(f"{BLOCKED}{path}".encode() in line for line in lines(disk))


def test_filtering_goes_on_and_so_does_the_journal_when_there_is_room(
    gate: Gateway, disk: Path
) -> None:
    filler = disk / "filler"
    with gate.client() as client:

        def is_blocked(path: str) -> bool:
            return client.get(f"{BLOCKED}{path}").status_code == 403

        assert is_blocked("first")
        assert eventually(lambda: is_written(disk, "first"))
        assert gate.metric(LOST) == 0
        filler.write_bytes(bytes(_SIZE - _LEFT))
        assert all(is_blocked(f"{number}-{'x' * 300}") for number in range(_ASKED))
        assert eventually(lambda: gate.metric(LOST) > 0)
        assert os.statvfs(disk).f_bavail == 0
        assert "is not being written" in gate.get("health").text
        assert is_blocked("while-full")
        before, kept = gate.metric(LOST), ids(disk)
        filler.unlink()
        assert is_blocked("last")
        assert eventually(lambda: is_written(disk, "last"))
        assert eventually(lambda: gate.get("health").text == "ok\n")
    found = ids(disk)
    # What was there is there, each once, and of a line that found half of its room no more than that.
    assert found[: len(kept)] == kept
    assert len(set(found)) == len(found)
    assert len(lines(disk)) - len(found) <= len(gate.processes())
    # Each of the lines is written or counted.
    assert gate.metric(LOST) == before
    assert len(found) + before == _ASKED + 3
    told = json.loads(gate.run("report", "--json").stdout)
    assert told["total"]["events"] in (None, len(found))


def test_somebody_is_told_of_lines_that_are_lost() -> None:
    rules = [
        rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]
    ]
    [alert] = [rule for rule in rules if LOST in rule.get("expr", "")]
    assert (alert["alert"], alert["labels"]["severity"]) == ("SchoolgateJournalLost", "critical")
