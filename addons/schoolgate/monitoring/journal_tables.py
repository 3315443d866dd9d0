"""Closed days of the journal as Parquet, written and read by DuckDB, which is loaded when it is needed.

A table is sorted by person and time, so that a person's rows lie together, names are kept once, and times and
numbers as differences: docs/journal.md. Never to be used in a worker's process.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import batched
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import orjson

from schoolgate.core.errors import UnavailableError
from schoolgate.monitoring.journal_columns import COLUMNS
from schoolgate.monitoring.journal_names import WHO
from schoolgate.monitoring.journal_slices import slices

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# A person's rows of a day are in one or two groups; larger ones take less room and longer to read.
ROWS_OF_GROUP = 122_880
# Of Zstandard: closing a day may take its time at night, and writing one anew must not, since an erasure
# writes many.
_LEVEL, _LEVEL_ANEW = 17, 12
_LINES_AT_ONCE = 50_000
_MEMORY = "700MB"
_THREADS = 2
_FETCHED = 10_000
# Whose rows lie together, and in which order.
_BY_PERSON = ("coalesce(\"user\", device, client, '')", "coalesce(ts, 0)")
_BY_TIME = ("coalesce(ts, 0)", "coalesce(seq, 0)")
_FACTS = b"schoolgate"


@dataclass(frozen=True, slots=True)
class Facts:
    """What a table says of itself.

    Attributes:
        merged: tokens of the files of lines that are in it.
        kept_by: by which rules of retention, as `journal_retention` writes them down.
    """

    merged: tuple[str, ...] = ()
    kept_by: str = ""

    def text(self) -> str:
        """Give it as it stands in the file."""
        return json.dumps({"merged": self.merged, "kept_by": self.kept_by}, sort_keys=True)


def connected(aside: Path | None = None) -> "DuckDBPyConnection":
    """Open DuckDB in memory, closed to the network.

    Args:
        aside: directory for what does not fit into memory; without, nothing is laid on the disk.

    Raises:
        UnavailableError: when it is not installed.
    """
    try:
        import duckdb  # noqa: PLC0415 - 65 MB that only those load who read or keep closed days
    except ImportError as error:
        raise UnavailableError(f"DuckDB is missing, which reads the journal: {error}") from error
    duck = duckdb.connect(
        ":memory:",
        config={
            "memory_limit": _MEMORY,
            "threads": _THREADS,
            "temp_directory": str(aside) if aside else "",
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "allow_community_extensions": False,
        },
    )
    duck.execute("SET enable_progress_bar = false")
    return duck


def write_table(
    rows: Iterable[Mapping[str, Any]], tables: Sequence[Path], facts: Facts, aside: Path
) -> Path:
    """Make a table of rows and of other tables, in a directory aside.

    Args:
        rows: with names of `COLUMNS`.
        tables: that become part of it.
        facts: that it says of itself.
        aside: an empty directory; the table in it is not yet on the disk for certain.

    Raises:
        OSError: when there is no room.
        UnavailableError: when DuckDB cannot do it.
    """
    with explained(), connected(aside) as duck:
        parts = list(_parts(duck, rows, aside))
        made = aside / "table"
        # Lines of a back-up may be in the table already.
        known = " AND ".join(
            f"NOT EXISTS (FROM {source([table])} AS there "
            "WHERE there.run = part.run AND there.seq = part.seq)"
            for table in tables
        )
        asked = " UNION ALL ".join(
            [
                *(f"SELECT * FROM {source([table])}" for table in tables),
                *(
                    f"SELECT * FROM {source([part])} AS part WHERE {known or 'true'}"
                    for part in parts
                ),
            ]
        )
        _copy_sorted(duck, asked or _nothing(), [], made, facts, _LEVEL)
    return made


def rewrite_table(
    table: Path,
    columns: Mapping[str, str],
    kept: str,
    values: Sequence[Any],
    facts: Facts,
    aside: Path,
) -> tuple[Path, int]:
    """Make a table anew without some of its rows and values.

    Args:
        table: as it is.
        columns: SQL by the column that it takes the place of.
        kept: SQL that says which rows are in the new one.
        values: of the question marks in ``columns``, then in ``kept``.
        facts: that the new one says of itself.
        aside: an empty directory.

    Returns:
        The new one, and how many rows it has.

    Raises:
        OSError: when there is no room.
        UnavailableError: when DuckDB cannot do it.
    """
    chosen = ", ".join(f'{sql} AS "{name}"' for name, sql in columns.items())
    replaced = f"REPLACE ({chosen})" if chosen else ""
    with explained(), connected(aside) as duck:
        made = aside / "table"
        asked = f"SELECT * {replaced} FROM read_parquet({quoted(table)}) WHERE {kept}"
        # Only who it was, and when, can change the order.
        copy = _copy if columns.keys().isdisjoint((*WHO, "ts", "seq")) else _copy_sorted
        copy(duck, asked, values, made, facts, _LEVEL_ANEW)
        counted = duck.execute(f"SELECT count(*) FROM read_parquet({quoted(made)})").fetchone()
    return made, int(counted[0]) if counted else 0


def facts_of(table: Path) -> Facts:
    """Give what a table says of itself.

    Raises:
        UnavailableError: when it cannot be read.
    """
    with explained(), connected() as duck:
        asked = f"SELECT key, value FROM parquet_kv_metadata({quoted(table)})"
        said = {bytes(key): bytes(value) for key, value in duck.execute(asked).fetchall()}
    data = json.loads(said.get(_FACTS, b"{}"))
    return Facts(tuple(data.get("merged", ())), data.get("kept_by", ""))


def rows_of(
    tables: Sequence[Path], kept: str = "true", values: Sequence[Any] = (), end: str = ""
) -> Iterator[dict[str, Any]]:
    """Give rows of tables, with those columns that have a value.

    Args:
        tables: that are read.
        kept: SQL that says which rows.
        values: of its question marks.
        end: SQL of order and limit.

    Raises:
        UnavailableError: when one cannot be read.
    """
    if not tables:
        return
    # What is sorted may be more than the memory that it may take.
    with explained(), TemporaryDirectory() as aside, connected(Path(aside)) as duck:
        yield from _fetched(duck, f"{_chosen(tables, kept)} {end}", values)


def rows_by_time(
    tables: Sequence[Path], kept: str = "true", values: Sequence[Any] = ()
) -> Iterator[dict[str, Any]]:
    """Give rows as `rows_of`, the oldest first, however many there are."""
    if not tables:
        return
    with explained(), TemporaryDirectory() as aside, connected(Path(aside)) as duck:
        asked, order = _chosen(tables, kept), ", ".join(_BY_TIME)
        for which, bounds in slices(duck, asked, values, _BY_TIME):
            slice_ = f"SELECT * FROM ({asked}) WHERE {which} ORDER BY {order}"
            yield from _fetched(duck, slice_, [*values, *bounds])


def _chosen(tables: Sequence[Path], kept: str) -> str:
    return f"SELECT * FROM {source(tables)} WHERE {kept}"


def _fetched(
    duck: "DuckDBPyConnection", asked: str, values: Sequence[Any]
) -> Iterator[dict[str, Any]]:
    found = duck.execute(asked, list(values))
    names = [column[0] for column in found.description or ()]
    while some := found.fetchmany(_FETCHED):
        for row in some:
            yield {name: value for name, value in zip(names, row, strict=True) if value is not None}


def source(tables: Sequence[Path]) -> str:
    """Give the SQL that reads tables as one."""
    return f"read_parquet([{', '.join(quoted(table) for table in tables)}])"


def quoted(path: Path | str) -> str:
    """Give a text as SQL writes it."""
    return "'" + str(path).replace("'", "''") + "'"


def _parts(
    duck: "DuckDBPyConnection", rows: Iterable[Mapping[str, Any]], aside: Path
) -> Iterator[Path]:
    """Lay rows aside as small tables: DuckDB reads JSON many times faster than rows from Python."""
    types = ", ".join(f"'{name}': '{kind}'" for name, kind in COLUMNS.items())
    lines = aside / "rows.json"
    for number, some in enumerate(batched(rows, _LINES_AT_ONCE)):
        lines.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in some))
        part = aside / f"part-{number}"
        duck.execute(
            f"COPY (SELECT * FROM read_json({quoted(lines)}, format = 'newline_delimited', "
            f"columns = {{{types}}}, maximum_object_size = 16777216)) "
            f"TO {quoted(part)} (FORMAT parquet, COMPRESSION lz4)"
        )
        yield part
    lines.unlink(missing_ok=True)


def _copy_sorted(
    duck: "DuckDBPyConnection",
    asked: str,
    values: Sequence[Any],
    made: Path,
    facts: Facts,
    level: int,
) -> None:
    """Write what was asked for as a table, sorted, by way of slices that lie beside it."""
    order, sorted_ = ", ".join((*_BY_PERSON, "seq")), list[Path]()
    for which, bounds in slices(duck, asked, values, _BY_PERSON):
        sorted_.append(made.with_name(f"slice-{len(sorted_)}"))
        duck.execute(
            f"COPY (SELECT * FROM ({asked}) WHERE {which} ORDER BY {order}) "
            f"TO {quoted(sorted_[-1])} (FORMAT parquet, COMPRESSION lz4)",
            [*values, *bounds],
        )
    _copy(duck, f"SELECT * FROM {source(sorted_)}", [], made, facts, level)
    for path in sorted_:
        path.unlink()


def _copy(
    duck: "DuckDBPyConnection",
    asked: str,
    values: Sequence[Any],
    made: Path,
    facts: Facts,
    level: int,
) -> None:
    """Write what was asked for as a table, in the order in which it comes."""
    duck.execute(
        f"COPY ({asked}) TO {quoted(made)} (FORMAT parquet, "
        f"COMPRESSION zstd, COMPRESSION_LEVEL {level}, PARQUET_VERSION V2, "
        f"ROW_GROUP_SIZE {ROWS_OF_GROUP}, KV_METADATA {{schoolgate: {quoted(facts.text())}}})",
        list(values),
    )


def _nothing() -> str:
    columns = ", ".join(f'NULL::{kind} AS "{name}"' for name, kind in COLUMNS.items())
    return f"SELECT {columns} WHERE false"


class explained:  # noqa: N801 - reads as a statement
    """Turn an error of DuckDB's into one that says what cannot be done."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if error is not None and type(error).__module__.startswith(("duckdb", "_duckdb")):
            said = str(error).splitlines()[0]
            raise UnavailableError(
                f"the closed days of the journal cannot be used: {said}"
            ) from error
