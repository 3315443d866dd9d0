"""Programs under measurement: the cores they run on, their CPU time, their memory, their end."""

import contextlib
import os
import re
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

END_SECONDS = 20
_CPUCLOCK_SCHED = 2
_TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Cores:
    """Which core is the proxies' alone, and which is left for the load and the origin."""

    proxy: int
    others: int


def cores() -> Cores:
    """Share out what this process may use; one core serves both where there is only one."""
    mine = sorted(os.sched_getaffinity(0))
    return Cores(mine[-1], mine[0])


def on_core(core: int) -> tuple[str, ...]:
    """Give what to put before a command so that it and its children stay on a core."""
    return ("taskset", "--cpu-list", str(core))


@dataclass(frozen=True)
class Usage:
    """What a program and all its children have used so far, in seconds.

    Attributes:
        delayed_seconds: in which its threads could have run but others had the core.
    """

    cpu_seconds: float
    user_seconds: float
    system_seconds: float
    delayed_seconds: float


def usage(pid: int) -> Usage:
    """Give what a program and its children have used; exact to the nanosecond in the sum."""
    cpu = user = system = delayed = 0.0
    for one in tree(pid):
        with contextlib.suppress(OSError, ProcessLookupError):
            # The kernel's clock of another process, see clock_getcpuclockid(3).
            cpu += time.clock_gettime((~one << 3) | _CPUCLOCK_SCHED)
            fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
            user += int(fields[11]) / _TICK
            system += int(fields[12]) / _TICK
            for task in Path(f"/proc/{one}/task").iterdir():
                delayed += int((task / "schedstat").read_text().split()[1]) / 1e9
    return Usage(cpu, user, system, delayed)


def memory_mb(pid: int) -> float:
    """Give the memory of a program and its children, pages that they share counted once (PSS)."""
    kilobytes = 0
    for one in tree(pid):
        with contextlib.suppress(OSError):
            text = Path(f"/proc/{one}/smaps_rollup").read_text()
            found = re.search(r"^Pss:\s+(\d+)", text, re.MULTILINE)
            kilobytes += int(found[1]) if found else 0
    return kilobytes * 1024 / 1e6


def tree(pid: int) -> Iterator[int]:
    """Give a process and all its descendants."""
    yield pid
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                yield from tree(int(child))


@contextmanager
def started(
    command: Sequence[str], log: Path, *, env: dict[str, str] | None = None
) -> Iterator["subprocess.Popen[bytes]"]:
    """Start a program, its words into a file, and end it and its children at the end."""
    with log.open("wb") as words:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=words, stderr=words, env=env
        )
    try:
        yield process
    finally:
        children = [one for one in tree(process.pid) if one != process.pid]
        process.terminate()
        try:
            process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(END_SECONDS)
        for child in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, 9)
