"""The journal is kept again and again, by a process of its own, until the gateway ends."""

import json
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from schoolgate.bootstrap.journal_schedule import QUIET_SECONDS, keep_days
from schoolgate.settings import load_settings
from tests.gateway import eventually
from tests.school import write_school

pytestmark = pytest.mark.long


def test_a_day_is_closed_while_the_gateway_runs(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    import os

    settings = load_settings(write_school(tmp_path / "school").config, {})
    day = (datetime.now(UTC) - timedelta(days=2)).date()
    settings.journal_dir.mkdir(parents=True)
    lines = settings.journal_dir / f"{day}.jsonl"
    lines.write_text(json.dumps({"ts": f"{day}T10:00:00.000+00:00", "event": "x"}) + "\n")
    rested = datetime.now(UTC).timestamp() - QUIET_SECONDS - 60
    os.utime(lines, (rested, rested))
    ending = threading.Event()
    keeper = threading.Thread(target=keep_days, args=(settings, ending, (0, 0), (0.1, 0.1)))
    keeper.start()
    try:
        assert eventually((settings.journal_dir / f"{day}.parquet").exists)
        assert eventually(lambda: not lines.exists())
        settings.journal_key_file.write_text("broken")
        lines.write_text(json.dumps({"ts": f"{day}T10:00:00.000+00:00", "event": "x"}) + "\n")
        os.utime(lines, (rested, rested))
        assert eventually(lambda: "holds no key of the journal" in caplog.text)
    finally:
        ending.set()
        keeper.join()
    assert not lines.exists()
    assert list(settings.journal_dir.glob("*.closing"))
