"""The command lines of the fuzzers, which look alike: what the module says of itself, and for how long."""

import argparse
import math
from pathlib import Path

# What is found, learnt and compiled.
BUILD = Path(__file__).resolve().parents[2] / "build" / "fuzz"


def parser_of(module: str, said: str | None) -> argparse.ArgumentParser:
    """Give the command line of a module.

    Args:
        module: its name, as after ``python -m``.
        said: its docstring, with examples.
    """
    return argparse.ArgumentParser(
        prog=f"python -m {module}",
        description=said,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def add_seconds(parser: argparse.ArgumentParser) -> None:
    """Ask for how long."""
    parser.add_argument("seconds", type=seconds, help="for how long, e.g. 600 for ten minutes")


def seconds(text: str) -> float:
    """Read a time.

    Raises:
        argparse.ArgumentTypeError: when it is none.
    """
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds above 0")
    return value
