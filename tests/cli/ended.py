"""How a command ended, and what it said."""

import json
import re
import subprocess
from collections.abc import Callable

from tests import gateway
from tests.school import School

DONE, NO, WRONG, OUT_OF_REACH = 0, 1, 2, 3

type Ended = subprocess.CompletedProcess[str]
type Here = Callable[..., Ended]


def run(school: School, *arguments: str, stdin: str = "") -> Ended:
    """Run the real command on a school's settings."""
    return gateway.schoolgate(*arguments, "--config", str(school.config), stdin=stdin)


def refused(ended: Ended, code: int, want: str) -> None:
    """See that a command ended in one sentence and its code."""
    assert (ended.returncode, ended.stdout) == (code, ""), ended
    assert ended.stderr.startswith("schoolgate: ")
    assert ended.stderr.count("\n") == 1
    assert re.search(want, ended.stderr), ended.stderr


def lines(ended: Ended) -> list[str]:
    assert ended.returncode == DONE, ended
    return [line.rstrip() for line in ended.stdout.splitlines()]


def answers(ended: Ended) -> list[dict[str, object]]:
    """Give the objects that `check --json` printed, one a line."""
    assert (ended.returncode, ended.stderr) == (DONE, ""), ended
    return [json.loads(line) for line in ended.stdout.split("\n")[:-1]]
