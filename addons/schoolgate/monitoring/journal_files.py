"""The files of the journal: lines as they are written, lines set aside, and the table of a closed day.

    2026-11-23.jsonl             lines, which the workers add to
    2026-11-23.TOKEN.closing     lines that were set aside, to come into the table or to be rewritten
    2026-11-23.parquet           the table of a closed day; it names the tokens of those that are in it
    2026-11-23.counts            what the table counts to; made of it anew whenever it is another

Each change of a table is one rename. What is killed between two steps leaves a file of lines whose token is
in the table: whoever reads passes over it, and whoever comes next removes it.
"""

import contextlib
import fcntl
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from schoolgate.core.errors import RefusedError

LOCK = ".keep.lock"
ASIDE = ".keep"
_NAME = re.compile(r"(\d{4}-\d{2}-\d{2})\.(?:(jsonl)|(parquet)|([0-9a-f]{8})\.closing|(counts))")


@dataclass(frozen=True, slots=True)
class DayFiles:
    """What there is of a day (UTC).

    Attributes:
        day: which.
        written: the file that workers add to, if it is there.
        closing: files of lines that were set aside, by token.
        table: of the closed day, if there is one.
        counts: what a table of this day counted to, if there is any.
    """

    day: date
    written: Path | None
    closing: dict[str, Path]
    table: Path | None
    counts: Path | None = None


def days_of(directory: Path) -> list[DayFiles]:
    """Give what there is of each day, the oldest first; what has another name is not looked at.

    Raises:
        OSError: when the directory cannot be read.
    """
    written, tables, counts = dict[date, Path](), dict[date, Path](), dict[date, Path]()
    closing = dict[date, dict[str, Path]]()
    for path in sorted(directory.iterdir()) if directory.is_dir() else ():
        named = _NAME.fullmatch(path.name)
        day = _day(named[1]) if named else None
        if named is None or day is None:
            continue
        if named[2]:
            written[day] = path
        elif named[3]:
            tables[day] = path
        elif named[5]:
            counts[day] = path
        else:
            closing.setdefault(day, {})[named[4]] = path
    return [
        DayFiles(day, written.get(day), closing.get(day, {}), tables.get(day), counts.get(day))
        for day in sorted({*written, *tables, *closing, *counts})
    ]


def day_files(directory: Path, day: date) -> DayFiles:
    """Give what there is of a day.

    Raises:
        OSError: when the directory cannot be read.
    """
    found = (one for one in days_of(directory) if one.day == day)
    return next(found, DayFiles(day, None, {}, None))


def set_aside(directory: Path, day: date) -> Path | None:
    """Take the lines of a day away from the workers, who begin another file; None where there are none.

    Raises:
        OSError: when that cannot be done.
    """
    written = directory / f"{day}.jsonl"
    closing = directory / f"{day}.{secrets.token_hex(4)}.closing"
    try:
        descriptor = os.open(written, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        # Nobody is in the middle of writing into it, and whoever comes next sees that it has gone.
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        written.rename(closing)
    finally:
        os.close(descriptor)
    sync(directory)
    return closing


@contextlib.contextmanager
def keeping(directory: Path) -> Iterator[Path]:
    """Be the only one who changes closed days, and give an empty directory for what is made aside.

    Raises:
        OSError: when the directory cannot be written.
        RefusedError: when another keeps them just now.
    """
    descriptor = os.open(directory / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    aside = directory / ASIDE
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise RefusedError(
                "the journal is being kept by another command: wait for it"
            ) from error
        try:
            # Of one that was killed.
            shutil.rmtree(aside, ignore_errors=True)
            aside.mkdir(mode=0o700)
            yield aside
        finally:
            shutil.rmtree(aside, ignore_errors=True)
    finally:
        os.close(descriptor)


def put_in_place(made: Path, place: Path) -> None:
    """Let a file that was made aside be another, whole and on the disk, in one step.

    Raises:
        OSError: when that cannot be done.
    """
    sync(made)
    made.chmod(0o600)
    made.replace(place)
    sync(place.parent)


def sync(path: Path) -> None:
    """Have a file or a directory on the disk.

    Raises:
        OSError: when that cannot be done.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
