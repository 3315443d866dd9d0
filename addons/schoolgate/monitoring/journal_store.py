"""The journal as a whole: lines of today beside the tables of closed days; read, closed and forgotten."""

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import orjson

from schoolgate.core.errors import UnavailableError
from schoolgate.monitoring.journal_columns import read_line, record_of, row_of
from schoolgate.monitoring.journal_counts import are_of, write_counts
from schoolgate.monitoring.journal_files import (
    DayFiles,
    day_files,
    days_of,
    keeping,
    put_in_place,
    set_aside,
    sync,
)
from schoolgate.monitoring.journal_names import WHO, Pseudonyms
from schoolgate.monitoring.journal_retention import Held, Retention
from schoolgate.monitoring.journal_tables import (
    Facts,
    facts_of,
    rewrite_table,
    rows_by_time,
    rows_of,
    write_table,
)

_NEWEST_FIRST = "ORDER BY ts DESC, seq DESC LIMIT {}"


@dataclass(slots=True)
class Kept:
    """What was done to the closed days.

    Attributes:
        closed: days whose lines came into their tables.
        unreadable: lines that were none, such as what a killed process began.
        forgotten: days of which something was deleted, or all.
    """

    closed: list[date]
    unreadable: int
    forgotten: list[date]


class JournalStore:
    """Reads the journal, and keeps its closed days.

    Args:
        directory: of the journal.
        pseudonyms: gives those of the closed days; asked for when they are needed.
    """

    def __init__(self, directory: Path, pseudonyms: Callable[[], Pseudonyms]) -> None:
        self._directory = directory
        self._pseudonyms = pseudonyms

    @property
    def pseudonyms(self) -> Pseudonyms:
        """Those of the closed days.

        Raises:
            UnavailableError: when the key cannot be read or made.
        """
        return self._pseudonyms()

    # -- keeping ---------------------------------------------------------------------------------

    def keep(
        self,
        now: datetime,
        retention: Retention,
        held: Iterable[Held] = (),
        quiet_seconds: float = 0,
    ) -> Kept:
        """Bring the lines of closed days into tables, and delete what is kept no longer.

        Killed at any moment it has lost nothing, and what it left behind is removed the next time.

        Args:
            now: aware; days before that of it in UTC are closed.
            retention: how long what is kept.
            held: what is not deleted.
            quiet_seconds: how long lines must have rested; those that come late come in together.

        Raises:
            RefusedError: when another keeps them just now.
            UnavailableError: when that cannot be done; nothing is lost.
        """
        held, today = tuple(held), now.astimezone(UTC).date()
        done = Kept([], 0, [])
        with self._explained(), keeping(self._directory) as aside:
            for day in days_of(self._directory):
                if day.day >= today:
                    continue
                if day.closing or (day.written and _rests(day.written, now, quiet_seconds)):
                    done.unreadable += self._close(day, aside)
                    done.closed.append(day.day)
                if self._forget(day_files(self._directory, day.day), today, retention, held, aside):
                    done.forgotten.append(day.day)
                self._count(day_files(self._directory, day.day), aside)
        return done

    def erase(self, who: Mapping[str, str]) -> int:
        """Delete every line of somebody, of today and of closed days.

        Args:
            who: what says who it was: ``user``, ``device`` or ``client`` → the name.

        Returns:
            How many lines.

        Raises:
            RefusedError: when another keeps the journal just now.
            UnavailableError: when that cannot be done; to be done again.
        """
        count = 0
        with self._explained(), keeping(self._directory) as aside:
            for day in days_of(self._directory):
                set_aside(self._directory, day.day)
                there = self._without_merged(day_files(self._directory, day.day))
                for closing in there.closing.values():
                    count += _without(closing, who, aside)
                if there.table is not None:
                    count += self._erase_from(there.table, who, aside)
                self._count(there, aside)
        return count

    def _close(self, day: DayFiles, aside: Path) -> int:
        """Bring all lines of a day into its table; give how many were none."""
        set_aside(self._directory, day.day)
        day = self._without_merged(day_files(self._directory, day.day))
        if not day.closing:
            return 0
        pseudonyms, unreadable = self._pseudonyms(), 0

        def rows() -> Iterator[dict[str, Any]]:
            nonlocal unreadable
            for line in _lines(day.closing.values()):
                record = read_line(line)
                if record is None:
                    unreadable += 1
                else:
                    yield row_of(record, pseudonyms)

        tables = (day.table,) if day.table is not None else ()
        with _emptied(aside):
            made = write_table(rows(), tables, Facts(tuple(sorted(day.closing))), aside)
            put_in_place(made, self._directory / f"{day.day}.parquet")
        for path in day.closing.values():
            path.unlink()
        sync(self._directory)
        return unreadable

    def _count(self, day: DayFiles, aside: Path) -> None:
        """See that what a table counts to lies beside it."""
        place = self._directory / f"{day.day}.counts"
        if day.table is None:
            place.unlink(missing_ok=True)
        elif day.counts is None or not are_of(day.counts, day.table):
            with _emptied(aside):
                put_in_place(write_counts(day.table, aside), place)

    def _without_merged(self, day: DayFiles) -> DayFiles:
        """Remove the lines that are in the table already, of one that was killed."""
        if day.table is None or not day.closing:
            return day
        merged = facts_of(day.table).merged
        for token in day.closing.keys() & set(merged):
            day.closing[token].unlink()
        left = {token: path for token, path in day.closing.items() if token not in merged}
        return replace(day, closing=left)

    def _forget(
        self, day: DayFiles, today: date, retention: Retention, held: tuple[Held, ...], aside: Path
    ) -> bool:
        """Delete of a table what is kept no longer; tell whether there was something."""
        if day.table is None:
            return False
        due = retention.due(day.day, today, [one for one in held if one.covers(day.day)])
        facts = facts_of(day.table)
        if facts.kept_by == due.text or (due.is_nothing and not facts.kept_by):
            return False
        columns, kept, values = due.sql(self._pseudonyms())
        new = replace(facts, kept_by=due.text)
        with _emptied(aside):
            made, rows = rewrite_table(day.table, columns, kept, values, new, aside)
            if rows:
                put_in_place(made, day.table)
            else:
                day.table.unlink()
                sync(self._directory)
        return True

    def _erase_from(self, table: Path, who: Mapping[str, str], aside: Path) -> int:
        pseudonyms = self._pseudonyms()
        values = [pseudonyms.of(field, name) for field, name in who.items()]
        theirs = " OR ".join(f'"{field}" = ?' for field in who)
        found = sum(1 for _ in rows_of([table], theirs, values))
        if found:
            kept = " AND ".join(f'"{field}" IS DISTINCT FROM ?' for field in who)
            with _emptied(aside):
                made, _ = rewrite_table(table, {}, kept, values, facts_of(table), aside)
                put_in_place(made, table)
        return found

    # -- reading ---------------------------------------------------------------------------------

    def line_files(self, day: date) -> list[Path]:
        """Give the files of lines of a day that are in no table, the newest first.

        Raises:
            UnavailableError: when the journal cannot be read.
        """
        with self._explained():
            there = day_files(self._directory, day)
            merged = facts_of(there.table).merged if there.table and there.closing else ()
            closing = [path for token, path in there.closing.items() if token not in merged]
            return [*([there.written] if there.written else []), *reversed(closing)]

    def lines(self, day: date) -> Iterator[bytes]:
        """Give each line of a day, as it was written but for what is kept of it no longer, with its end.

        Raises:
            UnavailableError: when the journal cannot be read.
        """
        for record in self.closed_records(day):
            yield orjson.dumps(record) + b"\n"
        with self._explained():
            for path in reversed(self.line_files(day)):
                with path.open("rb") as lines:
                    yield from lines

    def closed_records(
        self, day: date, who: Mapping[str, str] | None = None, most: int | None = None
    ) -> Iterator[dict[str, Any]]:
        """Give the records of a closed day, as `closed_records_of` those of some."""
        return self.closed_records_of(day, day, who, most)

    def closed_records_of(
        self,
        first: date,
        last: date,
        who: Mapping[str, str] | None = None,
        most: int | None = None,
    ) -> Iterator[dict[str, Any]]:
        """Give the records of closed days, with names.

        Args:
            first: of the days.
            last: of them.
            who: of whom alone, as for `erase`: by user; by device where no user is known; by client where
                neither is.
            most: how many, the newest first; without, all, the oldest first.

        Raises:
            UnavailableError: when the journal cannot be read.
        """
        tables = [day.table for day in self.days() if day.table and first <= day.day <= last]
        if not tables:
            return
        pseudonyms = self._pseudonyms()
        kept, values = _whose(who, pseudonyms) if who is not None else ("true", [])
        if most is None:
            rows = rows_by_time(tables, kept, values)
        else:
            rows = rows_of(tables, kept, values, _NEWEST_FIRST.format(int(most)))
        for row in rows:
            yield record_of(row, pseudonyms)

    def days(self) -> list[DayFiles]:
        """Give what there is of each day, the oldest first.

        Raises:
            UnavailableError: when the journal cannot be read.
        """
        with self._explained():
            return days_of(self._directory)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            said = f"the journal in {self._directory} cannot be used: {error.strerror}"
            raise UnavailableError(said) from error


