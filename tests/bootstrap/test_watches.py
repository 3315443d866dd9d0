"""What is followed while a process runs, each kind by itself."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from schoolgate.bootstrap import watches
from schoolgate.core.policy import Reason
from schoolgate.lists import LockedPlace
from schoolgate.services.engines import Engines
from schoolgate.settings import Settings, load_settings
from tests.core.policy.example import NOON, ask, engine
from tests.gateway import put, write_config
from tests.lists.locked import put_list

URL = "https://bad.example/a"


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    (tmp_path / "locked").mkdir()
    found = load_settings(write_config(tmp_path))
    place = LockedPlace(tmp_path / "locked", (), os.getuid())
    monkeypatch.setattr(watches, "locked_place", lambda _: place)
    return found


def looked_twice(look: Callable[[], bool]) -> bool:
    """Look until what was written held still for a look."""
    look()
    return look()


def test_a_local_list_is_in_force_when_it_held_still(settings: Settings) -> None:
    engines, failures = Engines(engine()), list[str]()
    seen = watches.seen_now(settings)
    watch = watches.watch_local(settings, engines, lambda: failures.append("x"), seen.local)
    put(settings.lists.local / "block.txt", "bad.example\n")
    assert looked_twice(watch.look)
    assert engines.current.decide(ask(URL), NOON).reason is Reason.LOCAL_BLOCK
    put(settings.lists.local / "block.txt", "two words\n")
    assert not looked_twice(watch.look)
    assert failures == ["x"]
    assert engines.current.decide(ask(URL), NOON).reason is Reason.LOCAL_BLOCK
    (settings.lists.local / "block.txt").unlink()
    assert looked_twice(watch.look)
    assert engines.current.decide(ask(URL), NOON).reason is Reason.DEFAULT


def test_a_locked_list_is_in_force_when_it_held_still(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    engines, failures = Engines(engine()), list[str]()
    seen = watches.seen_now(settings)
    watch = watches.watch_locked(settings, engines, lambda: failures.append("x"), seen.locked)
    put_list(settings.lists.locked, "bad.example/a\n")
    assert looked_twice(watch.look)
    assert engines.current.decide(ask(URL), NOON).reason is Reason.LOCKED
    # Rights count as a change, too.
    settings.lists.locked.chmod(0o777)
    assert looked_twice(watch.look)
    assert failures == ["x"]
    assert "can be written by others than root" in caplog.text
    assert engines.current.decide(ask(URL), NOON).reason is Reason.LOCKED
    settings.lists.locked.chmod(0o755)
    assert looked_twice(watch.look)
    assert engines.current.locked.refused == {}


def test_a_change_of_one_kind_is_none_of_another(settings: Settings) -> None:
    before = watches.seen_now(settings)
    put(settings.lists.local / "block.txt", "bad.example\n")
    after = watches.seen_now(settings)
    assert (before.rules, before.locked) == (after.rules, after.locked)
    assert before.local != after.local
