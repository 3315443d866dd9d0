"""A small school, and commands run on its files."""

import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from schoolgate import authority
from schoolgate.cli import main
from tests.cli.ended import DONE, Ended, Here
from tests.school import School, write_school


@pytest.fixture
def school(tmp_path: Path) -> School:
    """The files of a small school; nothing has run on them yet."""
    return write_school(tmp_path / "school")


@pytest.fixture
def with_ca(school: School) -> School:
    """A school whose CA was made by a first run."""
    authority.ensure(school.state / "ca", "Hill School", datetime.now(UTC))
    return school


@pytest.fixture
def here(
    school: School, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Here:
    """Runs a command that starts nothing and opens no store in this process, which is faster."""
    for name in [name for name in os.environ if name.startswith("SCHOOLGATE_")]:
        monkeypatch.delenv(name)

    def run_here(*arguments: str) -> Ended:
        argv = ["schoolgate", *arguments, "--config", str(school.config)]
        monkeypatch.setattr("sys.argv", argv)
        code: Any = DONE
        try:
            main()
        except SystemExit as ended:
            code = ended.code
        return subprocess.CompletedProcess(argv, code, *capsys.readouterr())

    return run_here
