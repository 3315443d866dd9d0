"""Finds the newest lines of the journal that hold something, backwards and no further than told."""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

_BLOCK_BYTES = 1 << 18
# No line that the journal writes is as long; the rest of one that is is passed over.
_LONGEST_LINE_BYTES = 1 << 20


@dataclass(slots=True)
class Found:
    """What was found.

    Attributes:
        lines: that hold it, the newest first.
        cut: whether more was there to look at.
    """

    lines: list[bytes] = field(default_factory=list)
    cut: bool = False


def newest_lines(
    files: Sequence[Path],
    needles: Sequence[bytes],
    *,
    since: datetime,
    most_bytes: int,
    most_lines: int,
) -> Found:
    """Find the lines that hold any of some texts.

    Args:
        files: of the journal, the newest first; one that is not there is empty.
        needles: what is looked for.
        since: what is older is not looked at, but for lines of the same block.
        most_bytes: to be read in all.
        most_lines: to be found.

    Raises:
        OSError: when a file that is there cannot be read.
    """
    found, left = Found(), most_bytes
    for file in files:
        try:
            descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            continue
        try:
            left = _search(descriptor, needles, since, left, most_lines, found)
        finally:
            os.close(descriptor)
        if found.cut:
            break
    return found


def _search(
    descriptor: int,
    needles: Sequence[bytes],
    since: datetime,
    left: int,
    most_lines: int,
    found: Found,
) -> int:
    """Look through one file from its end; give how many bytes may still be read."""
    end, rest = os.fstat(descriptor).st_size, b""
    while end > 0:
        if left <= 0 or len(found.lines) >= most_lines:
            found.cut = True
            break
        start = max(0, end - _BLOCK_BYTES)
        block = os.pread(descriptor, end - start, start) + rest
        left -= end - start
        end = start
        # The line that begins before the block belongs to the one before it.
        first = block.find(b"\n") + 1 if start else 0
        if start and not first:
            rest = block if len(block) <= _LONGEST_LINE_BYTES else b""
            continue
        rest, lines = block[:first], block[first:]
        room = most_lines - len(found.lines)
        held = _holding(lines, needles)
        found.lines += held[:room]
        found.cut = len(held) > room
        if found.cut or _is_before(lines, since):
            break
    return left


def _holding(block: bytes, needles: Sequence[bytes]) -> list[bytes]:
    """Give the lines of a block that hold any of some texts, the last first."""
    at: dict[int, bytes] = {}
    for needle in needles:
        place = block.find(needle)
        while place >= 0:
            start = block.rfind(b"\n", 0, place) + 1
            end = block.find(b"\n", place)
            line = block[start:] if end < 0 else block[start:end]
            at[start] = line
            place = -1 if end < 0 else block.find(needle, end)
    return [at[start] for start in sorted(at, reverse=True)]


def _is_before(block: bytes, since: datetime) -> bool:
    """Ask whether a block begins with a line of before a time."""
    try:
        return datetime.fromisoformat(json.loads(block[: block.find(b"\n")])["ts"]) < since
    except (ValueError, KeyError, TypeError, RecursionError):
        return False
