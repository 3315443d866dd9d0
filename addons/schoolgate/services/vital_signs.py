"""What a machine needs whatever runs on it: a clock that is right, and room on its disks."""

import ctypes
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path

from schoolgate.services.probing import Finding

# What two clocks of one school may differ by.
_TOLERANCE = timedelta(minutes=2)
# man 2 adjtimex: what it returns for a clock that nobody sets, and room for its answer.
_TIME_ERROR = 5
_TIMEX_BYTES = 512
_LAST_LINES_BYTES = 65_536
_MEGABYTE = 1_000_000
# Less than this, and decisions, grants and the journal cannot be written any more.
_TOO_LITTLE_BYTES = 50 * _MEGABYTE
# A week of a school's journal.
_LITTLE_BYTES = 2_000 * _MEGABYTE


def clock(
    now: datetime, witnesses: Mapping[str, datetime], is_set: bool | None
) -> Iterator[Finding]:
    """Say whether the clock can be right: grants, lessons and certificates go by it.

    Args:
        now: what it says, aware.
        witnesses: times that were already, by what has them.
        is_set: whether the kernel's clock is set from elsewhere; None where that is not known.
    """
    late = {what: at for what, at in witnesses.items() if at > now + _TOLERANCE}
    said = f"{now:%Y-%m-%d %H:%M} UTC"
    if late:
        what, at = max(late.items(), key=lambda one: one[1])
        yield Finding("clock", False, f"{said} is too early: {what} is of {at:%Y-%m-%d %H:%M}")
    elif is_set is False:
        yield Finding(
            "clock", True, f"{said}; nobody sets it: turn on time synchronisation", is_note=True
        )
    else:
        yield Finding("clock", True, said + (", set from elsewhere" if is_set else ""))


def is_clock_set() -> bool | None:
    """Ask the kernel whether its clock is set from elsewhere; None where it does not say."""
    try:
        answer = ctypes.CDLL(None, use_errno=True).adjtimex(
            ctypes.create_string_buffer(_TIMEX_BYTES)
        )
    except (OSError, AttributeError):
        return None
    return None if answer < 0 else answer != _TIME_ERROR


def last_of_journal(directory: Path) -> datetime | None:
    """Give the time of the newest whole line of the journal; None where there is none."""
    files = sorted(directory.glob("????-??-??.jsonl"))
    for file in reversed(files):
        try:
            with file.open("rb") as lines:
                lines.seek(max(0, os.fstat(lines.fileno()).st_size - _LAST_LINES_BYTES))
                found = lines.read().split(b"\n")[:-1]
        except OSError:
            return None
        for line in reversed(found):
            try:
                return datetime.fromisoformat(json.loads(line)["ts"])
            except (ValueError, KeyError, TypeError):
                continue
    return None


def disks(places: Mapping[str, Path]) -> Iterator[Finding]:
    """Say how much room there is where things are written.

    Args:
        places: directories, by what is written there; what lies on one disk is said once.
    """
    seen: dict[int, list[str]] = {}
    room: dict[int, int] = {}
    for what, place in places.items():
        there = next((each for each in (place, *place.parents) if each.is_dir()), Path("/"))
        device = there.stat().st_dev
        seen.setdefault(device, []).append(what)
        room[device] = shutil.disk_usage(there).free
    for device, names in seen.items():
        yield _disk(f"disk ({' and '.join(names)})", room[device])


def _disk(what: str, free: int) -> Finding:
    said = f"{free / _MEGABYTE:,.0f} MB free"
    if free < _TOO_LITTLE_BYTES:
        return Finding(what, False, f"{said}: nothing can be written soon. Make room")
    return Finding(what, True, said, is_note=free < _LITTLE_BYTES)
