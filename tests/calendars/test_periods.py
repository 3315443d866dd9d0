"""A table of periods: its rows, and every way in which it can be wrong."""

from pathlib import Path

import pytest

from schoolgate.core.errors import ConfigurationError
from schoolgate.core.timetable import Place, RangeEntry
from tests.calendars.ics import read

HEAD = "period,days,start,end,week\n"


def rows(directory: Path, text: str) -> list[tuple[str, list[int], str, int, int]]:
    return [
        (entry.period, sorted(entry.days), entry.week, entry.start, entry.end)
        for entry in read(directory, text, name="p.csv").ranges
    ]


@pytest.mark.parametrize(
    ("text", "want"),
    [
        (HEAD + "Lessons,mon-thu,09:00,10:30,\n", [("Lessons", [0, 1, 2, 3], "", 540, 630)]),
        (HEAD + "Lessons,mon,09:00,24:00,A\n", [("Lessons", [0], "A", 540, 1440)]),
        (HEAD + "Lessons,mon B,09:00,10:00,\n", [("Lessons", [0], "B", 540, 600)]),
        (HEAD + '"Lessons, long","mon,wed",09:00,10:00,\n',
         [("Lessons, long", [0, 2], "", 540, 600)]),
        (HEAD + "Night,sun-thu,22:00,06:00,\n", [("Night", [0, 1, 2, 3, 6], "", 1320, 360)]),
        ("\ufeffEnd;START;Days;Period\r\n10:30:00;09:00:00;fri;Break\r\n\r\n",
         [("Break", [4], "", 540, 630)]),
        ("\n" + HEAD + "\n,,,,\na,mon,09:00,10:00\nb,tue,09:00,10:00,,,\n",
         [("a", [0], "", 540, 600), ("b", [1], "", 540, 600)]),
    ],
)  # fmt: skip
def test_each_row_is_a_time(
    tmp_path: Path, text: str, want: list[tuple[str, list[int], str, int, int]]
) -> None:
    assert rows(tmp_path, text) == want


def test_each_row_knows_its_line(tmp_path: Path) -> None:
    text = HEAD + '"a\nb",mon,09:00,10:00,\nc,tue,09:00,10:00,\n'
    lines = [entry.place.line for entry in read(tmp_path, text, name="p.csv").ranges]
    assert lines == [3, 4]
    place = Place(str(tmp_path / "p.csv"), 2)
    [entry] = read(tmp_path, HEAD + "a,mon,09:00,10:00,A", name="p.csv").ranges
    assert entry == RangeEntry("a", 540, 600, place, days=frozenset({0}), week="A")


@pytest.mark.parametrize(
    ("text", "line", "want"),
    [
        ("", 0, "is empty"),
        (HEAD, 0, "holds no rows"),
        ("period,day,start,end\na,mon,09:00,10:00\n", 1, "unknown column 'day' (did you mean 'days'?)"),
        ("period,days,start\n", 1, "the column 'end' is missing"),
        ("period,days,start,end,end\n", 1, "the column 'end' is there twice"),
        (HEAD + "a,mon,9:00,10:00,\n", 2, "'9:00' is no time (write '09:00')"),
        (HEAD + "a,mon,24:00,10:00,\n", 2, "'24:00' can only be an end (the day begins at '00:00')"),
        (HEAD + "a,mnd,09:00,10:00,\n", 2, "unknown weekday 'mnd' (did you mean 'monday'?)"),
        (HEAD + "a,,09:00,10:00,\n", 2, "'days' is empty"),
        (HEAD + "a,mon A,09:00,10:00,B\n", 2, "names the weeks 'A' and 'B'"),
        (HEAD + "a,mon,wed,09:00,10:00,A\n", 2,
         'has 6 cells below 5 headings (put days that are separated by commas into quotes: "mon,wed")'),
        (HEAD + 'a,"mon,09:00,10:00,\n', 0,
         "is no table: unexpected end of data (export it as CSV again)"),
        (HEAD + "a" * 200_000 + ",mon,09:00,10:00,\n", 0,
         "is no table: field larger than field limit (131072) (export it as CSV again)"),
        (HEAD + "a,mon,09:00,10:00,\n" * 5_001, 5_002, "holds more than 5000 rows"),
    ],
)  # fmt: skip
def test_a_fault_is_named_with_its_line(tmp_path: Path, text: str, line: int, want: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read(tmp_path, text, name="p.csv")
    found = [
        (f.line, f"{f.message} ({f.hint})" if f.hint else f.message) for f in caught.value.faults
    ]
    assert (line, want) in found
