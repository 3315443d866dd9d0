"""Commands are loaded when they are named; those that somebody waits for load little."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import rich_click as click

from schoolgate.cli import app, lists
from tests.gateway import ROOT
from tests.school import School

_LOADED = "import sys, atexit; atexit.register(lambda: print('LOADED', *sys.modules)); "
# Each takes a tenth of a second or more.
RULES, DATABASE = "schoolgate.core.policy", "sqlalchemy"
HEAVY = ("mitmproxy", "django", "schoolgate.services.probing", "schoolgate.lists.lint")


def loaded(school: School, *arguments: str) -> set[str]:
    """Give the modules that a command loads."""
    command = "from schoolgate.cli import main; main()"
    ended = subprocess.run(
        [sys.executable, "-c", _LOADED + command, *arguments, "--config", str(school.config)],
        cwd=ROOT, capture_output=True, text=True, check=False, env=dict(os.environ),
    )  # fmt: skip
    _, found, names = ended.stdout.rpartition("LOADED ")
    assert found, ended
    return set(names.split())


@pytest.mark.parametrize("group", [app.cli, lists.lists])
def test_every_name_has_its_command(group: click.RichGroup) -> None:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        assert command.name == name


def test_another_name_has_none() -> None:
    assert lists.lists.get_command(click.Context(lists.lists), "undo") is None


def test_a_rollback_loads_no_rules(school: School) -> None:
    generation = school.state / "lists" / "generations" / "1"
    generation.mkdir(parents=True)
    text = '{"number": 1, "made": "2026-11-22T09:00:00+00:00", "why": "", "lists": []}'
    (generation / "generation.json").write_text(text)
    found = loaded(school, "lists", "rollback", "1")
    assert Path(school.state / "lists" / "live").is_symlink()
    assert found & {RULES, *HEAVY} == set()


def test_an_update_that_finds_nothing_new_loads_neither_rules_nor_database(school: School) -> None:
    (school.categories / "feeds.yaml").write_text("feeds: {}\n")
    assert loaded(school, "lists", "update") & {RULES, DATABASE, *HEAVY} == set()
