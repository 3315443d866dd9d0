"""Lines of many gateways as Parquet by school, day and hour, made aside by DuckDB.

    school=hermitage/day=2026-11-23/hour=10/000000000042-0.parquet

Every field of a line that a gateway may send is a column, and whatever else came is in `rest` as JSON.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

from schoolgate.monitoring.journal_files import sync
from schoolgate.monitoring.journal_tables import connected, explained, quoted

_TEXTS = (
    "id", "gateway", "event", "who", "client", "device", "user", "also", "grant", "group", "network",
    "period", "device_kind", "tls", "kind", "theme", "severity", "method", "scheme", "host", "inner_host",
    "entry", "url", "search", "file_name", "verdict", "reason", "clause", "category", "shape", "feed",
    "rule", "policy", "check", "list_version", "list_hash",
)  # fmt: skip
_NUMBERS = ("worker", "score", "status", "bytes_up", "bytes_down", "duration_ms", "decision_us")
_KNOWN = frozenset(("ts", *_TEXTS, *_NUMBERS))
_PARTITIONS = ("school", "day", "hour")
# A clock that is further from the time of arrival than that is wrong: days without a line, and some minutes.
_EARLIEST, _LATEST = timedelta(days=60), timedelta(days=1)
_OPEN_FILES = 4_096
_LEVEL = 3


def row(line: bytes, school: str, gateway: str, arrived: datetime) -> dict[str, Any] | None:
    """Give a line as what a table is made of; None where it is none.

    Args:
        line: JSON, as a gateway has sent it: whatever it says, it is of this school and gateway.
        school: as the server of NATS knows.
        gateway: likewise.
        arrived: when, in UTC.
    """
    try:
        record = orjson.loads(line)
    except ValueError:
        return None
    if not isinstance(record, dict):
        return None
    if not record.keys() <= _KNOWN:
        rest = {name: record.pop(name) for name in record.keys() - _KNOWN}
        record["rest"] = orjson.dumps(rest, option=orjson.OPT_SORT_KEYS).decode()
    at = _hour(record.get("ts"), arrived)
    record["school"], record["gateway"] = school, gateway
    record["day"], record["hour"] = at[:10], at[11:13]
    return record


def write_tables(rows: Iterable[Mapping[str, Any]], aside: Path, number: int) -> dict[Path, Path]:
    """Make tables of rows.

    Args:
        rows: as `row` gives them.
        aside: an empty directory, on the same disk as the tables.
        number: which the files bear.

    Returns:
        Each file that was made, which is on the disk for certain, and its place below the tables' directory.

    Raises:
        OSError: when there is no room.
        UnavailableError: when DuckDB cannot do it.
    """
    lines, made = aside / "rows.json", aside / "made"
    with lines.open("wb") as file:
        file.writelines(orjson.dumps(one) + b"\n" for one in rows)
    columns = dict.fromkeys((*_PARTITIONS, "rest", *sorted(_KNOWN)), "VARCHAR")
    types = ", ".join(f"'{name}': '{kind}'" for name, kind in columns.items())
    with explained(), connected(aside) as duck:
        duck.execute(f"SET partitioned_write_max_open_files = {_OPEN_FILES}")
        duck.execute(
            f"COPY (SELECT {_columns()} FROM read_json({quoted(lines)}, "
            f"format = 'newline_delimited', columns = {{{types}}}, "
            "maximum_object_size = 33554432)) "
            f"TO {quoted(made)} (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL {_LEVEL}, "
            f"PARTITION_BY ({', '.join(_PARTITIONS)}))"
        )
    lines.unlink()
    return dict(_placed(made, number))


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


def _columns() -> str:
    texts = ", ".join(f'"{name}"' for name in _TEXTS)
    numbers = ", ".join(f'TRY_CAST("{name}" AS BIGINT) AS "{name}"' for name in _NUMBERS)
    return f"TRY_CAST(ts AS TIMESTAMP_MS) AS ts, {texts}, {numbers}, rest, {', '.join(_PARTITIONS)}"


def _placed(made: Path, number: int) -> Iterator[tuple[Path, Path]]:
    for count, path in enumerate(sorted(made.rglob("*.parquet"))):
        sync(path)
        yield path, path.relative_to(made).parent / f"{number:012}-{count}.parquet"


def _hour(said: object, arrived: datetime) -> str:
    """Give day and hour in UTC, ``2026-11-23T10``: of the line, or of its arrival if its clock is wrong."""
    try:
        at = datetime.fromisoformat(said) if isinstance(said, str) else arrived
        at = at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        at = arrived
    if not arrived - _EARLIEST <= at <= arrived + _LATEST:
        at = arrived
    return f"{at:%Y-%m-%dT%H}"
