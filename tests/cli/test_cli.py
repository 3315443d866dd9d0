"""The command line itself: wrong use, help, the version, and output that nobody reads."""

import os
import re
import subprocess
from collections.abc import Iterator, Sequence

import pytest
import rich_click as click
from click.testing import CliRunner

from schoolgate.cli.app import cli
from tests import gateway
from tests.cli.ended import DONE, WRONG, Here
from tests.school import School


@pytest.mark.parametrize(
    ("arguments", "want"),
    [
        (["check"], "Name at least one URL, or a file with --batch"),
        (["check", "--group", "pupil", "a.example"], "has no group 'pupil'; it has: pupils, staff"),
        (["check", "--client", "10.0.0", "a.example"], "'10.0.0' is not an IP address"),
        (["check", "--at", "noon", "a.example"], "'noon' is not a time such as 2026-11-23T10:30"),
        (["check", "--batch", "/nowhere/urls"], "No such file or directory"),
        (["check", "--jsn", "a.example"], "No such option"),
        (["chekc"], "No such command"),
        (["explain"], "Missing argument"),
        (["grants", "add", "a.example"], "Missing option"),
        (["grants", "add", "a.example", "--until", "2h", "--reason", "r", "--decided-by", "me"],
         "'me' is not one of"),
        (["grants", "add", "a.example", "--until", "soon", "--reason", "r", "--decided-by", "slt"],
         "'soon' is not a time"),
        (["grants", "revoke", "first"], "is not a valid integer"),
        (["suspend", "everyone", "--until", "2h"], "Missing option"),
        (["ca", "export"], "Missing argument"),
        (["run", "--nonsense"], "No such option"),
    ],
)  # fmt: skip
def test_wrong_use_ends_with_2_and_says_what_was_wrong(
    school: School, arguments: Sequence[str], want: str, here: Here
) -> None:
    ended = here(*arguments)
    assert (ended.returncode, ended.stdout) == (WRONG, "")
    # The message stands in a box that breaks its lines.
    assert want in re.sub(r"[\s│]+", " ", ended.stderr)
    assert "Traceback" not in ended.stderr
    assert not school.state.exists()


def commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Give the path of every command that is no group."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name)


EVERY = list(commands(cli))


@pytest.mark.parametrize("path", EVERY, ids=" ".join)
def test_the_help_of_each_command_has_an_example(path: tuple[str, ...]) -> None:
    ended = CliRunner().invoke(cli, [*path, "--help"], env={"COLUMNS": "120"})
    assert ended.exit_code == DONE
    after_usage = ended.output.partition("Usage:")[2].partition("\n")[2]
    assert f"schoolgate {' '.join(path)}" in after_usage


def test_the_help_says_what_the_exit_codes_mean() -> None:
    output = CliRunner().invoke(cli, ["-h"], env={"COLUMNS": "120"}).output
    for words in ("0 done", "1 the answer is no", "2 wrong use or configuration", "3 something"):
        assert words in output


def test_the_version_is_shown() -> None:
    assert CliRunner().invoke(cli, ["--version"]).output.startswith("schoolgate, version 0.")


@pytest.mark.parametrize(
    "command",
    [["check", "--json", "a.example"], ["check", "a.example"], ["explain", "a.example"], ["--help"]],
    ids=" ".join,
)  # fmt: skip
def test_output_that_nobody_reads_to_its_end_is_no_fault(
    school: School, command: Sequence[str]
) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    config = [] if command == ["--help"] else ["--config", str(school.config)]
    try:
        ended = subprocess.run(
            [*gateway.COMMAND, *command, *config],
            stdout=writing,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
    finally:
        os.close(writing)
    assert (ended.returncode, ended.stderr) == (DONE, "")
