"""Puts files in the place of others, all of them or none, whenever the process is killed.

What is new is made ready beside its place. Then the plan is written: that is the moment from which all of
it is in force. Renames carry it out, and whoever finds a plan that was not carried out to its end does so.
"""

import json
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from schoolgate.services.archive import sync_directory


@dataclass(frozen=True, slots=True)
class Step:
    """One name that is given to another file or directory.

    Attributes:
        place: the name.
        ready: what gets it, beside it; "" where nothing does.
        kept: the name that what is there now gets.
    """

    place: str
    ready: str
    kept: str


def commit(plan: Path, steps: Sequence[Step]) -> None:
    """Write a plan; from now on it is in force, and `carry_out` has to come.

    Raises:
        OSError: when it cannot be written; it is not in force then.
    """
    for directory in {Path(step.ready).parent for step in steps if step.ready}:
        sync_directory(directory)
    aside = plan.with_name(f".{plan.name}")
    with aside.open("w", encoding="utf-8") as file:
        json.dump([asdict(step) for step in steps], file)
        file.flush()
        os.fsync(file.fileno())
    aside.replace(plan)
    sync_directory(plan.parent)


def carry_out(plan: Path) -> list[Step]:
    """Do what a plan says and was not done yet, and end it; give all of it.

    Raises:
        OSError: when something cannot be renamed; it can be called again.
        ValueError: when it is no plan.
    """
    steps = [Step(**one) for one in json.loads(plan.read_text(encoding="utf-8"))]
    for step in steps:
        _do(step)
    for directory in {Path(step.place).parent for step in steps}:
        sync_directory(directory)
    for directory in {Path(step.ready).parent for step in steps if step.ready}:
        with suppress(OSError):
            directory.rmdir()
    plan.unlink()
    sync_directory(plan.parent)
    return steps


def _do(step: Step) -> None:
    place, kept = Path(step.place), Path(step.kept)
    if step.ready and not os.path.lexists(step.ready):
        return  # done before
    if os.path.lexists(place) and not os.path.lexists(kept):
        kept.parent.mkdir(mode=0o700, exist_ok=True)
        place.rename(kept)
        sync_directory(kept.parent)
    if step.ready:
        Path(step.ready).rename(place)
