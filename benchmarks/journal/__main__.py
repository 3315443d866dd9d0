r"""What the journal takes, on lines as a school of a thousand people makes them.

A day is made and closed as the gateway does it; the other days are the same with other dates, so that
it ends within minutes. Bytes are those of the table of the first and of what it counts to.

    python -m benchmarks.journal             print
    python -m benchmarks.journal --write     and write docs/journal.md
"""

import argparse
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from benchmarks.journal.events import Day, Web
from benchmarks.page import write_section
from schoolgate.monitoring.journal_names import pseudonyms_by
from schoolgate.monitoring.journal_retention import Retention
from schoolgate.monitoring.journal_store import JournalStore
from schoolgate.monitoring.journal_tables import ROWS_OF_GROUP, connected, quoted, source
from schoolgate.services.figures import figures_of
from schoolgate.services.viewing import Limits, Watched, viewing_of

PAGE = Path(__file__).resolve().parents[2] / "docs" / "journal.md"
FIRST = date(2026, 11, 2)
_DAY_MS = 86_400_000
_ROUNDS = 5
_LIMITS = Limits(most_bytes=1 << 32, most_counted=1_000_000, most_shown=1_000_000)


@dataclass(frozen=True, slots=True)
class Time:
    """How long something took.

    Attributes:
        wall: seconds, which others on the machine lengthen.
        cpu: seconds of processors, of this process alone.
    """

    wall: float
    cpu: float

    def __str__(self) -> str:
        return f"{self.wall:.2f} s, {self.cpu:.2f} s of a processor"


@dataclass(frozen=True, slots=True)
class Taken:
    """What was measured: times, and bytes for an event."""

    events: int
    line_bytes: float
    with_urls: float
    without: float
    close: Time
    report: Time
    record_of_one: Time
    record: int


def measured(days: int, events: int) -> Taken:
    """Make a journal, close it and ask it.

    Args:
        days: how many.
        events: of each, about.
    """
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "journal"
        place.mkdir()
        journal = JournalStore(place, lambda: pseudonyms_by(Path(folder) / "journal.key"))
        count, size = _write(place, events)
        closed = _time(lambda: _close(journal, FIRST), 1)
        _repeat(place, days)
        _close(journal, FIRST + timedelta(days=days))
        table = place / f"{FIRST}.parquet"
        whole = table.stat().st_size + table.with_suffix(".counts").stat().st_size
        urls, total = _urls(table), count * days
        last = FIRST + timedelta(days=days - 1)
        user = next(iter(journal.closed_records(FIRST, None, 1)))["user"]
        return Taken(
            total,
            size / count,
            whole / count,
            (whole - urls) / count,
            closed,
            _time(lambda: figures_of(journal, FIRST, last, 5)),
            _time(lambda: _record(journal, user, days)),
            _record(journal, user, days),
        )


def _write(place: Path, events: int) -> tuple[int, int]:
    count = size = 0
    with (place / f"{FIRST}.jsonl").open("wb") as file:
        for line in Day(Web(), FIRST, events).lines():
            count, size = count + 1, size + len(line)
            file.write(line)
    return count, size


def _close(journal: JournalStore, last: date) -> None:
    journal.keep(
        datetime(last.year, last.month, last.day, 12, tzinfo=UTC) + timedelta(days=1),
        Retention(400),
    )


def _repeat(place: Path, days: int) -> None:
    """Make the other days of the first, packed less tightly, which takes as long to read."""
    table = place / f"{FIRST}.parquet"
    for number in range(1, days):
        other = place / f"{FIRST + timedelta(days=number)}.parquet"
        with connected() as duck:
            later = f"SELECT * REPLACE (ts + {number * _DAY_MS} AS ts) FROM {source([table])}"
            duck.execute(
                f"COPY ({later}) TO {quoted(other)} (FORMAT parquet, COMPRESSION zstd, "
                f"COMPRESSION_LEVEL 3, PARQUET_VERSION V2, ROW_GROUP_SIZE {ROWS_OF_GROUP})"
            )


def _record(journal: JournalStore, user: str, days: int) -> int:
    """Give how much somebody asked for in all days."""
    last = FIRST + timedelta(days=days - 1)
    return len(viewing_of(journal, Watched(user), FIRST, _LIMITS, last).visits)


def _urls(table: Path) -> int:
    with connected() as duck:
        size = "SELECT sum(total_compressed_size)"
        asked = f"{size} FROM parquet_metadata({quoted(table)}) WHERE path_in_schema = 'path'"
        found = duck.execute(asked).fetchone()
    return int(found[0]) if found else 0


def _time(done: Callable[[], object], rounds: int = _ROUNDS) -> Time:
    """Give the medians of some rounds."""
    walls, cpus = list[float](), list[float]()
    for _ in range(rounds):
        wall, cpu = time.perf_counter(), time.process_time()
        done()
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    return Time(statistics.median(walls), statistics.median(cpus))


def section(taken: Taken) -> str:
    """Give the figures as a part of the page."""
    load = os.getloadavg()[0]
    return f"""\
## What it takes

Printed by `python -m benchmarks.journal` on {datetime.now(UTC):%Y-%m-%d}, {platform.machine()}, Python \
{platform.python_version()}, {len(os.sched_getaffinity(0))} CPUs, load average at the end {load:.1f}: \
{taken.events:,} events of about a thousand people, made as pages and their parts; the days are one day's, \
with other dates. Medians of {_ROUNDS} within a process that runs; where others use the machine, seconds of a
processor say more than those of the clock.

| | |
|---|---|
| a line as JSON | {taken.line_bytes:.0f} bytes |
| in a closed day, with its address | {taken.with_urls:.1f} bytes |
| without addresses | {taken.without:.1f} bytes |
| closing a day | {taken.close}, in a process beside |
| figures of all days | {taken.report} |
| one person's record of all days, {taken.record:,} requests | {taken.record_of_one} |
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.journal",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--write", action="store_true", help="write docs/journal.md")
    parser.add_argument("--days", type=int, default=10, help="days")
    parser.add_argument("--events", type=int, default=1_150_000, help="of each, about")
    arguments = parser.parse_args()
    text = section(measured(arguments.days, arguments.events))
    print(text)
    if arguments.write:
        write_section("journal", text, PAGE)


if __name__ == "__main__":
    main()
