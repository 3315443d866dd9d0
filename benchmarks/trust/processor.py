"""Seconds of a processor that processes took, and the bytes that they left on the disk."""

import os
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def seconds(pid: int) -> float:
    """Give what a process took, without its children."""
    user, system, *_ = _times(pid)
    return (user + system) / _TICKS


def with_children(pid: int) -> float:
    """Give what a process took, and its children: those that run, and those that it has waited for."""
    total = sum(_times(pid)) / _TICKS
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    for child in children:
        try:
            total += with_children(int(child))
        except FileNotFoundError:
            # It has ended since, and its parent has its time from now on.
            continue
    return total


def resident(pid: int) -> int:
    """Give the bytes that a process has in memory."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def on_disk(place: Path) -> int:
    """Give the bytes of all files below a directory."""
    return sum(path.stat().st_size for path in place.rglob("*") if path.is_file())


def _times(pid: int) -> list[int]:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return [int(field) for field in fields[11:15]]
