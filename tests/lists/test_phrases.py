"""Phrases are compiled once, and again when a file of them changes."""

import os
from pathlib import Path

import pytest

from schoolgate.core.errors import ConfigurationError
from schoolgate.lists import phrase_paths, phrases_in_force
from tests.lists.test_phrase_files import GAMBLING, HEALTH, SIGNALS, WEIGHTS


@pytest.fixture
def dirs(tmp_path: Path) -> list[Path]:
    phrases = tmp_path / "b" / "phrases"
    (phrases / "registers").mkdir(parents=True)
    for name, text in (
        ("weights", WEIGHTS),
        ("signals", SIGNALS),
        ("gambling", GAMBLING),
        ("registers/health", HEALTH),
    ):
        (phrases / f"{name}.yaml").write_text(text)
    return [tmp_path / "a", tmp_path / "b"]


def test_the_same_files_are_the_same_phrases_in_one_memory(dirs: list[Path]) -> None:
    first = phrases_in_force(dirs)
    assert phrases_in_force(dirs) is first
    file = dirs[1] / "phrases" / "gambling.yaml"
    file.write_text(GAMBLING.replace("[odds]", "[odds, jackpot]"))
    os.utime(file, ns=(1, 1))
    changed = phrases_in_force(dirs)
    assert changed.phrases == first.phrases + 1


def test_every_file_is_followed(dirs: list[Path]) -> None:
    names = [path.relative_to(dirs[1] / "phrases").as_posix() for path in phrase_paths(dirs)]
    assert names == ["gambling.yaml", "registers/health.yaml", "signals.yaml", "weights.yaml"]


def test_a_policy_that_needs_phrases_does_not_start_without(tmp_path: Path) -> None:
    assert list(phrase_paths([tmp_path])) == []
    with pytest.raises(ConfigurationError, match="has 'phrases'"):
        phrases_in_force([tmp_path])
