"""The journals of a trust's gateways at its centre: each line is in a table once, however often it comes."""

import fcntl
import os
import shutil
import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import compress
from pathlib import Path

from schoolgate.core.errors import RefusedError, UnavailableError
from schoolgate.core.shipment import Shipment
from schoolgate.core.spans import Spans, are_new, with_span
from schoolgate.monitoring.journal_files import sync
from schoolgate.monitoring.journal_gathered_ledger import ASIDE, Key, Ledger
from schoolgate.monitoring.journal_gathered_lines import Aside, marked
from schoolgate.monitoring.journal_gathered_tables import write_joined, write_tables

_LOCK, _LINES = ".lock", ".lines"


@dataclass(slots=True)
class Tally:
    """What has come since it was last asked.

    Attributes:
        events: lines that were new, by school and gateway.
        again: lines that were there already.
        none: lines that were none.
    """

    events: dict[tuple[str, str], int] = field(default_factory=dict)
    again: int = 0
    none: int = 0


class Gathered:
    """Takes messages of gateways, and writes them down.

    Args:
        directory: of the tables; one process has it at a time.

    Raises:
        RefusedError: when another process has it.
        UnavailableError: when it cannot be read or written.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._aside = directory / ASIDE
        self.tally = Tally()
        self._events = Counter[tuple[str, str]]()
        self._spans: dict[Key, Spans] = {}
        self._changed: set[Key] = set()
        with _explained(directory):
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = _locked(directory)
            self._ledger = Ledger(directory)
            self._lines = Aside(directory / _LINES)
            # Of one that was killed.
            self._clear()

    def close(self) -> None:
        """Let it go; what is not written is forgotten."""
        self._lines.close()
        self._ledger.close()
        os.close(self._lock)

    def __len__(self) -> int:
        """Give how many lines wait to be written."""
        return self._lines.count

    def add(self, school: str, gateway: str, shipment: Shipment, arrived: datetime) -> None:
        """Take a message; what of it is there already is passed over.

        Args:
            school: of whom it is, as the server of NATS knows.
            gateway: likewise.
            shipment: what it says.
            arrived: when, in UTC.

        Raises:
            UnavailableError: when there is no room: begin anew.
        """
        key = (school, gateway, shipment.source)
        spans = self._spans.get(key)
        if spans is None:
            spans = self._ledger.spans(key)
        new = list(compress(shipment.lines, are_new(spans, shipment.ends)))
        block, count = marked(new, shipment.names, school, gateway, arrived)
        with _explained(self._directory):
            self._lines.add(block, count)
        self.tally.none += len(new) - count
        self.tally.again += len(shipment.lines) - len(new)
        self._events[school, gateway] += count
        self._spans[key] = with_span(spans, shipment.start, shipment.after)
        self._changed.add(key)

    def write(self) -> int:
        """Write what waits; give how many lines. After it they are on the disk, once.

        Raises:
            UnavailableError: when that cannot be done: begin anew.
        """
        if not self._changed:
            return 0
        with _explained(self._directory):
            self._clear()
            files = self._made() if self._lines.count else {}
            self._ledger.commit({key: self._spans[key] for key in self._changed}, files)
            self._lines.clear()
        count = self._events.total()
        for key, events in self._events.items():
            self.tally.events[key] = self.tally.events.get(key, 0) + events
        self._events, self._changed, self._spans = Counter(), set(), {}
        return count

    def _made(self) -> dict[Path, Path]:
        """Give the tables of what waits and their places, and see what of it is none."""
        self._lines.flush()
        lines, count = self._lines.file, self._lines.count
        made = write_tables(lines, count, self._aside, self._ledger.number())
        if made.events is not None:
            self._events = Counter(made.events)
            self.tally.none += count - self._events.total()
        return {one: self._directory / place for one, place in made.files.items()}

    def join(self, before: date, most: int) -> int:
        """Make one table of the many of each hour of days that are over; give how many hours.

        While one takes the place of the others, who reads may see their lines twice for a moment.

        Args:
            before: the first day, in UTC, that is not over.
            most: hours at once.

        Raises:
            UnavailableError: when that cannot be done; nothing is lost.
        """
        count = 0
        with _explained(self._directory):
            for hour in sorted(self._directory.glob("school=*/day=*/hour=*")):
                if hour.parent.name.removeprefix("day=") >= before.isoformat():
                    continue
                tables = sorted(hour.glob("*.parquet"))
                if len(tables) > 1:
                    self._clear()
                    place = hour / f"{self._ledger.number():012}-0.parquet"
                    self._ledger.commit({}, {write_joined(tables, self._aside): place}, tables)
                    count += 1
                if count == most:
                    break
        return count

    def forget(self, school: str, tables: Sequence[Path]) -> None:
        """Remove tables of a school that leaves, and what of its journals has come.

        Raises:
            UnavailableError: when that cannot be done; whoever opens the directory next finishes it.
        """
        with _explained(self._directory):
            self._ledger.commit({}, {}, tables, school)

    def missing(self) -> dict[tuple[str, str], int]:
        """Give by school and gateway how many bytes of journals never came though later ones did."""
        with _explained(self._directory):
            return self._ledger.missing()

    def _clear(self) -> None:
        shutil.rmtree(self._aside, ignore_errors=True)
        self._aside.mkdir(mode=0o700)
        sync(self._directory)


def _locked(directory: Path) -> int:
    descriptor = os.open(directory / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise RefusedError(f"another process writes into {directory}") from error
    return descriptor


@contextmanager
def _explained(directory: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        raise UnavailableError(f"{directory} cannot be used: {error}") from error
