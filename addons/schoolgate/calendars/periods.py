"""A table of periods as CSV: one row for each time of a period."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from schoolgate.core.errors import ConfigurationError, Fault
from schoolgate.core.timetable import (
    CalendarSource,
    Imported,
    NotationError,
    Place,
    RangeEntry,
    parse_days,
    parse_minute,
)
from schoolgate.documents import read_text, suggestion

MAX_ROWS = 5_000

_NEEDED = ("period", "days", "start", "end")
_COLUMNS = (*_NEEDED, "week")


def read_periods(source: CalendarSource) -> Imported:
    """Read a table with the columns period, days, start and end, and perhaps week.

    An end before the start passes midnight, where the timetable says so of the period.

    Raises:
        ConfigurationError: with every fault, each with its line.
    """
    text = read_text(Path(source.path))
    if not text.strip():
        raise ConfigurationError([Fault(source.path, 0, "is empty")])
    faults: list[Fault] = []
    ranges: list[RangeEntry] = []
    try:
        for place, row in _rows(source.path, text, faults):
            try:
                ranges.append(_entry(row, place))
            except NotationError as error:
                faults.append(Fault(place.file, place.line, str(error), error.hint))
    except csv.Error as error:
        faults.append(Fault(source.path, 0, f"is no table: {error}", "export it as CSV again"))
    if not (faults or ranges):
        faults.append(Fault(source.path, 0, "holds no rows"))
    if faults:
        raise ConfigurationError(faults)
    return Imported(ranges=tuple(ranges))


def _rows(path: str, text: str, faults: list[Fault]) -> Iterator[tuple[Place, dict[str, str]]]:
    """Give the rows below the heading, each by its columns."""
    # Spreadsheets of some languages separate by semicolons.
    heading = text.lstrip().partition("\n")[0]
    separator = ";" if heading.count(";") > heading.count(",") else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    columns: list[str] = []
    rows = 0
    for cells in reader:
        values = [cell.strip() for cell in cells]
        if not any(values):
            continue
        place = Place(path, reader.line_num)
        if not columns:
            columns = [value.lower() for value in values]
            faults.extend(_heading_faults(columns, place))
            if faults:
                return
            continue
        rows += 1
        if rows > MAX_ROWS:
            faults.append(Fault(path, place.line, f"holds more than {MAX_ROWS} rows"))
            return
        if len(values) > len(columns) and any(values[len(columns) :]):
            message = f"has {len(values)} cells below {len(columns)} headings"
            hint = 'put days that are separated by commas into quotes: "mon,wed"'
            faults.append(Fault(path, place.line, message, hint))
            continue
        yield place, dict(zip(columns, values, strict=False))


def _heading_faults(columns: list[str], place: Place) -> Iterator[Fault]:
    for name in columns:
        if name and name not in _COLUMNS:
            message = f"unknown column '{name[:40]}'"
            hint = suggestion(name[:40], _COLUMNS) or f"known are {', '.join(_COLUMNS)}"
            yield Fault(place.file, place.line, message, hint)
    for name in _NEEDED:
        if name not in columns:
            yield Fault(place.file, place.line, f"the column '{name}' is missing")
    for name in _COLUMNS:
        if columns.count(name) > 1:
            yield Fault(place.file, place.line, f"the column '{name}' is there twice")


def _entry(row: dict[str, str], place: Place) -> RangeEntry:
    for name in _NEEDED:
        if not row.get(name):
            raise NotationError(f"'{name}' is empty")
    days, week = parse_days(row["days"])
    written_week = row.get("week", "")
    if week and written_week and week != written_week:
        raise NotationError(f"names the weeks '{week}' and '{written_week}'")
    return RangeEntry(
        row["period"],
        parse_minute(_without_seconds(row["start"])),
        parse_minute(_without_seconds(row["end"]), end=True),
        place,
        days=days,
        week=week or written_week,
    )


def _without_seconds(text: str) -> str:
    """Give a time as spreadsheets write it without the seconds that are none."""
    return text.removesuffix(":00") if text.count(":") == 2 else text
