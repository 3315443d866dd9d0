r"""A county on this machine: gateways that publish and listen, decisions, and a portal that is asked.

A real PostgreSQL with a schema and a role for each school, a real NATS with JetStream, `trust consume` into
Parquet, and a real gateway of one school with its portal. What the simulated gateways take themselves is
counted apart: theirs are other machines.

    python -m benchmarks.trust.county             print
    python -m benchmarks.trust.county --write     and write docs/scale.md, and the figures for capacity
"""

import argparse
import asyncio
import json
import multiprocessing
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any

import duckdb
import psycopg

from benchmarks.page import write_section
from benchmarks.trust import county_parts as parts
from benchmarks.trust import county_place
from benchmarks.trust.events import PAGE, _make
from benchmarks.trust.processor import on_disk, seconds, with_children
from schoolgate.storage import open_database
from schoolgate.storage.connections import reading
from schoolgate.storage.postgresql import channel_of
from tests.gateway import eventually, free_port
from tests.nats import plain, serving
from tests.portal.people import Browser
from tests.system import postgres

# What `benchmarks.trust.capacity` reckons with.
FIGURES = Path(__file__).with_name("county.json")
_SPARE, _PUBLISHING = 200, 2
_PAGES = ("requests/", "grants/", "waiting/", "requests/1/")
_DRAIN_SECONDS = 300


@dataclass
class Figures:
    """What was measured.

    Attributes:
        gateways: that publish and listen.
        seconds: for how long.
        rate: events a second that were to be published.
        events: that were published.
        into: seconds until the last of them was acknowledged.
        out: seconds until the last of them was in a table.
        nats: microseconds of a processor of NATS, of an event.
        tables: of who writes tables.
        generator: of the simulated gateways.
        stream_bytes: on the disk of NATS, of an event.
        table_bytes: in Parquet, of an event.
        decisions: requests that were asked, reviewed and approved.
        request: milliseconds of a processor of the service, of a request.
        grant: of a review with an approval.
        server: of PostgreSQL, of a request with its grant, its notifications and their listeners.
        first: milliseconds from a decision to the first listener of all; median.
        last: to the last.
        last_most: to the last; the longest.
        connection_kilobytes: of PostgreSQL, of a gateway's connection.
        pages: by path, how many, median, 95th percentile (milliseconds).
        portal: milliseconds of a processor of the school's gateway and portal, of a page.
    """

    gateways: int
    seconds: float
    rate: float
    events: int = 0
    into: float = 0.0
    out: float = 0.0
    nats: float = 0.0
    tables: float = 0.0
    generator: float = 0.0
    stream_bytes: float = 0.0
    table_bytes: float = 0.0
    decisions: int = 0
    request: float = 0.0
    grant: float = 0.0
    server: float = 0.0
    first: float = 0.0
    last: float = 0.0
    last_most: float = 0.0
    connection_kilobytes: float = 0.0
    pages: dict[str, tuple[int, float, float]] = field(default_factory=dict)
    portal: float = 0.0


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.trust.county",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--write", action="store_true", help="write docs/scale.md")
    parser.add_argument("--gateways", type=int, default=500)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--rate", type=float, default=50_000.0, help="events a second")
    parser.add_argument("--deciding", type=int, default=4, help="schools that decide meanwhile")
    given = parser.parse_args()
    load = os.getloadavg()[0]
    found = measured(Figures(given.gateways, given.seconds, given.rate), given.deciding)
    said = section(found, given.deciding, load)
    print(said)
    if given.write:
        FIGURES.write_text(json.dumps(asdict(found), indent=1) + "\n", encoding="utf-8")
        write_section("county", said, PAGE)


