"""Rows in an order, slice by slice: a large day does not fit into the memory that sorting may take."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# Of fifty columns, so that a slice takes some 150 MB.
_ROWS = 150_000


def slices(
    duck: "DuckDBPyConnection",
    asked: str,
    values: Sequence[Any],
    keys: tuple[str, str],
    rows: int = _ROWS,
) -> Iterator[tuple[str, list[Any]]]:
    """Cut what was asked for into slices that follow each other in the order of two keys.

    Args:
        duck: where it is asked.
        asked: SQL that gives rows.
        values: of its question marks.
        keys: SQL of both, which are never empty.
        rows: of a slice, about: those with the same keys are in one.

    Yields:
        SQL that says which rows are in the slice, and the values of its question marks.
    """
    first, second = keys
    pairs = f"SELECT {first} AS one, {second} AS two FROM ({asked})"
    numbered = f"SELECT *, row_number() OVER (ORDER BY one, two) AS n FROM ({pairs})"
    found = duck.execute(
        f"SELECT DISTINCT one, two FROM ({numbered}) WHERE n % {int(rows)} = 0 ORDER BY one, two",
        list(values),
    )
    cuts = found.fetchall()
    for low, high in zip((None, *cuts), (*cuts, None), strict=True):
        conditions, bounds = ["true"], list[Any]()
        if low is not None:
            conditions.append(f"{first} >= ? AND ({first} > ? OR {second} > ?)")
            bounds += [low[0], *low]
        if high is not None:
            conditions.append(f"{first} <= ? AND ({first} < ? OR {second} <= ?)")
            bounds += [high[0], *high]
        yield " AND ".join(conditions), bounds
