"""What the centre of a trust has of each gateway's journal, beside the tables, and changed with them at once.

A database of SQLite is the one place that says what is there. Tables are made aside; then one transaction
says what of which journal has come, and which files are to be renamed and removed; then that is done. Killed
before the transaction nothing has happened, and killed after it the next start does what is left.
"""

import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path

from schoolgate.core.spans import Spans
from schoolgate.monitoring.journal_files import sync

FILE = ".gathered.db"
ASIDE = ".aside"
# School, gateway, and a file of its journal.
type Key = tuple[str, str, str]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS covered (
    school TEXT, gateway TEXT, source TEXT, start INTEGER, after INTEGER,
    PRIMARY KEY (school, gateway, source, start)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS due (made TEXT, place TEXT);
CREATE TABLE IF NOT EXISTS numbers (last INTEGER);
INSERT INTO numbers SELECT 0 WHERE NOT EXISTS (SELECT * FROM numbers);
"""
_GAPS = """
SELECT school, gateway, sum(gap) FROM (
    SELECT school, gateway, max(after) - sum(after - start) AS gap FROM covered
    GROUP BY school, gateway, source
) GROUP BY school, gateway
"""
_SAME = "school = ? AND gateway = ? AND source = ?"


class Ledger:
    """Opens it, and finishes what was begun.

    Args:
        directory: of the tables; nobody else may have it open.

    Raises:
        OSError: when a file cannot be renamed or removed.
        sqlite3.Error: when it cannot be read or written.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._database = sqlite3.connect(
            directory / FILE, isolation_level=None, check_same_thread=False
        )
        self._database.execute("PRAGMA journal_mode = WAL")
        # The disk has what it has said yes to.
        self._database.execute("PRAGMA synchronous = FULL")
        self._database.executescript(_SCHEMA)
        self._finish()

    def close(self) -> None:
        """Let the database go."""
        self._database.close()

    def number(self) -> int:
        """Give a number that no file bears."""
        [last] = self._database.execute("SELECT last + 1 FROM numbers").fetchone()
        return int(last)

    def spans(self, key: Key) -> Spans:
        """Give what has come of a file of a journal."""
        asked = f"SELECT start, after FROM covered WHERE {_SAME} ORDER BY start"
        with closing(self._database.execute(asked, key)) as found:
            return tuple((int(start), int(after)) for start, after in found)

    def missing(self) -> dict[tuple[str, str], int]:
        """Give by school and gateway how many bytes of journals never came though later ones did."""
        return {
            (school, gateway): int(gap) for school, gateway, gap in self._database.execute(_GAPS)
        }

    def commit(
        self,
        changed: Mapping[Key, Spans],
        made: Mapping[Path, Path],
        gone: Iterable[Path] = (),
        left: str = "",
    ) -> None:
        """Let files be there, others not, and what has come be known, all or nothing.

        Args:
            changed: what has come, by file of a journal.
            made: file aside, which is on the disk for certain → its place.
            gone: files that those take the place of.
            left: a school of which nothing is known any more.
        """
        due = [(self._name(one), self._name(place)) for one, place in made.items()]
        due += [("", self._name(place)) for place in gone]
        with closing(self._database.cursor()) as cursor:
            cursor.execute("BEGIN IMMEDIATE")
            try:
                for key, spans in changed.items():
                    cursor.execute(f"DELETE FROM covered WHERE {_SAME}", key)
                    rows = [(*key, start, after) for start, after in spans]
                    cursor.executemany("INSERT INTO covered VALUES (?, ?, ?, ?, ?)", rows)
                cursor.execute("DELETE FROM covered WHERE school = ?", [left])
                cursor.executemany("INSERT INTO due VALUES (?, ?)", due)
                cursor.execute("UPDATE numbers SET last = last + 1")
                cursor.execute("COMMIT")
            except BaseException:
                cursor.execute("ROLLBACK")
                raise
        self._finish()

    def _finish(self) -> None:
        """Rename and remove what a transaction has said."""
        due = self._database.execute("SELECT made, place FROM due ORDER BY made = ''").fetchall()
        directories = set()
        for made, place in due:
            there = self._directory / place
            if not made:
                there.unlink(missing_ok=True)
            elif (self._directory / made).exists():
                there.parent.mkdir(parents=True, exist_ok=True)
                (self._directory / made).replace(there)
            directories.add(there.parent)
        for directory in directories:
            # With those that were made for it.
            for each in (directory, *directory.parents[:3]):
                if each.is_relative_to(self._directory):
                    sync(each)
        if due:
            self._database.execute("DELETE FROM due")

    def _name(self, path: Path) -> str:
        return str(path.relative_to(self._directory))
