"""A worker shares the rules of its supervisor while reading them again would give the same."""

from pathlib import Path

import pytest

from schoolgate.bootstrap import gateway as module
from schoolgate.bootstrap.gateway import Prepared, prepare
from schoolgate.bootstrap.watches import seen_now
from schoolgate.settings import Settings, load_settings
from tests import gateway


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings with lists of the school's own in a folder of the test's."""
    local = tmp_path / "local"
    local.mkdir()
    return load_settings(gateway.write_config(tmp_path, lists={"local": str(local)}))


@pytest.fixture
def prepared(settings: Settings) -> Prepared:
    """What a supervisor has before there are workers."""
    return prepare(settings)


def test_the_rules_are_shared_while_no_file_changed(settings: Settings, prepared: Prepared) -> None:
    """They are in the memory of the supervisor, of which the worker is a fork."""
    assert prepared.still(settings, seen_now(settings)) is prepared.rules


def test_a_file_that_changed_is_read_again(settings: Settings, prepared: Prepared) -> None:
    """A worker that is put in the place of another serves what is written now."""
    (settings.lists.local / "block.txt").write_text("chess.example\n")
    assert prepared.still(settings, seen_now(settings)) is None


def test_other_settings_are_other_rules(settings: Settings, prepared: Prepared) -> None:
    """A reload may name other files, or ask for lists that must be there."""
    lists = settings.lists.model_copy(update={"locked_required": ("iwf",)})
    other = settings.model_copy(update={"lists": lists})
    assert prepared.still(other, seen_now(settings)) is None


def test_another_day_is_another_timetable(
    settings: Settings, prepared: Prepared, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Calendars are read from the day on which they are read."""
    monkeypatch.setattr(module, "today", lambda: "2031-01-07")
    assert prepared.still(settings, seen_now(settings)) is None
