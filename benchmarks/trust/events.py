r"""Events of many gateways through NATS JetStream into tables: how many a second in, out, and both at once.

Lines are as a school of a thousand people makes them, without names and sites, 350 in a message as a gateway
sends them. The server, who writes the tables, and the gateways are on this machine; the processor time of the
gateways is theirs and not the centre's.

    python -m benchmarks.trust.events             print
    python -m benchmarks.trust.events --write     and write docs/scale.md
"""

import argparse
import asyncio
import multiprocessing
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import batched, islice
from pathlib import Path

import duckdb
import nats
import orjson

from benchmarks.journal.events import Day, Web
from benchmarks.page import write_section
from schoolgate.core.shipment import STREAM, Shipment, message_id, packed, subject
from schoolgate.shipping.fields import Personal, Sites, Terms, chosen
from tests.gateway import free_port
from tests.nats import plain, serving

PAGE = Path(__file__).resolve().parents[2] / "docs" / "scale.md"
GATEWAYS, PROCESSES = 500, 2
_LINES = 350
_UNDER_WAY = 64
_NAMES = frozenset({"ts", "id"})
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Run:
    """What was measured of one way to load it.

    Attributes:
        events: how many.
        into: seconds until the last was acknowledged by the stream; 0 where they were there.
        out: seconds until the last was in a table; 0 where nobody wrote.
        server: seconds of a processor of NATS.
        writer: of who writes the tables.
        gateways: of those that publish.
    """

    events: int
    into: float
    out: float
    server: float
    writer: float
    gateways: float


def _blocks() -> list[list[bytes]]:
    """Give what gateways send, again and again."""
    terms = Terms(Personal.PSEUDONYMS, Sites.NONE, b"s" * 32)
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    lines = islice(Day(Web(), date(2026, 11, 2), 2_000).lines(), 4 * _LINES)
    records = [{**chosen(orjson.loads(line), terms), "ts": now} for line in lines]
    return [[orjson.dumps(one) for one in some] for some in batched(records, _LINES)]


def publish(
    url: str, blocks: list[list[bytes]], first: int, gateways: int, rounds: int, round_: int
) -> None:
    """Publish so many messages of each gateway, some under way at once."""

    async def run() -> None:
        client = await nats.connect(url)
        stream = client.jetstream(publish_async_max_pending=_UNDER_WAY)
        for number in range(round_ * rounds, (round_ + 1) * rounds):
            for gateway in range(first, first + gateways):
                lines = blocks[(number + gateway) % len(blocks)]
                ends = list(range((number * _LINES + 1) * 10, ((number + 1) * _LINES + 1) * 10, 10))
                one = Shipment("day#1", ends[0] - 10, ends[-1], ends, lines, _NAMES)
                school = f"school-{gateway // 2}"
                await stream.publish_async(
                    subject(school, f"gw{gateway}"),
                    packed(one),
                    headers={"Nats-Msg-Id": message_id(school, f"gw{gateway}", one)},
                    wait_stall=60,
                )
        await stream.publish_async_completed()
        await client.close()

    asyncio.run(run())


@contextmanager
def _writing(url: str, place: Path) -> Iterator["subprocess.Popen[bytes]"]:
    process = subprocess.Popen(
        [sys.executable, "-m", "schoolgate", "trust", "consume", "--nats", url, "--out", str(place)]
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def _seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _count(place: Path) -> int:
    if not list(place.glob("school=*/*/*/*.parquet")):
        return 0
    with duckdb.connect() as duck:
        asked = f"SELECT count(*) FROM read_parquet('{place}/school=*/*/*/*.parquet')"
        [count] = duck.execute(asked).fetchone() or (0,)
    return int(count)


def measured(rounds: int) -> tuple[Run, Run, Run]:
    """Fill the stream, empty it, and do both at once.

    Args:
        rounds: messages of each gateway, each time.
    """
    blocks = _blocks()
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder)
        config, url = plain(directory, free_port())
        place = directory / "tables"
        with serving(config, url) as server:
            asyncio.run(_make(url))
            assert server.process is not None
            pid, events = server.process.pid, GATEWAYS * rounds * _LINES
            before = _seconds(pid)
            into, gateways = _published(url, blocks, rounds, 0)
            filled = Run(events, into, 0, _seconds(pid) - before, 0, gateways)
            before, began = _seconds(pid), time.monotonic()
            with _writing(url, place) as writer:
                _wait(place, events)
                emptied = Run(
                    events, 0, time.monotonic() - began, _seconds(pid) - before, _seconds(writer.pid), 0
                )  # fmt: skip
                before, of_writer, began = _seconds(pid), _seconds(writer.pid), time.monotonic()
                into, gateways = _published(url, blocks, rounds, 1)
                _wait(place, 2 * events)
                out, used = time.monotonic() - began, _seconds(writer.pid) - of_writer
                both = Run(events, into, out, _seconds(pid) - before, used, gateways)
    return filled, emptied, both


