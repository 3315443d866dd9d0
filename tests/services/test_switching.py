"""A plan is carried out to its end, wherever it was cut off."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from schoolgate.core.errors import UnavailableError
from schoolgate.services import switching
from schoolgate.services.switching import Step, carry_out, commit

NEW = {"a": "new", "tree/x": "new", "only-new": "new"}
OLD = {"a": "old", "tree/x": "old", "tree/y": "old", "only-old": "old"}


def write(directory: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_text(text)


def read(directory: Path) -> dict[str, str]:
    """Give the files, without those laid ready or kept."""
    found = (path for path in directory.rglob("*") if path.is_file())
    names = {path.relative_to(directory).as_posix(): path.read_text() for path in found}
    return {name: text for name, text in names.items() if name.partition("/")[0] not in (".r", "k")}


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    """A plan that is in force."""
    write(tmp_path, OLD)
    write(tmp_path / ".r", NEW)
    names = [("a", True), ("only-old", False), ("tree", True), ("only-new", True), ("never", False)]
    steps = [
        Step(
            str(tmp_path / name),
            str(tmp_path / ".r" / name) if is_new else "",
            str(tmp_path / "k" / name),
        )
        for name, is_new in names
    ]
    commit(tmp_path / "k.plan", steps)
    return tmp_path / "k.plan"


def test_what_is_new_takes_the_place_and_what_was_there_is_kept(plan: Path) -> None:
    directory = plan.parent
    carry_out(plan)
    assert read(directory) == NEW
    assert read(directory / "k") == OLD
    assert not plan.exists()
    assert not (directory / ".r").exists()


class CutOffError(Exception):
    """The end of a process."""


def test_cut_off_at_any_rename_the_next_one_finishes_it(
    plan: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = plan.parent
    left = [0]

    def cut(do: Callable[..., Any]) -> Callable[..., Any]:
        def done(*given: Any, **more: Any) -> Any:
            if left[0] == 0:
                raise CutOffError
            left[0] -= 1
            return do(*given, **more)

        return done

    for owner, name in ((Path, "rename"), (Path, "replace"), (os, "link")):
        monkeypatch.setattr(owner, name, cut(getattr(owner, name)))
    attempts = 0
    while plan.exists():
        left[0] = 1
        attempts += 1
        try:
            carry_out(plan)
        except CutOffError:
            # A file that is replaced is never missing.
            assert (directory / "a").is_file()
            continue
    assert attempts == 6
    assert read(directory) == NEW
    assert read(directory / "k") == OLD


def failing(*_: object, **__: object) -> None:
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize("part", ["json.dump", "os.fsync"])
def test_a_plan_that_cannot_be_written_is_not_in_force(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    def put(name: str, value: Callable[..., None]) -> None:
        module, _, function = name.partition(".")
        monkeypatch.setattr(getattr(switching, module), function, value)

    put(part, failing)
    with pytest.raises(OSError, match="No space"):
        commit(tmp_path / "k.plan", [])
    assert not (tmp_path / "k.plan").exists()


def test_where_there_are_no_links_files_are_renamed(
    plan: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "link", failing)
    carry_out(plan)
    assert read(plan.parent) == NEW
    assert read(plan.parent / "k") == OLD


def test_a_plan_is_not_written_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "other").write_text("mine")
    (tmp_path / ".k.plan").symlink_to(tmp_path / "other")
    commit(tmp_path / "k.plan", [])
    assert (tmp_path / "other").read_text() == "mine"
    assert not (tmp_path / "k.plan").is_symlink()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_root_carries_out_nobody_elses_plan(plan: Path) -> None:
    os.chown(plan, 12345, 12345)
    with pytest.raises(UnavailableError, match="is not root's"):
        carry_out(plan)
    assert (plan.parent / "a").read_text() == "old"
