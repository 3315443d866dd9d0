"""The journals of a trust's gateways at its centre: each line is in a table once, however often it comes."""

import fcntl
import os
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

from schoolgate.core.errors import RefusedError, UnavailableError
from schoolgate.core.shipment import Shipment
from schoolgate.core.spans import Spans, are_new, with_span
from schoolgate.monitoring.journal_files import sync
from schoolgate.monitoring.journal_gathered_ledger import ASIDE, Key, Ledger
from schoolgate.monitoring.journal_gathered_tables import row, write_joined, write_tables

_LOCK = ".lock"


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
        self._rows: list[dict[str, Any]] = []
        self._spans: dict[Key, Spans] = {}
        self._changed: set[Key] = set()
        with _explained(directory):
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = _locked(directory)
            self._ledger = Ledger(directory)
            # Of one that was killed.
            self._clear()

    def close(self) -> None:
        """Let it go; what is not written is forgotten."""
        self._ledger.close()
        os.close(self._lock)

    def __len__(self) -> int:
        """Give how many lines wait to be written."""
        return len(self._rows)

    def add(self, school: str, gateway: str, shipment: Shipment, arrived: datetime) -> None:
        """Take a message; what of it is there already is passed over.

        Args:
            school: of whom it is, as the server of NATS knows.
            gateway: likewise.
            shipment: what it says.
            arrived: when, in UTC.
        """
        key = (school, gateway, shipment.source)
        spans = self._spans.get(key)
        if spans is None:
            spans = self._ledger.spans(key)
        count = 0
        new = are_new(spans, shipment.ends)
        for line, is_new in zip(shipment.lines, new, strict=True):
            made = row(line, school, gateway, arrived) if is_new else None
            if made is not None:
                self._rows.append(made)
                count += 1
            self.tally.none += is_new and made is None
        self.tally.again += len(new) - sum(new)
        self.tally.events[school, gateway] = self.tally.events.get((school, gateway), 0) + count
        self._spans[key] = with_span(spans, shipment.start, shipment.after)
        self._changed.add(key)

    def write(self) -> int:
        """Write what waits; give how many lines. After it they are on the disk, once.

        Raises:
            UnavailableError: when that cannot be done: begin anew.
        """
        count = len(self._rows)
        if not self._changed:
            return 0
        with _explained(self._directory):
            self._clear()
            made = {}
            if self._rows:
                files = write_tables(self._rows, self._aside, self._ledger.number())
                made = {one: self._directory / place for one, place in files.items()}
            self._ledger.commit({key: self._spans[key] for key in self._changed}, made)
        self._rows, self._changed, self._spans = [], set(), {}
        return count

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