async def _make(url: str) -> None:
    client = await nats.connect(url)
    await client.jetstream().add_stream(name=STREAM, subjects=["journal.*.*"])
    await client.close()


def _published(
    url: str, blocks: list[list[bytes]], rounds: int, round_: int
) -> tuple[float, float]:
    """Give seconds of the clock, and of processors."""
    began, before = time.monotonic(), os.times()
    each = GATEWAYS // PROCESSES
    context = multiprocessing.get_context("spawn")
    processes = [
        context.Process(target=publish, args=(url, blocks, n * each, each, rounds, round_))
        for n in range(PROCESSES)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    after = os.times()
    used = after.children_user + after.children_system
    return time.monotonic() - began, used - before.children_user - before.children_system


def _wait(place: Path, events: int) -> None:
    end = time.monotonic() + 600
    while _count(place) < events:
        if time.monotonic() > end:
            raise TimeoutError
        time.sleep(1)


def _rate(events: int, seconds: float) -> str:
    return f"{events / seconds:,.0f}" if seconds else ""


def section(runs: tuple[Run, Run, Run], load: float) -> str:
    """Give the figures as a part of the page."""
    names = "the stream is filled", "it is emptied into tables", "both at once"
    rows = "\n".join(
        f"| {name} | {one.events:,} | {_rate(one.events, one.into)} | {_rate(one.events, one.out)} | "
        f"{1e6 * one.server / one.events:.1f} | {1e6 * one.writer / one.events:.1f} | "
        f"{1e6 * one.gateways / one.events:.1f} |"
        for name, one in zip(names, runs, strict=True)
    )
    machine = f"{platform.machine()}, Python {platform.python_version()}"
    cpus, schools = len(os.sched_getaffinity(0)), GATEWAYS // 2
    centre = 1e6 * (runs[2].server + runs[2].writer) / runs[2].events
    return f"""\
## Events

Printed by `python -m benchmarks.trust.events` on {datetime.now(UTC):%Y-%m-%d}, {machine}, {cpus} CPUs, load
average before it began {load:.1f}: {GATEWAYS} gateways of {schools} schools in
{PROCESSES} processes, beside a server of NATS and `schoolgate trust consume`; {_LINES} lines in a message.

| | events | in, a second | out, a second | NATS, µs | tables, µs | gateways, µs |
|---|---|---|---|---|---|---|
{rows}

µs are of one processor, for an event. The centre takes {centre:.1f} µs for an event, so that 50,000 events a
second take {centre / 20:.2f} processors there; the gateways' part is on as many other machines. What
limits is the processor: DuckDB, which reads the lines as JSON into 46 columns and writes a file of each
school, in the one process that has the tables. A short run on a busy machine: its tables are 250 small
files each time.
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.trust.events",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--write", action="store_true", help="write docs/scale.md")
    parser.add_argument("--rounds", type=int, default=6, help="messages of each gateway")
    arguments = parser.parse_args()
    load = os.getloadavg()[0]
    text = section(measured(arguments.rounds), load)
    print(text)
    if arguments.write:
        if not PAGE.exists():
            PAGE.write_text(
                "# What a trust takes: 30 schools, a county, a nation\n", encoding="utf-8"
            )
        write_section("events", text, PAGE)


if __name__ == "__main__":
    main()
