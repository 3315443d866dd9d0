"""What the processes of the gateway use of the machine, as the kernel tells it (man 5 proc)."""

import contextlib
import os
import resource
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

_PROC = Path("/proc")
_PREFIX = "sg "
_SUPERVISOR = "supervisor"
# Of /proc/PID/stat, counted after the name, which may hold blanks.
_USER_TICKS, _SYSTEM_TICKS = 11, 12


@dataclass(slots=True)
class Use:
    """What one kind of process uses.

    Attributes:
        resident_bytes: memory in RAM; what processes share counts for each of them.
        cpu_seconds: of those that live.
        descriptors: open files and sockets.
    """

    resident_bytes: int = 0
    cpu_seconds: float = 0.0
    descriptors: int = 0


class ProcessFigures(Collector):
    """Shows what the supervisor and all that it started use, by the name of the process.

    Args:
        supervisor: its process id.
        proc: where the kernel tells it.
    """

    def __init__(self, supervisor: int, proc: Path = _PROC) -> None:
        self._supervisor = supervisor
        self._proc = proc

    def collect(self) -> Iterator[Metric]:
        """Give the figures."""
        memory = GaugeMetricFamily(
            "schoolgate_process_resident_bytes", "Memory in RAM.", labels=["process"]
        )
        cpu = CounterMetricFamily(
            "schoolgate_process_cpu_seconds", "Time on a processor.", labels=["process"]
        )
        files = GaugeMetricFamily(
            "schoolgate_process_open_fds", "Open files and sockets.", labels=["process"]
        )
        for name, use in sorted(self.uses().items()):
            memory.add_metric([name], use.resident_bytes)
            cpu.add_metric([name], use.cpu_seconds)
            files.add_metric([name], use.descriptors)
        yield from (memory, cpu, files)
        yield GaugeMetricFamily(
            "schoolgate_process_max_fds",
            "Files and sockets that a process may open.",
            value=resource.getrlimit(resource.RLIMIT_NOFILE)[0],
        )

    def describe(self) -> list[Metric]:
        """Name nothing beforehand: the names are this class's alone."""
        return []

    def uses(self) -> dict[str, Use]:
        """Give what each kind of process uses."""
        found: dict[str, Use] = {}
        self._add(self._supervisor, _SUPERVISOR, found)
        return found

    def _add(self, pid: int, name: str, found: dict[str, Use]) -> None:
        place = self._proc / str(pid)
        # It may end while it is looked at.
        with contextlib.suppress(OSError, ValueError):
            # What a part of the gateway has started counts for that part.
            said = (place / "comm").read_text().rstrip("\n")
            name = said.removeprefix(_PREFIX) if said.startswith(_PREFIX) else name
            use = found.setdefault(name, Use())
            use.resident_bytes += _resident_bytes(place)
            use.cpu_seconds += _cpu_seconds(place)
            use.descriptors += len(os.listdir(place / "fd"))  # noqa: PTH208 - names alone are counted
        for child in _children(place):
            self._add(child, name, found)


def _resident_bytes(place: Path) -> int:
    return int((place / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _cpu_seconds(place: Path) -> float:
    fields = (place / "stat").read_text().rpartition(")")[2].split()
    ticks = int(fields[_USER_TICKS]) + int(fields[_SYSTEM_TICKS])
    return ticks / os.sysconf("SC_CLK_TCK")


def _children(place: Path) -> list[int]:
    found = []
    with contextlib.suppress(OSError):
        for task in (place / "task").iterdir():
            with contextlib.suppress(OSError):
                found += [int(pid) for pid in (task / "children").read_text().split()]
    return found
