"""Lists are kept up to date beside the gateway: again and again, and ended with it."""

import logging
import sys
import threading
from pathlib import Path

import pytest

from schoolgate.bootstrap import list_schedule
from schoolgate.bootstrap.list_schedule import keep_lists
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
    """Keep the lists with a program of the test's own in the command's place."""
    monkeypatch.setattr(list_schedule, "_command", lambda _settings: (sys.executable, "-c", code))
    ending = threading.Event()
    thread = threading.Thread(target=keep_lists, args=(settings, ending, _SOON, _SOON))
    thread.start()
    return thread, ending


def _end(thread: threading.Thread, ending: threading.Event) -> None:
    ending.set()
    thread.join(PATIENCE_SECONDS)
    assert not thread.is_alive()


def test_the_command_asks_for_what_is_due_of_these_settings(settings: Settings) -> None:
    command = list_schedule._command(settings)
    assert command[1:6] == ("-m", "schoolgate", "lists", "update", "--due")
    assert str(settings.file) in command
    assert str(settings.state_dir) in command


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
    assert ("The lists of others are not brought up to date." in caplog.messages) is is_error


def test_with_the_gateway_it_ends_whatever_it_was_doing(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "begun"
    code = f"import pathlib, time; pathlib.Path({str(file)!r}).touch(); time.sleep(3600)"
    thread, ending = _running(monkeypatch, settings, code)
    assert eventually(file.exists)
    _end(thread, ending)
