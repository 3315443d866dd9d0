"""Measuring: builds and memory in processes of their own, look-ups of all engines in turns."""

import gc
import multiprocessing
import os
import re
import resource
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path

from benchmarks.index.data import SLICE, Mixes, Prepared
from benchmarks.index.engines import Engine, NotHereError, Session

OPENINGS = 7
MEMORY_LIMIT = 12 << 30
_PRIVATE = re.compile(r"^Private_(?:Clean|Dirty):\s+(\d+) kB", re.MULTILINE)


@dataclass(frozen=True)
class Build:
    """What making the finished file took."""

    seconds: float
    peak_mb: float
    refused: list[str]


@dataclass(frozen=True)
class Opening:
    """What opening the finished file took."""

    load_ms: float
    private_mb: float


@dataclass
class Figures:
    """Everything measured of one engine and one list."""

    title: str
    build: Build | None = None
    opening: Opening | None = None
    size: int | None = None
    calls: dict[str, list[float]] = field(default_factory=dict)
    batches: list[float] = field(default_factory=list)
    reason: str = ""

    def median(self, mix: str) -> float:
        """Give the median nanoseconds a call, over the blocks."""
        return statistics.median(self.calls[mix])


def in_child[T](function: Callable[..., T], *arguments: object) -> T:
    """Run a function in a new process: its memory is then gone, and its peak is its own."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        try:
            return pool.submit(function, *arguments).result()
        except BrokenProcessPool as error:
            raise NotHereError("its process died") from error


def build(engine: Engine, data: Prepared) -> Build:
    """Time one build; to be run in a process of its own."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT, MEMORY_LIMIT))
    began = time.perf_counter()
    try:
        refused = engine.build(data)
    except MemoryError as error:
        raise NotHereError(f"more than {MEMORY_LIMIT >> 30} GiB needed") from error
    seconds = time.perf_counter() - began
    who = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    peak = max(resource.getrusage(one).ru_maxrss for one in who)
    return Build(seconds, peak / 1024, refused)


def opening(engine: Engine, data: Prepared, hosts: Sequence[bytes]) -> Opening:
    """Give the load time, and the private memory of the second process that has the index open."""
    context = multiprocessing.get_context("spawn")
    with hold(engine, data, hosts, context) if engine.shares_memory else _nothing():
        here, there = context.Pipe()
        process = context.Process(target=_open_and_tell, args=(engine, data, hosts, there))
        process.start()
        there.close()
        told: Opening = here.recv()
        here.send(None)
        process.join()
        return told


@contextmanager
def hold(
    engine: Engine,
    data: Prepared,
    hosts: Sequence[bytes],
    context: multiprocessing.context.SpawnContext,
) -> Iterator[None]:
    """Keep a first process, whose pages a second can share."""
    here, there = context.Pipe()
    process = context.Process(target=_open_and_tell, args=(engine, data, hosts, there))
    process.start()
    there.close()
    here.recv()
    try:
        yield
    finally:
        here.send(None)
        process.join()


@contextmanager
def _nothing() -> Iterator[None]:
    yield


def _open_and_tell(engine: Engine, data: Prepared, hosts: Sequence[bytes], to: Connection) -> None:
    engine.check()  # Its modules are imported before the memory is looked at.
    gc.collect()
    before = private_kb(os.getpid())
    began = time.perf_counter()
    session = engine.open(data)
    times = [_until_answer(session, began)]
    for at in range(0, len(hosts), SLICE):
        session.blocked(hosts[at : at + SLICE])
    gc.collect()
    program = session.private_of()
    after = private_kb(program or os.getpid()) - (0 if program else before)
    for _ in range(OPENINGS - 1 if engine.shares_memory else 0):
        began = time.perf_counter()
        again = engine.open(data)
        times.append(_until_answer(again, began))
        again.close()
    to.send(Opening(statistics.median(times) * 1e3, after / 1024))
    to.recv()
    session.close()


def _until_answer(session: Session, began: float) -> float:
    session.blocked([b"www.first.example"])
    return time.perf_counter() - began


def private_kb(process: int) -> int:
    """Give the memory that a process shares with no other."""
    text = Path(f"/proc/{process}/smaps_rollup").read_text()
    return sum(int(kb) for kb in _PRIVATE.findall(text))


@contextmanager
def undisturbed() -> Iterator[None]:
    """Stay on one CPU, with no garbage collection."""
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(allowed)})
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()
        os.sched_setaffinity(0, allowed)


def time_calls(sessions: Mapping[str, Session], mixes: Mixes, into: Mapping[str, Figures]) -> None:
    """Time every mix, slice by slice, every engine in turn within a slice."""
    with undisturbed():
        for mix, hosts in mixes.items():
            for session in sessions.values():
                session.samples(hosts[:SLICE])  # warm-up
            for key, part in turns(sessions, hosts):
                into[key].calls.setdefault(mix, []).extend(sessions[key].samples(part))
        for key, part in turns(sessions, mixes["real"]):
            into[key].batches.extend(sessions[key].batches(part))


def turns(
    sessions: Mapping[str, Session], hosts: Sequence[bytes]
) -> Iterator[tuple[str, Sequence[bytes]]]:
    """Give every engine every slice, another engine first each time."""
    keys = list(sessions)
    for at in range(0, len(hosts), SLICE):
        for key in keys:
            yield key, hosts[at : at + SLICE]
        keys = keys[1:] + keys[:1]
