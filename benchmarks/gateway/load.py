"""The load generator: built of ``generator/`` and started with a plan; what it and the proxy took."""

import json
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.gateway.processes import memory_mb, on_core, usage

SOURCES = Path(__file__).with_name("generator")
# A proxy that loses more of its requests is not carrying the load.
TOLERATED_FAILURES = 0.3


class LoadError(Exception):
    """A proxy did not stand the load, or something that it needs is missing."""


@dataclass(frozen=True)
class Connection:
    """A line of the plan: who connects where and asks for what.

    Attributes:
        kind: ``http``, ``tls`` (full handshake in a tunnel) or ``resumed``.
    """

    source: str
    kind: str
    host: str
    port: int
    paths: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.source} {self.kind} {self.host} {self.port} {' '.join(self.paths)}"


@dataclass(frozen=True)
class Sample:
    """One window of load on one proxy."""

    answers: int
    seconds: float
    failed: int
    received: int
    connections: int
    refused_tunnels: int
    p50_ms: float
    p99_ms: float
    cpu_seconds: float
    user_share: float
    delayed_seconds: float
    memory_mb: float
    statuses: dict[int, int] = field(default_factory=dict)

    @property
    def per_core_second(self) -> float:
        """Answers for each second of the proxy's CPU time."""
        return self.answers / self.cpu_seconds

    @property
    def megabytes_per_core_second(self) -> float:
        """Megabytes for each second of the proxy's CPU time."""
        return self.received / 1e6 / self.cpu_seconds

    @property
    def busy(self) -> float:
        """How much of the time the proxy was at work or kept from it by others, of one core."""
        return (self.cpu_seconds + self.delayed_seconds) / self.seconds


def build(directory: Path) -> Path:
    """Compile the generator.

    Raises:
        LoadError: when there is no compiler or no OpenSSL to compile with.
    """
    compiler = shutil.which("gcc") or shutil.which("clang") or shutil.which("cc")
    if compiler is None:
        raise LoadError("no C compiler: install what deploy/bench-packages.txt names")
    program = directory / "load"
    command = [compiler, "-O2", "-Wall", "-Wextra", "-o", str(program)]
    command += map(str, sorted(SOURCES.glob("*.c")))
    done = subprocess.run(
        [*command, "-lssl", "-lcrypto"], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise LoadError(f"the load generator does not compile: {done.stderr[:500]}")
    return program


def write_plan(path: Path, connections: Iterable[Connection]) -> Path:
    """Write a plan for the generator."""
    path.write_text("".join(f"{connection}\n" for connection in connections))
    return path


def run(
    program: Path,
    proxy: tuple[str, int],
    pid: int,
    plan: Path,
    *,
    core: int,
    slots: int,
    mode: str,
    seconds: float,
) -> Sample:
    """Load a proxy and give what came of it.

    Args:
        program: the generator.
        proxy: where it listens.
        pid: of the proxy's first process.
        plan: as `write_plan` makes it.
        core: for the generator.
        slots: connections side by side.
        mode: ``keep``, ``cycle`` or ``once``.
        seconds: how long; without a meaning for ``once``.

    Raises:
        LoadError: when the proxy did not stand it.
    """
    command = [*on_core(core), str(program), proxy[0], str(proxy[1]), str(plan)]
    command += [str(slots), mode, str(seconds)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        line = process.stdout.readline()
        before = usage(pid)
        if line == "ready\n":
            process.stdin.write("go\n")
            process.stdin.flush()
            line = process.stdout.readline()
        after = usage(pid)
        text = process.stdout.readline()
        if line != "stop\n" or not text:
            raise LoadError(f"the load generator ended: {process.stderr.read()[:300]}")
    found: dict[str, Any] = json.loads(text)
    if "error" in found:
        raise LoadError(found["error"])
    if found["failed"] > max(1, found["answers"] * TOLERATED_FAILURES):
        raise LoadError(
            f"{found['failed']} of {found['answers'] + found['failed']} failed: {found['failure']}"
        )
    if not found["answers"]:
        raise LoadError("no answer came")
    user, system = (
        after.user_seconds - before.user_seconds,
        after.system_seconds - before.system_seconds,
    )
    return Sample(
        answers=found["answers"],
        seconds=found["seconds"],
        failed=found["failed"],
        received=found["received"],
        connections=found["connections"],
        refused_tunnels=found["refused_tunnels"],
        p50_ms=found["p50_ms"],
        p99_ms=found["p99_ms"],
        cpu_seconds=max(after.cpu_seconds - before.cpu_seconds, 1e-9),
        user_share=user / (user + system) if user + system else 0.0,
        delayed_seconds=max(after.delayed_seconds - before.delayed_seconds, 0.0),
        memory_mb=memory_mb(pid),
        statuses={int(status): count for status, count in found["statuses"].items()},
    )