def measured(found: Figures, deciding: int) -> Figures:
    """Run it all, and give what was found."""
    with ExitStack() as opened:
        lines = parts.blocks()
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory()))
        server = opened.enter_context(postgres.running(found.gateways + _SPARE))
        owner, urls = county_place.schools(server, found.gateways // 2, deciding)
        config, address = plain(folder, free_port())
        nats = opened.enter_context(serving(config, address))
        assert nats.process is not None
        here = opened.enter_context(county_place.portal(folder, urls[0]))
        work = opened.enter_context(_listening(found, server, owner, urls))
        postmaster = county_place.postmaster_of(server)
        asyncio.run(_make(address))
        tables = folder / "tables"
        command = ["trust", "consume", "--nats", address, "--out", str(tables)]
        writer = subprocess.Popen([sys.executable, "-m", "schoolgate", *command])
        opened.callback(_ended, writer)
        browser = opened.enter_context(county_place.signed_in(here))
        served = with_children(postmaster)
        decisions = work.start()
        # Until the first request is there, and each page was made once.
        assert eventually(lambda: browser.get("/requests/1/").status_code == HTTPStatus.OK)
        for path in _PAGES:
            browser.get(f"/{path}")
        before = seconds(nats.process.pid), seconds(writer.pid)
        publishing = _published(found, address, lines)
        portal, began = with_children(here.process.pid), time.monotonic()
        times = _asked(browser, began + found.seconds)
        messages = [one.get(timeout=_DRAIN_SECONDS) for one in publishing]
        began = min(one.began for one in messages)
        found.into = max(one.ended for one in messages) - began
        found.events = sum(one.messages for one in messages) * parts.LINES
        portal = with_children(here.process.pid) - portal
        served = with_children(postmaster) - served
        decided, heard = work.end(decisions)
        _drained(tables, found.events)
        found.out = time.monotonic() - began
        each = 1e6 / found.events
        found.nats = (seconds(nats.process.pid) - before[0]) * each
        found.tables = (seconds(writer.pid) - before[1]) * each
        found.generator = sum(one.used for one in messages) * each
        found.stream_bytes = on_disk(folder / "store") / found.events
        found.table_bytes = sum(one.stat().st_size for one in _files(tables)) / found.events
        found.portal = 1e3 * portal / max(1, sum(map(len, times.values())))
        _of_decisions(found, decided, heard, served)
        found.pages = {path: _percentiles(some) for path, some in times.items()}
    return found


def _of_decisions(found: Figures, decided: Any, heard: Any, served: float) -> None:
    """Take over what was measured of decisions and of who heard of them."""
    done, asking, approving, _ = decided
    rounds, _ = heard
    found.decisions = len(done)
    found.request, found.grant = 1e3 * asking / len(done), 1e3 * approving / len(done)
    found.server = 1e3 * served / len(done)
    # Of the approvals of the first school, whose channel all hear: the last notification before it was done.
    took = []
    for at in (moment for which, moment in done if which == 0):
        near = [one for one in rounds if abs(one[0] - at) < 1]
        if near:
            first, last = min(near, key=lambda one: abs(one[0] - at))
            took.append((max(0.0, first - at), max(0.0, last - at)))
    if took:
        found.first = 1e3 * statistics.median(first for first, _ in took)
        found.last = 1e3 * statistics.median(last for _, last in took)
        found.last_most = 1e3 * max(last for _, last in took)


class _Work:
    """Gateways that listen, and decisions, each in a process of its own."""

    def __init__(self, urls: list[str], pause: float) -> None:
        self._context = multiprocessing.get_context("spawn")
        self._urls, self._pause = urls, pause
        self._ending = self._context.Event()
        self._heard: Any = self._context.Queue()
        self._listening: Any = None

    def listen(self, owner: str, channels: list[str], common: str) -> None:
        """Let all listen."""
        ready = self._context.Event()
        self._listening = self._context.Process(
            target=parts.listen,
            args=(owner, channels, common, ready, self._ending, self._heard.put),
        )
        self._listening.start()
        assert ready.wait(120)

    def start(self) -> Any:
        """Begin to decide; give where it is told."""
        told: Any = self._context.Queue()
        arguments = (self._urls, self._pause, self._ending, told.put)
        self._context.Process(target=parts.decide, args=arguments).start()
        return told

    def end(self, told: Any) -> tuple[Any, Any]:
        """End both, and give what they tell."""
        self._ending.set()
        return told.get(timeout=_DRAIN_SECONDS), self._heard.get(timeout=_DRAIN_SECONDS)

    def stop(self) -> None:
        """End who listens, whatever happened."""
        self._ending.set()


@contextmanager
def _listening(found: Figures, server: str, owner: str, urls: list[str]) -> Iterator[_Work]:
    work = _Work(urls, 0.25)
    before = county_place.memory(server)
    channels = []
    with psycopg.connect(owner) as connection:
        query = "SELECT 'schoolgate_' || oid FROM pg_namespace WHERE nspname = %s"
        for number in range(found.gateways):
            row = connection.execute(query, [parts.school(number)]).fetchone()
            assert row is not None
            channels.append(str(row[0]))
    engine = open_database(urls[0])
    with reading(engine) as line:
        common = channel_of(line)
    engine.dispose()
    work.listen(owner, channels, common)
    found.connection_kilobytes = (county_place.memory(server) - before) / found.gateways / 1024
    try:
        yield work
    finally:
        work.stop()


def _asked(browser: Browser, until: float) -> dict[str, list[float]]:
    """Ask for pages in turn; give the milliseconds of each."""
    times: dict[str, list[float]] = {path: [] for path in _PAGES}
    while time.monotonic() < until:
        for path, some in times.items():
            began = time.perf_counter()
            answer = browser.get(f"/{path}")
            some.append(1e3 * (time.perf_counter() - began))
            assert answer.status_code == HTTPStatus.OK, (path, answer.status_code)
            time.sleep(0.1)
    return times


def _published(
    found: Figures, address: str, lines: list[list[bytes]]
) -> list["multiprocessing.Queue[parts.Published]"]:
    context = multiprocessing.get_context("spawn")
    together = context.Barrier(_PUBLISHING + 1)
    each, told = found.gateways // _PUBLISHING, []
    for number in range(_PUBLISHING):
        one: Any = context.Queue()
        some = range(number * each, (number + 1) * each)
        arguments = (
            address,
            some,
            found.rate / _PUBLISHING,
            found.seconds,
            lines,
            together,
            one.put,
        )
        context.Process(target=parts.publish, args=arguments).start()
        told.append(one)
    together.wait(_DRAIN_SECONDS)
    return told


def _ended(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(60)


def _files(tables: Path) -> list[Path]:
    return list(tables.glob("school=*/*/*/*.parquet"))


def _drained(tables: Path, events: int) -> None:
    end = time.monotonic() + _DRAIN_SECONDS
    while not _files(tables) or _count(tables) < events:
        if time.monotonic() > end:
            raise TimeoutError(f"{_count(tables)} of {events}")
        time.sleep(1)


def _count(tables: Path) -> int:
    with duckdb.connect() as duck:
        asked = f"SELECT count(*) FROM read_parquet('{tables}/school=*/*/*/*.parquet')"
        [count] = duck.execute(asked).fetchone() or (0,)
    return int(count)


def _percentiles(times: list[float]) -> tuple[int, float, float]:
    found = sorted(times)
    return len(found), statistics.median(found), found[max(0, -(-len(found) * 95 // 100) - 1)]


def section(found: Figures, deciding: int, load: float) -> str:
    """Give the figures as a part of the page."""
    pages = "\n".join(
        f"| `/{path}` | {count} | {median:.0f} | {most:.0f} |"
        for path, (count, median, most) in found.pages.items()
    )
    centre = found.nats + found.tables
    cpus, schools = parts.processes(), found.gateways // 2
    machine = f"{platform.machine()}, Python {platform.python_version()}, {cpus} CPUs"
    rows = "\n".join(f"| {name} | {figure} |" for name, figure in _rows(found))
    rate, carried = f"{found.rate:,.0f}", f"{cpus * 1e6 / centre:,.0f}"
    return f"""\
## A county on this machine

Printed by `python -m benchmarks.trust.county` on {datetime.now(UTC):%Y-%m-%d}, {machine}, load average
{load:.1f} before it began: {found.gateways} gateways of {schools} schools publish
for {found.seconds:.0f} seconds, {rate} events a second if they can, and listen, each on a connection of
its own; {deciding} schools ask, review and approve; a real gateway of one of them is asked for its pages.

| | |
|---|---|
{rows}

| page of the portal, meanwhile | times | median ms | 95 % ms |
|---|---|---|---|
{pages}

The centre takes {centre:.1f} µs of a processor for an event: {cpus} processors that did nothing else come to
{carried} events a second. Here they also run the simulated gateways, PostgreSQL, a school's
gateway with its portal, the browser, and what else is on the machine: the processor is what limits.
"""


def _rows(found: Figures) -> list[tuple[str, str]]:
    return [
        ("events published, all of them in tables at the end", f"{found.events:,}"),
        ("into the stream, events a second", f"{found.events / found.into:,.0f}"),
        ("until the last is in a table, events a second", f"{found.events / found.out:,.0f}"),
        ("NATS, µs of a processor for an event", f"{found.nats:.2f}"),
        ("`trust consume`, µs", f"{found.tables:.2f}"),
        ("the simulated gateways, µs (not the centre's)", f"{found.generator:.2f}"),
        ("bytes of an event in the stream", f"{found.stream_bytes:.0f}"),
        ("bytes of an event in Parquet", f"{found.table_bytes:.0f}"),
        ("requests asked, reviewed and approved", f"{found.decisions:,}"),
        ("a request, ms of a processor of the service", f"{found.request:.1f}"),
        ("its review and approval, ms", f"{found.grant:.1f}"),
        ("PostgreSQL for all of one, with listeners and pages, ms", f"{found.server:.1f}"),
        ("from the approval's return to the first listener, median ms", f"{found.first:.1f}"),
        ("to the last of them, median ms", f"{found.last:.1f}"),
        ("to the last of them, most ms", f"{found.last_most:.0f}"),
        ("PostgreSQL's memory for a gateway that listens, kB", f"{found.connection_kilobytes:.0f}"),
        ("gateway and portal for a page, ms of a processor", f"{found.portal:.0f}"),
    ]


if __name__ == "__main__":
    main()
