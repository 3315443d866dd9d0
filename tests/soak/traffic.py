"""Lets a gateway carry everything at once for a while, and says whether it grew or leaked.

    python -m tests.soak.traffic [SECONDS]

Every cycle is the same: downloads, connections that wait, ClientHellos that do not end, visits and
broken connections side by side, then a pause in which all is closed. The first cycle warms up and
does not count; the next ten are the ten tenths that are compared. Exits 1 when a bound is not kept.
"""

import random
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.gateway.load import LoadError
from tests.soak import crowds, http1
from tests.soak.people import BREAKS, VISITS
from tests.soak.stage import Stage, raise_descriptor_limit, standing
from tests.soak.verdict import Verdict, judge
from tests.soak.watch import Watch, descriptors

_PROGRESS_SECONDS = 30.0
# Of a cycle: everything runs, then what has not ended is broken off, then all is calm.
_BUSY, _CALM = 0.85, 0.15
_SLOW = 0.6
# Those who ask for pages.
_VISITORS = 12
# A tunnel of which one side has ended is given so long, and a bit.
_SETTLE_SECONDS = 75.0
_SETTLED_SECONDS = 2.0


@dataclass(frozen=True)
class Scale:
    """How much of everything.

    Attributes:
        seconds: in all.
        cycles: that count, after the one that warms up.
        downloads: at once, in every cycle.
        bytes: of a download.
        kept: connections that wait, in every cycle.
        slow: ClientHellos begun at once, in every cycle.
        requests: in all cycles together.
        most_mb: that a worker may hold.
        growth: of a worker from the first to the last of the cycles, as a share.
    """

    seconds: float = 1800.0
    cycles: int = 10
    downloads: int = 24
    bytes: int = 1_000_000_000
    kept: int = 2_000
    slow: int = 10_000
    requests: int = 110_000
    workers: int = 2
    most_mb: float = 200.0
    growth: float = 0.05

    @property
    def cycle_seconds(self) -> float:
        """How long a cycle is."""
        return self.seconds / (self.cycles + 1)

    @property
    def descriptors(self) -> int:
        """How many this process needs."""
        return self.kept + self.slow + self.downloads + 500


def soak(scale: Scale, directory: Path) -> Verdict:
    """Run all of it.

    Raises:
        LoadError: when something that it needs is missing.
    """
    if raise_descriptor_limit() < scale.descriptors:
        raise LoadError(f"{scale.descriptors} descriptors are needed (ulimit -Hn)")
    said: Counter[str] = Counter()
    with standing(directory, scale.bytes, scale.workers) as stage:
        pids = stage.gate.processes()
        _settle_in(stage)
        before = [descriptors(pid) for pid in pids]
        with Watch(pids) as watch, _progress(watch, said):
            for cycle in range(scale.cycles + 1):
                watch.cycle = cycle
                _cycle(stage, scale, said)
        after = _when_closed(pids, before)
        gone = set(pids) - set(stage.gate.processes())
        errors = stage.gate.metric(r"^schoolgate_filter_errors_total")
    watch.gone |= gone
    return judge(scale, watch, said, before, after, errors)


def _settle_in(stage: Stage) -> None:
    """Let each worker open what it opens once, such as the journal of the day."""
    for visit in VISITS:
        for _ in range(10):
            visit(stage)
    time.sleep(_SETTLED_SECONDS)


def _cycle(stage: Stage, scale: Scale, said: Counter[str]) -> None:
    begun = time.monotonic()
    busy = scale.cycle_seconds * _BUSY
    stop = threading.Event()
    with ThreadPoolExecutor(_VISITORS + 3) as pool:
        jobs = [
            pool.submit(
                crowds.download, stage, scale.downloads, scale.bytes, busy * _SLOW, said, stop
            ),
            pool.submit(crowds.dawdle, stage, scale.slow, said, stop),
            *(pool.submit(_visit, stage, scale, busy, said, stop) for _ in range(_VISITORS)),
        ]
        with crowds.waiting(stage, scale.kept, said):
            stop.wait(max(0.0, begun + busy - time.monotonic()))
        stop.set()
    for job in jobs:
        job.result()
    said["cycles"] += 1
    time.sleep(max(0.0, begun + scale.cycle_seconds - time.monotonic()))


def _visit(
    stage: Stage, scale: Scale, seconds: float, said: Counter[str], stop: threading.Event
) -> None:
    """Be one of the visitors, at the pace that makes the number of requests."""
    visits, weights = list(VISITS), list(VISITS.values())
    each = scale.requests / (scale.cycles + 1) / _VISITORS
    begun, done = time.monotonic(), 0
    while done < each and not stop.is_set():
        visit = random.choices(visits, weights)[0]
        try:
            asked = visit(stage)
            said["requests"] += asked
            done += asked
        except (OSError, http1.UnexpectedError, AssertionError) as error:
            said[f"FAILED {visit.__name__}: {type(error).__name__} {error}"] += 1
            done += 1
        if random.random() < 0.5:
            end_early = random.choice(BREAKS)
            try:
                end_early(stage)
                said["connections broken off"] += 1
            except (OSError, http1.UnexpectedError) as error:
                said[f"FAILED {end_early.__name__}: {type(error).__name__} {error}"] += 1
        stop.wait(max(0.0, begun + seconds * done / each - time.monotonic()))


def _when_closed(pids: list[int], before: list[Counter[str]]) -> list[Counter[str]]:
    """Wait until no more descriptors are open than before, or long enough."""
    end = time.monotonic() + _SETTLE_SECONDS
    while True:
        after = [descriptors(pid) for pid in pids]
        if time.monotonic() > end or all(
            now.total() <= then.total() for now, then in zip(after, before, strict=True)
        ):
            return after
        time.sleep(1)


@contextmanager
def _progress(watch: Watch, said: Counter[str]) -> Iterator[None]:
    begun, stop = time.monotonic(), threading.Event()

    def run() -> None:
        while not stop.wait(_PROGRESS_SECONDS):
            failed = sum(count for what, count in said.items() if what.startswith("FAILED"))
            print(
                f"{time.monotonic() - begun:5.0f} s, cycle {watch.cycle}: {watch}; "
                f"{said['requests']:,} requests, {failed} failed",
                flush=True,
            )

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def main(arguments: list[str]) -> int:
    """Run it for so many seconds; 1 when a bound is not kept."""
    scale = replace(Scale(), seconds=float(arguments[0])) if arguments else Scale()
    with tempfile.TemporaryDirectory(prefix="soak-") as directory:
        try:
            verdict = soak(scale, Path(directory))
        except LoadError as error:
            print(error, file=sys.stderr)
            return 2
    print(verdict)
    return 1 if verdict.faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
