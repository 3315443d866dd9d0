"""Commands are run again and again beside the gateway, are heard, and end with it."""

import json
import logging
import os
import sys
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from schoolgate.bootstrap import repeated
from schoolgate.bootstrap.repeated import JOURNAL, LISTS, QUIET_SECONDS, Repeated, repeating
from schoolgate.settings import Settings, load_settings
from tests.gateway import PATIENCE_SECONDS, eventually
from tests.school import write_school

_SOON = (0.0, 0.01)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(write_school(tmp_path / "school").config, {})


def _running(
    monkeypatch: pytest.MonkeyPatch, settings: Settings, code: str
) -> tuple[threading.Thread, threading.Event]:
    """Repeat a program of the test's own as the lists are."""
    monkeypatch.setattr(repeated, "_command", lambda *_: (sys.executable, "-c", code))
    return _started(LISTS, settings)


def _started(what: Repeated, settings: Settings) -> tuple[threading.Thread, threading.Event]:
    ending = threading.Event()
    thread = repeating(replace(what, first=_SOON, pause=_SOON), settings, ending)
    thread.start()
    return thread, ending


def _end(thread: threading.Thread, ending: threading.Event) -> None:
    ending.set()
    thread.join(PATIENCE_SECONDS)
    assert not thread.is_alive()


@pytest.mark.parametrize(
    ("what", "command"),
    [(LISTS, ("lists", "update", "--due")), (JOURNAL, ("journal", "keep", "--quiet-seconds"))],
)
def test_the_command_is_ours_and_of_these_settings(
    settings: Settings, what: Repeated, command: tuple[str, ...]
) -> None:
    found = tuple(repeated._command(what, settings))
    assert found[1:6] == ("-m", "schoolgate", *command)
    assert str(settings.file) in found
    assert str(settings.state_dir) in found


def test_it_runs_again_and_again(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "runs"
    code = f"import pathlib; pathlib.Path({str(file)!r}).open('a').write('x')"
    thread, ending = _running(monkeypatch, settings, code)
    assert eventually(lambda: file.exists() and len(file.read_text()) >= 2)
    _end(thread, ending)


@pytest.mark.parametrize(("code", "is_error"), [(0, False), (1, False), (3, True)])
def test_what_it_says_is_told_and_its_end_where_it_is_an_error(
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    code: int,
    is_error: bool,
) -> None:
    """1 is that a list could not be had: the others are in use."""
    program = f"import sys; print('a word', file=sys.stderr); sys.exit({code})"
    with caplog.at_level(logging.WARNING):
        thread, ending = _running(monkeypatch, settings, program)
        assert eventually(lambda: caplog.messages.count("lists: a word") >= 2)
        _end(thread, ending)
    assert (LISTS.failure in caplog.messages) is is_error


def test_with_the_gateway_it_ends_whatever_it_was_doing(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "begun"
    code = f"import pathlib, time; pathlib.Path({str(file)!r}).touch(); time.sleep(3600)"
    thread, ending = _running(monkeypatch, settings, code)
    assert eventually(file.exists)
    _end(thread, ending)


@pytest.mark.long
def test_a_day_of_the_journal_is_closed_while_the_gateway_runs(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    day = (datetime.now(UTC) - timedelta(days=2)).date()
    settings.journal_dir.mkdir(parents=True)
    lines = settings.journal_dir / f"{day}.jsonl"
    lines.write_text(json.dumps({"ts": f"{day}T10:00:00.000+00:00", "event": "x"}) + "\n")
    rested = datetime.now(UTC).timestamp() - QUIET_SECONDS - 60
    os.utime(lines, (rested, rested))
    thread, ending = _started(JOURNAL, settings)
    try:
        assert eventually((settings.journal_dir / f"{day}.parquet").exists)
        assert eventually(lambda: not lines.exists())
        settings.journal_key_file.write_text("broken")
        lines.write_text(json.dumps({"ts": f"{day}T10:00:00.000+00:00", "event": "x"}) + "\n")
        os.utime(lines, (rested, rested))
        assert eventually(lambda: "holds no key of the journal" in caplog.text)
        assert eventually(lambda: JOURNAL.failure in caplog.messages)
    finally:
        _end(thread, ending)
    assert not lines.exists()
    assert list(settings.journal_dir.glob("*.closing"))
