"""Runs the fuzzers of the native index: `make soak` for an hour, CI for a minute (docs/fuzzing.md).

Examples, from the repository's folder:

    python -m tests.fuzz.soak 3600                    # all of them, an hour in total
    python -m tests.fuzz.soak 60 --fuzzer reader      # a minute of one
"""

import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.fuzz import command, seeds

HERE = Path(__file__).resolve().parent
CORPUS = HERE / "corpus"
# Each fuzzer's share of the time.
SHARES = {"reader": 0.5, "builder": 0.42, "crc": 0.08}
# More than the path of a long line; what needs more is checked once, as a fuzzer starts.
_LONGEST_INPUT = 4096


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a fuzzer did.

    Attributes:
        name: of the fuzzer.
        seconds: for which it ran.
        executions: inputs tried.
        edges: of the compiled index that were reached, the sanitisers' own included.
        code: exit code; other than 0 when it found something.
        output: all it said.
    """

    name: str
    seconds: int
    executions: int
    edges: int
    code: int
    output: str

    def __str__(self) -> str:
        found = "nothing found" if self.code == 0 else f"FOUND SOMETHING (exit code {self.code})"
        return (
            f"{self.name}: {self.executions:,} executions in {self.seconds} s, "
            f"{self.edges} edges, {found}"
        )


def build(directory: Path) -> None:
    """Compile the fuzzers into a directory."""
    subprocess.run([HERE / "build", directory], check=True)


def run(name: str, seconds: int, directory: Path) -> Outcome:
    """Let a fuzzer that was built in a directory run; what it learns and finds stays there.

    It begins with the kept corpus and with inputs in today's format.
    """
    learnt, found = directory / "corpus", directory / "found"
    found.mkdir(exist_ok=True)
    seeds.write(learnt, name)
    command: list[str | Path] = [
        directory / f"fuzz_{name}",
        f"-max_total_time={seconds}",
        f"-max_len={_LONGEST_INPUT}",
        "-timeout=60",
        "-print_final_stats=1",
        f"-artifact_prefix={found}/{name}-",
        learnt / name,
        CORPUS / name,
    ]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=seconds + 120,
        check=False,
    )
    return Outcome(
        name,
        seconds,
        _last(r"^stat::number_of_executed_units: +(\d+)", done.stderr),
        _last(r"^#\d+\t.*? cov: (\d+)", done.stderr),
        done.returncode,
        done.stderr,
    )


def _last(pattern: str, text: str) -> int:
    return int((re.findall(pattern, text, re.MULTILINE) or ["0"])[-1])


def main(arguments: Sequence[str] | None = None) -> int:
    """Run fuzzers as the command line says; 1 when any found something."""
    parser = command.parser_of("tests.fuzz.soak", __doc__)
    command.add_seconds(parser)
    parser.add_argument(
        "--fuzzer", choices=SHARES, help="one of them, for all of the time; else each has its share"
    )
    asked = parser.parse_args(arguments)
    return soaked(asked.seconds, {asked.fuzzer: 1.0} if asked.fuzzer else SHARES)


def soaked(seconds: float, shares: Mapping[str, float]) -> int:
    """Run fuzzers one after the other, each for its share of the time; 1 when any found something."""
    build(command.BUILD)
    code = 0
    for name, share in shares.items():
        outcome = run(name, max(1, round(seconds * share)), command.BUILD)
        print(outcome, flush=True)
        if outcome.code != 0:
            print(outcome.output[-20_000:], file=sys.stderr)
            code = 1
    return code


if __name__ == "__main__":
    sys.exit(main())