def is_of(record: Mapping[str, Any], who: Mapping[str, str]) -> bool:
    """Ask whether any of the names of a line is somebody's."""
    return any(record.get(field) == name for field, name in who.items())


def _whose(who: Mapping[str, str], pseudonyms: Pseudonyms) -> tuple[str, list[str]]:
    """Say in SQL whose rows are meant: what was done under a name is that person's alone."""
    asked, values, unknown = list[str](), list[str](), ""
    for field in reversed(WHO):
        if field in who:
            asked.append(f'("{field}" = ?{unknown})')
            values.append(pseudonyms.of(field, who[field]))
        unknown += f' AND "{field}" IS NULL'
    return " OR ".join(asked) or "false", values


def _rests(path: Path, now: datetime, quiet_seconds: float) -> bool:
    if not quiet_seconds:
        return True
    with suppress(FileNotFoundError):
        return now.timestamp() - path.stat().st_mtime >= quiet_seconds
    return False


def _lines(files: Iterable[Path]) -> Iterator[bytes]:
    for file in files:
        with file.open("rb") as lines:
            # A line that is not whole is none.
            yield from (line for line in lines if line.strip())


def _without(file: Path, who: Mapping[str, str], aside: Path) -> int:
    """Write a file of lines anew without somebody's; give how many those were."""
    needles = [
        json.dumps(name, ensure_ascii=False).encode(errors="replace") for name in who.values()
    ]
    made, count = aside / "lines", 0
    with file.open("rb") as lines, made.open("wb") as kept:
        for line in lines:
            # A line that is broken may be theirs.
            record = read_line(line)
            theirs = (
                any(needle in line for needle in needles) if record is None else is_of(record, who)
            )
            count += theirs
            if not theirs:
                kept.write(line)
    if count:
        put_in_place(made, file)
    else:
        made.unlink()
    return count


@contextmanager
def _emptied(aside: Path) -> Iterator[None]:
    """Leave nothing aside, whatever happens."""
    try:
        yield
    finally:
        for path in aside.iterdir():
            with suppress(OSError):
                os.unlink(path)  # noqa: PTH108 - of what may be gone
