"""Killed while it closes a day, again and again, the journal has every line once."""

import json
import random
import signal
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from schoolgate.monitoring.journal_names import pseudonyms_by
from schoolgate.monitoring.journal_store import JournalStore
from tests.gateway import ROOT

pytestmark = [pytest.mark.system, pytest.mark.long]
KEEP = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from schoolgate.monitoring.journal_names import pseudonyms_by
from schoolgate.monitoring.journal_retention import Retention
from schoolgate.monitoring.journal_store import JournalStore
place = Path(sys.argv[1])
store = JournalStore(place / "journal", lambda: pseudonyms_by(place / "journal.key"))
print("begins", flush=True)
store.keep(datetime(2026, 11, 24, 3, tzinfo=UTC), Retention(400))
"""
DAY = date(2026, 11, 23)


def test_whenever_it_is_killed_every_line_is_there_once(tmp_path: Path) -> None:
    journal, written = tmp_path / "journal", list[str]()
    journal.mkdir()
    dice = random.Random(7)
    for round_ in range(8):
        with (journal / f"{DAY}.jsonl").open("a") as file:
            for number in range(3_000):
                written.append(f"1-{round_}-{number}")
                record = {"ts": f"{DAY}T10:00:00.000+00:00", "id": written[-1], "user": f"p{number % 90}",
                          "event": "request.decided", "host": f"{number}.example"}  # fmt: skip
                file.write(json.dumps(record) + "\n")
        command = [sys.executable, "-c", KEEP, str(tmp_path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as child:
            assert child.stdout is not None
            child.stdout.readline()
            try:
                child.wait(dice.uniform(0.05, 1.5))
            except subprocess.TimeoutExpired:
                child.send_signal(signal.SIGKILL)
        store = JournalStore(journal, lambda: pseudonyms_by(tmp_path / "journal.key"))
        found = sorted(json.loads(line)["id"] for line in store.lines(DAY))
        assert found == sorted(written), round_
