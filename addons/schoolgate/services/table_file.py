"""A table as CSV (RFC 4180) in which no cell is a formula."""

import csv
import io
from collections.abc import Iterable

# What a table program takes for a formula (OWASP, CSV injection).
_FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001 - those of East Asia


def csv_of(columns: Iterable[str], rows: Iterable[Iterable[str]]) -> bytes:
    """Give the text of a table, with a mark by which table programs know that it is UTF-8.

    Args:
        columns: their titles.
        rows: of cells.
    """
    out = io.StringIO(newline="")
    table = csv.writer(out)
    table.writerow(columns)
    table.writerows([inert(cell) for cell in row] for row in rows)
    return out.getvalue().encode("utf-8-sig")


def inert(cell: str) -> str:
    """Give a cell that no table program runs."""
    return f"'{cell}" if cell.startswith(_FORMULAS) else cell
