"""Lines of many gateways as Parquet by school, day and hour, made aside by DuckDB, which alone reads them.

    school=hermitage/day=2026-11-23/hour=10/000000000042-0.parquet

Every field of a line that a gateway may send is a column, and whatever else came is in `rest` as JSON.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from schoolgate.monitoring.journal_files import sync
from schoolgate.monitoring.journal_gathered_lines import (
    ARRIVED,
    GATEWAY,
    KNOWN,
    NUMBERS,
    REST,
    SCHOOL,
    TEXTS,
)
from schoolgate.monitoring.journal_tables import connected, explained, quoted

_PARTITIONS = ("school", "day", "hour")
# A clock that is further from the time of arrival than that is wrong: days without a line, and some minutes.
_EARLIEST, _LATEST = "INTERVAL 60 DAYS", "INTERVAL 1 DAY"
_OPEN_FILES = 4_096
_LEVEL = 3


@dataclass(frozen=True, slots=True)
class Made:
    """What was made of lines.

    Attributes:
        files: each file, which is on the disk for certain, and its place below the tables' directory.
        events: lines that are in them, by school and gateway; None where all are.
    """

    files: dict[Path, Path]
    events: dict[tuple[str, str], int] | None


def write_tables(lines: Path, count: int, aside: Path, number: int) -> Made:
    """Make tables of lines; one that is none is in no table, and holds nobody up.

    Args:
        lines: as `journal_gathered_lines` marks them.
        count: how many.
        aside: an empty directory, on the same disk as the tables.
        number: which the files bear.

    Raises:
        OSError: when there is no room.
        UnavailableError: when DuckDB cannot do it.
    """
    made, read = aside / "made", _read(lines)
    with explained(), connected(aside) as duck:
        duck.execute("SET preserve_insertion_order = false")
        duck.execute(f"SET partitioned_write_max_open_files = {_OPEN_FILES}")
        written = duck.execute(
            f"COPY (SELECT {_columns()} FROM (SELECT *, {_TS} AS said FROM {read}) "
            f"WHERE {SCHOOL} IS NOT NULL) TO {quoted(made)} (FORMAT parquet, COMPRESSION zstd, "
            f"COMPRESSION_LEVEL {_LEVEL}, PARTITION_BY ({', '.join(_PARTITIONS)}))"
        ).fetchone()
        events = None
        if written != (count,):
            asked = f"SELECT {SCHOOL}, {GATEWAY}, count(*) FROM {read} WHERE {SCHOOL} IS NOT NULL"
            found = duck.execute(f"{asked} GROUP BY ALL").fetchall()
            events = {(school, gateway): lines for school, gateway, lines in found}
    return Made(dict(_placed(made, number)), events)


def write_joined(tables: Sequence[Path], aside: Path) -> Path:
    """Make one table of several, by time; give it, which is on the disk for certain.

    Raises:
        OSError: when there is no room.
        UnavailableError: when DuckDB cannot do it.
    """
    made, names = aside / "joined.parquet", ", ".join(quoted(table) for table in tables)
    with explained(), connected(aside) as duck:
        duck.execute(
            f"COPY (SELECT * FROM read_parquet([{names}], hive_partitioning = false) "
            f"ORDER BY ts, gateway, id) TO {quoted(made)} "
            f"(FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL {_LEVEL})"
        )
    sync(made)
    return made


# The time in UTC, whatever its zone; NULL where it is none.
_TS = """CASE WHEN ts NOT LIKE '____-__-__T%' THEN NULL
WHEN ends_with(ts, '+00:00') OR ends_with(ts, 'Z') THEN TRY_CAST(ts AS TIMESTAMP)
ELSE make_timestamp(epoch_us(coalesce(
    TRY_CAST(ts || '+00:00' AS TIMESTAMPTZ), TRY_CAST(ts AS TIMESTAMPTZ)))) END"""


def _read(lines: Path) -> str:
    """Give the SQL that reads lines; of one that is none all columns are NULL."""
    names = (SCHOOL, GATEWAY, ARRIVED, REST, *sorted(KNOWN))
    types = ", ".join(f"'{name}': 'VARCHAR'" for name in names)
    return (
        f"read_json({quoted(lines)}, format = 'newline_delimited', columns = {{{types}}}, "
        "ignore_errors = true, maximum_object_size = 33554432)"
    )


def _columns() -> str:
    texts = ", ".join(f'"{name}"' for name in TEXTS if name != "gateway")
    numbers = ", ".join(f'TRY_CAST("{name}" AS BIGINT) AS "{name}"' for name in NUMBERS)
    arrived = f"{ARRIVED}::TIMESTAMP"
    at = (
        f"CASE WHEN said BETWEEN {arrived} - {_EARLIEST} AND {arrived} + {_LATEST} "
        f"THEN said ELSE {arrived} END"
    )
    return (
        f"said::TIMESTAMP_MS AS ts, {texts}, {GATEWAY} AS gateway, {numbers}, {REST} AS rest, "
        f"{SCHOOL} AS school, strftime({at}, '%Y-%m-%d') AS day, strftime({at}, '%H') AS hour"
    )


def _placed(made: Path, number: int) -> Iterator[tuple[Path, Path]]:
    for count, path in enumerate(sorted(made.rglob("*.parquet"))):
        sync(path)
        yield path, path.relative_to(made).parent / f"{number:012}-{count}.parquet"
