"""The tables of one school at the centre: copied for the school when it leaves, and removed."""

import hashlib
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from schoolgate.core.errors import RefusedError, UnavailableError
from schoolgate.monitoring.journal_files import sync
from schoolgate.monitoring.journal_gathered import Gathered
from schoolgate.monitoring.journal_tables import connected, explained, quoted

_PRIVATE_FILE, _PRIVATE_DIRECTORY = 0o600, 0o700


@dataclass(frozen=True, slots=True)
class CopiedTable:
    """A table that was copied.

    Attributes:
        path: ``day=…/hour=…/….parquet``.
        rows: lines in it.
        sha256: of the file, hexadecimal.
    """

    path: str
    rows: int
    sha256: str


class SchoolTables:
    """The tables of a school, in a directory that nobody else writes into meanwhile.

    Args:
        gathered: who has the directory.
        directory: of the tables of all schools.
        school: whose.
    """

    def __init__(self, gathered: Gathered, directory: Path, school: str) -> None:
        self._gathered = gathered
        self._directory = directory
        self._school = school

    def copy(self, target: Path) -> list[CopiedTable]:
        """Copy all tables into a new directory, on the disk for certain, and count what arrived.

        Raises:
            UnavailableError: when one cannot be read or written.
        """
        with _explained(self._directory):
            target.mkdir(mode=_PRIVATE_DIRECTORY)
            copied = []
            for path, table in self._tables():
                there = target / path
                there.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(table, there)
                there.chmod(_PRIVATE_FILE)
                sync(there)
                # Read back: what is said of it is true of the copy.
                copied.append(CopiedTable(path, rows_in(there), sha256_of(there)))
                if copied[-1].sha256 != sha256_of(table):
                    raise OSError(f"{there} is not what {table} is")
            for each in {target, *(one for one in target.rglob("*") if one.is_dir())}:
                each.chmod(_PRIVATE_DIRECTORY)
                sync(each)
        return copied

    def check_copied(self, copied: Mapping[str, str]) -> None:
        """See that each table is in a copy; tables that have gone already are no matter.

        Args:
            copied: SHA-256 by path.

        Raises:
            RefusedError: when one is not.
            UnavailableError: when one cannot be read.
        """
        with _explained(self._directory):
            for path, table in self._tables():
                if copied.get(path) != sha256_of(table):
                    raise RefusedError(f"the table {table} is not in the export, or another one")

    def remove(self) -> int:
        """Remove all tables, and what is known of the school's journals; give how many tables.

        Killed meanwhile, the next who has the directory finishes it.

        Raises:
            UnavailableError: when that cannot be done.
        """
        with _explained(self._directory):
            tables = [table for _, table in self._tables()]
            self._gathered.forget(self._school, tables)
            shutil.rmtree(self._place, ignore_errors=True)
            sync(self._directory)
        return len(tables)

    @property
    def _place(self) -> Path:
        return self._directory / f"school={self._school}"

    def _tables(self) -> Iterator[tuple[str, Path]]:
        for table in sorted(self._place.glob("day=*/hour=*/*.parquet")):
            yield table.relative_to(self._place).as_posix(), table


@contextmanager
def tables_of_school(directory: Path, school: str) -> Iterator[SchoolTables]:
    """Hold the directory of the tables, so that nobody writes into it.

    Raises:
        RefusedError: when there is none, or `schoolgate trust consume` runs on it.
        UnavailableError: when it cannot be used.
    """
    if not directory.is_dir():
        raise RefusedError(f"there is no directory {directory} of tables of events")
    try:
        gathered = Gathered(directory)
    except RefusedError as error:
        raise RefusedError(f"{error}: stop 'schoolgate trust consume' meanwhile") from error
    try:
        yield SchoolTables(gathered, directory, school)
    finally:
        gathered.close()


def rows_in(table: Path) -> int:
    """Count the lines of a table.

    Raises:
        UnavailableError: when it cannot be read.
    """
    with explained(), connected() as duck:
        asked = f"SELECT count(*) FROM read_parquet({quoted(table)}, hive_partitioning = false)"
        return int((duck.execute(asked).fetchone() or (0,))[0])


def sha256_of(path: Path) -> str:
    """Give the SHA-256 of a file, hexadecimal.

    Raises:
        OSError: when it cannot be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def _explained(directory: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise UnavailableError(
            f"the tables in {directory} cannot be used: {os.fspath(error.filename or '')} {reason}"
        ) from error
