"""How often an event stands in the journal, in lines and in closed days."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from schoolgate.monitoring.journal_events import event_count
from schoolgate.monitoring.journal_names import Pseudonyms
from schoolgate.monitoring.journal_store import JournalStore

DAY = datetime(2026, 11, 16, tzinfo=UTC)


def test_lines_of_a_span_are_counted_whoever_they_are_about(tmp_path: Path) -> None:
    for number in range(3):
        day = DAY + timedelta(days=number)
        lines = [
            {"ts": f"{day:%Y-%m-%d}T0{hour}:00:00.000+00:00", "event": event, "check": "doh"}
            for hour in (1, 9)
            for event in ("selftest.failed", "selftest.mended")
        ]
        text = "".join(json.dumps(line) + "\n" for line in lines)
        (tmp_path / f"{day:%Y-%m-%d}.jsonl").write_text(text + "half a li")
    store = JournalStore(tmp_path, lambda: Pseudonyms(bytes(64)))
    span = DAY + timedelta(hours=2), DAY + timedelta(days=2, hours=2)
    assert event_count(store, *span, "selftest.failed") == 4
    assert event_count(store, *span, "nothing.such") == 0
    assert event_count(store, DAY - timedelta(days=9), DAY - timedelta(days=1), "x") == 0
