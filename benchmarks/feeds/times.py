"""What an update of all lists takes, and what the clients of a gateway notice of it."""

import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.feeds.judging import real_school
from schoolgate.lists.generations import kept_generations, live_generation, make_live
from tests import gateway, origin
from tests.gateway import ROOT, Gateway, eventually
from tests.steady import Asked, Steady, asking

SITE, LISTED = "origin.test", "www.bet365.com"
# In turns one page that is let through and one that is blocked; from two devices.
PAUSE_SECONDS = 0.04
QUIET_SECONDS = 20.0
# From the change of the link: a look and a half of each worker, and what taking it up costs.
AROUND_SECONDS = 4.0
# A worker has reached its size after so many swaps.
FIRST = 5
_IN_FORCE = "are in force"
# A process of its own starts the command: what it has held itself would count as the command's.
_LAUNCHER = """\
import json, os, sys, time
started = time.perf_counter()
child = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, 2, 1)])
_, status, used = os.wait4(child, 0)
seconds = time.perf_counter() - started
print(json.dumps([os.waitstatus_to_exitcode(status), seconds, used.ru_utime + used.ru_stime, used.ru_maxrss]))
"""


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command took.

    Attributes:
        wall: seconds.
        cpu: seconds of processors.
        peak_mb: most memory.
        said: by it.
    """

    wall: float
    cpu: float
    peak_mb: float
    said: str

    def row(self, name: str, asked: str = "") -> str:
        """Give it as a line of the table."""
        return f"| {name} | {self.wall:.1f} | {self.cpu:.1f} | {self.peak_mb:.0f} | {asked} |"


@dataclass(frozen=True, slots=True)
class Place:
    """Where it is measured.

    Attributes:
        config: the settings of the gateway.
        published: the files of the publisher.
        state: the ``lists`` folder of the state directory.
        pages: that clients ask for.
    """

    config: Path
    published: Path
    state: Path
    pages: Sequence[str]

    def run(self, *arguments: str) -> Ran:
        """Run ``schoolgate lists …`` on it, with compiled modules, as the package has them."""
        command = [*gateway.COMMAND, "lists", *arguments, "--config", str(self.config)]
        environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}
        ended = subprocess.run(
            [sys.executable, "-c", _LAUNCHER, *command],
            cwd=ROOT, env=environment, capture_output=True, text=True, check=True,
        )  # fmt: skip
        *said, figures = ended.stdout.splitlines()
        code, wall, cpu, peak_kb = json.loads(figures)
        if code:
            raise SystemExit("\n".join(said))
        return Ran(wall, cpu, peak_kb / 1024, "\n".join(said))

    def change(self) -> None:
        """Have the publisher add an entry to a list of the middle size."""
        path = sorted(self.published.glob("*.txt"), key=lambda path: path.stat().st_size)[-8]
        with path.open("ab") as file:
            file.write(b"changed-%d.example\n" % time.time_ns())


def section(rounds: int, reloads: int) -> str:
    """Give the tables."""
    with staged() as place:
        # The first makes the compiled modules, too.
        place.run("diff")
        rows = [place.run("update").row("all lists, from download to live", "60 s, 1.5 GB")]
        live = live_generation(place.state)
        lists = live.lists.values() if live else ()
        entries = sum(one.entries for one in lists)
        rows.append(_median([place.run("update") for _ in range(rounds)]).row("nothing new", "2 s"))
        place.change()
        rows.append(place.run("update").row("one list has an entry more"))
        swaps, memory = _with_a_gateway(place, reloads)
        back = [place.run("rollback", str(number)) for number in _in_turns(place, rounds)]
        rows.append(_median(back).row("rollback", "1 s"))
    table = "\n".join(rows)
    return f"""\
## Updates of lists

Printed by `python -m benchmarks.feeds --times` on {datetime.now(UTC):%Y-%m-%d}, {platform.machine()}, \
Python {platform.python_version()}, {len(os.sched_getaffinity(0))} CPUs, load of the machine \
{", ".join(f"{load:.1f}" for load in os.getloadavg())}: {entries:,} entries in {len(lists)} \
lists of six formats, from a publisher on the same machine. Where it is more than one time, the median of \
{rounds}.

| `schoolgate lists update`, `rollback` | seconds | of processors | MB at most | asked for |
|---|---|---|---|---|
{table}

