"""What the workers hold, looked at every second: memory, descriptors, threads."""

import os
import re
import statistics
import threading
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

MEGABYTE = 1_000_000
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Sample:
    """One look at one worker.

    Attributes:
        resident: pages in memory, those shared with others included; megabytes.
        proportional: the same with shared pages divided among those who share them.
        swapped: megabytes.
    """

    resident: float
    proportional: float
    descriptors: int
    threads: int


def look(pid: int) -> Sample:
    """Look at a process.

    Raises:
        OSError: when it is gone.
    """
    there = Path(f"/proc/{pid}")
    pages = int((there / "statm").read_text().split()[1])
    rollup = (there / "smaps_rollup").read_text()
    found = re.search(r"^Pss:\s+(\d+)", rollup, re.MULTILINE)
    proportional = int(found[1]) * 1024 if found else 0
    return Sample(
        pages * _PAGE_BYTES / MEGABYTE,
        proportional / MEGABYTE,
        sum(1 for _ in (there / "fd").iterdir()),
        sum(1 for _ in (there / "task").iterdir()),
    )


def descriptors(pid: int) -> Counter[str]:
    """Count the open descriptors of a process by kind."""
    kinds: Counter[str] = Counter()
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(OSError):
            kinds[re.sub(r":?\[?\d+\]?.*|.*/", "", str(link.readlink())) or "file"] += 1
    return kinds


class Watch:
    """Looks at the workers every second, in a thread of its own.

    Attributes:
        cycle: which one runs; the samples are kept under it.
        gone: workers that ended meanwhile.
    """

    def __init__(self, pids: Sequence[int]) -> None:
        self.pids = tuple(pids)
        self.cycle = 0
        self.gone: set[int] = set()
        self._samples: dict[tuple[int, int], list[Sample]] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def of(self, pid: int, cycle: int) -> list[Sample]:
        """Give what was seen of a worker in a cycle."""
        return self._samples.get((pid, cycle), [])

    def all_of(self, pid: int) -> list[Sample]:
        """Give all that was seen of a worker."""
        return [one for (of, _), samples in self._samples.items() if of == pid for one in samples]

    def median(self, pid: int, cycle: int) -> float:
        """Give the median of a worker's resident megabytes in a cycle."""
        return statistics.median(one.resident for one in self.of(pid, cycle))

    def __str__(self) -> str:
        parts = []
        for pid in self.pids:
            seen = self.of(pid, self.cycle)
            if seen:
                last = seen[-1]
                parts.append(
                    f"{last.resident:.0f} MB ({last.proportional:.0f} PSS), "
                    f"{last.descriptors} fds, {last.threads} threads"
                )
        return " | ".join(parts)

    def _run(self) -> None:
        due = time.monotonic()
        while not self._stop.wait(max(0.0, due - time.monotonic())):
            due += 1.0
            for pid in self.pids:
                try:
                    sample = look(pid)
                except OSError:
                    self.gone.add(pid)
                else:
                    self._samples.setdefault((pid, self.cycle), []).append(sample)
