"""Every program beside the tests explains itself, with an example, and refuses what it cannot read."""

import argparse
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.fuzz import command, pages, seeds, soak
from tests.gateway import ROOT

MODULES = ("tests.fuzz.pages", "tests.fuzz.seeds", "tests.fuzz.soak", "deploy.dashboards")


@pytest.mark.parametrize("module", MODULES)
def test_help_explains_and_gives_examples_and_does_nothing_else(module: str) -> None:
    before = set(ROOT.iterdir())
    done = subprocess.run(
        [sys.executable, "-m", module, "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert f"usage: python -m {module}" in done.stdout
    assert f"\n    python -m {module}" in done.stdout
    assert set(ROOT.iterdir()) == before


@pytest.mark.parametrize(
    ("main", "words"),
    [
        (pages.main, []),
        (pages.main, ["soon"]),
        (pages.main, ["60", "--seed", "x"]),
        (soak.main, ["0"]),
        (soak.main, ["60", "--fuzzer", "all"]),
        (seeds.main, ["nobody"]),
    ],
)
def test_what_cannot_be_read_is_wrong_use(
    main: Callable[[Sequence[str]], int], words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    assert "error: " in capsys.readouterr().err


@pytest.mark.parametrize(("text", "want"), [("600", 600.0), ("0.5", 0.5)])
def test_a_time_is_a_number_of_seconds(text: str, want: float) -> None:
    assert command.seconds(text) == want


@pytest.mark.parametrize("text", ["", "0", "-1", "nan", "inf", "1h"])
def test_anything_else_is_no_time(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError):
        command.seconds(text)


def test_pages_are_tried_for_a_moment(capsys: pytest.CaptureFixture[str]) -> None:
    assert pages.main(["0.2", "--seed", "3"]) == 0
    assert "seed 3; nothing found" in capsys.readouterr().out


def test_inputs_are_written_where_they_are_wanted(tmp_path: Path) -> None:
    assert seeds.main(["crc", "--to", str(tmp_path)]) == 0
    assert {path.name for path in tmp_path.iterdir()} == {"crc"}
    assert any((tmp_path / "crc").iterdir())
