"""What a closed day counts to, kept beside its table so that figures of many days are there at once."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from schoolgate.monitoring.journal_tables import connected, explained, quoted, source

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

DECIDED = "event IN ('request.decided', 'tls.decided')"
# An event that no line has: how often somebody asked for a host that no list knows, or that was blocked.
OF_HOSTS = "hosts"
WHO = 'coalesce("user", device, client)'
HOUR_MS, DAY_MS = 3_600_000, 86_400_000
# Raised when something else is counted.
_VERSION = 2
_ORDER = "event, who, category, ts"
# The same for all rows of a day, so that it takes no room.
_DAY = f"min(ts) // {DAY_MS} * {DAY_MS}"
_N = 'sum(coalesce("count", 1))::BIGINT'
_COUNTED = f"""
    SELECT ts // {HOUR_MS} * {HOUR_MS} AS ts, event, {WHO} AS who, category, "group", verdict, kind,
        NULL::VARCHAR AS host, {_N} AS n
    FROM {{table}} WHERE {DECIDED} OR event = 'circumvention.seen' GROUP BY ALL
    UNION ALL
    SELECT {_DAY}, '{OF_HOSTS}', {WHO} AS who, NULL, NULL, verdict, NULL, host, {_N}
    FROM {{table}} WHERE {DECIDED} AND category IS NULL AND verdict IS DISTINCT FROM 'block' GROUP BY ALL
    UNION ALL
    SELECT {_DAY}, '{OF_HOSTS}', {WHO} AS who, coalesce(category, ''), NULL, verdict, NULL, host,
        {_N}
    FROM {{table}} WHERE {DECIDED} AND verdict = 'block' GROUP BY ALL
"""


def write_counts(table: Path, aside: Path) -> Path:
    """Count a table, in a directory aside.

    Raises:
        UnavailableError: when that cannot be done.
    """
    made = aside / "counts"
    with explained(), connected(aside) as duck:
        counted = _COUNTED.format(table=source([table]))
        duck.execute(
            f"COPY (SELECT * FROM ({counted}) ORDER BY {_ORDER}) TO {quoted(made)} (FORMAT parquet, "
            f"COMPRESSION zstd, COMPRESSION_LEVEL 15, PARQUET_VERSION V2, "
            f"KV_METADATA {{of_table: {quoted(_mark(table))}}})"
        )
    return made


def are_of(counts: Path, table: Path) -> bool:
    """Ask whether counts are those of a table as it is.

    Raises:
        OSError: when the table has gone.
        UnavailableError: when they cannot be read.
    """
    with explained(), connected() as duck:
        return counts in true_counts(duck, {counts: table})


def unlisted_hosts(counts: Sequence[Path]) -> list[str]:
    """Give the hosts of some days that no list knows and that somebody reached, each once.

    Raises:
        UnavailableError: when they cannot be read.
    """
    if not counts:
        return []
    with explained(), connected() as duck:
        asked = (
            f"SELECT DISTINCT host FROM {source(counts)} "
            f"WHERE event = '{OF_HOSTS}' AND category IS NULL AND host IS NOT NULL"
        )
        return [host for (host,) in duck.execute(asked).fetchall()]


def true_counts(duck: "DuckDBPyConnection", counts: Mapping[Path, Path]) -> set[Path]:
    """Give those of some counts that are of their tables as they are.

    Args:
        duck: what reads them.
        counts: with the table of each.

    Raises:
        OSError: when a table has gone.
    """
    if not counts:
        return set()
    files = ", ".join(quoted(path) for path in counts)
    asked = f"SELECT file_name, key, value FROM parquet_kv_metadata([{files}])"
    found = duck.execute(asked).fetchall()
    said = {(name, bytes(key)): bytes(value) for name, key, value in found}
    return {
        path
        for path, table in counts.items()
        if said.get((str(path), b"of_table")) == _mark(table).encode()
    }


def _mark(table: Path) -> str:
    state = table.stat()
    return f"{_VERSION} {state.st_size} {state.st_mtime_ns}"