Meanwhile a gateway with {gateway.WORKERS} workers, each asked {1 / PAUSE_SECONDS:.0f} times a second on a \
connection that is kept, in turns for a page that is let through and one that is blocked. The time runs from \
when a request was due; "around a swap" is the {AROUND_SECONDS:.0f} s from the end of the command, in which \
the workers take the new index up:

| requests | number | median ms | 99 % ms | max ms | failed or wrong |
|---|---|---|---|---|---|
{swaps}

{memory}"""


@contextmanager
def staged() -> Iterator[Place]:
    """Give a school whose lists come from the bundle, and an origin."""
    with real_school() as school:
        base = school.parent.parent / "gateway"
        base.mkdir()
        with origin.running(base) as site:
            config = gateway.write_config(
                base,
                proxy=gateway.to_origin(site),
                lists={"dirs": [str(base.parent / "categories")]},
            )
            pages = [f"http://{name}:{site.http_port}/bytes/1000" for name in (SITE, LISTED)]
            yield Place(config, base.parent / "www", base / "state" / "lists", pages)


def _with_a_gateway(place: Place, reloads: int) -> tuple[str, str]:
    """Give the rows of what clients notice, and a sentence on memory."""
    with gateway.running(place.config) as running:
        with asking(running.proxy, place.pages, PAUSE_SECONDS) as steady:
            swaps = "\n".join(_swaps(place, running, steady))
        return swaps, _memory(place, running, reloads)


def _swaps(place: Place, running: Gateway, steady: Steady) -> Iterator[str]:
    began = time.perf_counter() + 1
    time.sleep(QUIET_SECONDS + 1)
    yield _row("nothing else", _between(steady, began, began + QUIET_SECONDS), place)
    place.change()
    for name, arguments in (
        ("a list is updated", ("update",)),
        ("a rollback", ("rollback", "2")),
    ):
        known, began = _taken_up(running), time.perf_counter()
        ran = place.run(*arguments)
        ended = time.perf_counter()
        if not eventually(lambda known=known: _taken_up(running) >= known + gateway.WORKERS):  # type: ignore[misc]
            raise SystemExit("the gateway did not take it up")
        yield _row(f"while {name} ({ran.wall:.1f} s)", _between(steady, began, ended), place)
        around = _between(steady, ended, ended + AROUND_SECONDS)
        yield _row("around the swap to it", around, place)


def _between(steady: Steady, first: float, last: float) -> Sequence[Asked]:
    """Give the requests of a time, when all of them have been answered."""
    if not eventually(lambda: all(at >= last for at in steady.reached().values())):
        raise SystemExit("the clients are far behind: the machine is too busy to measure on")
    return steady.between(first, last)


def _memory(place: Place, running: Gateway, reloads: int) -> str:
    held = {}
    for reload, number in enumerate(_in_turns(place, reloads), 1):
        known = _taken_up(running)
        make_live(place.state, number)
        if not eventually(lambda known=known: _taken_up(running) >= known + gateway.WORKERS):  # type: ignore[misc]
            raise SystemExit("the gateway did not take it up")
        if reload in (FIRST, reloads):
            held[reload] = running.resident_bytes() / gateway.WORKERS / 1e6
    first, last = held[FIRST], held[reloads]
    return (
        f"A worker holds {first:.0f} MB after {FIRST} such swaps and {last:.0f} MB after {reloads}: "
        f"{100 * (last / first - 1):+.1f} %. The index that it has mapped counts."
    )


def _in_turns(place: Place, times: int) -> Iterator[int]:
    """Give the last two generations in turns, first that which is not live."""
    live = live_generation(place.state)
    numbers = sorted(one.number for one in kept_generations(place.state))[-2:]
    other = numbers[live is not None and live.number == numbers[0]]
    for number in range(times):
        yield other if number % 2 == 0 else sum(numbers) - other


def _taken_up(running: Gateway) -> int:
    return sum(_IN_FORCE in line for line in list(running.lines))


def _row(name: str, asked: Sequence[Asked], place: Place) -> str:
    want = dict(zip(place.pages, (200, 403), strict=True))
    wrong = sum(one.status != want[one.url] for one in asked)
    times = sorted(one.seconds * 1000 for one in asked)
    middle, p99 = statistics.median(times), statistics.quantiles(times, n=100)[98]
    return f"| {name} | {len(times):,} | {middle:.1f} | {p99:.1f} | {times[-1]:.0f} | {wrong} |"


def _median(ran: Sequence[Ran]) -> Ran:
    return sorted(ran, key=lambda one: one.wall)[len(ran) // 2]
