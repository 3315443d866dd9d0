"""The examples of docs/timetable.md are timetables, and come to what the page says."""

import re
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from schoolgate.calendars import DEFAULT_WORDS, MAX_EVENTS, MAX_OCCURRENCES, MAX_REPEATING
from schoolgate.calendars.occurrences import MAX_DATES
from schoolgate.calendars.periods import MAX_ROWS
from schoolgate.core.timetable import DayKind, Meaning, Timetable
from schoolgate.documents import MAX_BYTES
from schoolgate.services.timetables import calendars_on
from schoolgate.settings import load_timetable
from tests.gateway import ROOT

PAGE = (ROOT / "docs" / "timetable.md").read_text()
TODAY = date(2026, 11, 21)


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture
def timetables(tmp_path: Path) -> list[Timetable]:
    [calendar], [table] = blocks("ics"), blocks("csv")
    (tmp_path / "school.ics").write_text(calendar)
    (tmp_path / "periods.csv").write_text(table)
    holiday = calendar.replace("INSET day", "Christmas").replace("20260902\nEND", "20261225\nEND")
    events = holiday.split("BEGIN:VEVENT")
    (tmp_path / "bank-holidays.ics").write_text(
        f"{events[0]}BEGIN:VEVENT{events[2]}END:VCALENDAR\n"
    )
    found = []
    for text in blocks("yaml"):
        file = tmp_path / "timetable.yaml"
        file.write_text(text)
        found.append(load_timetable(file, calendars_on(TODAY)))
    return found


def at(timetable: Timetable, text: str) -> str | None:
    now = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Europe/London"))
    return timetable.period_at(now)


def test_the_first_example(timetables: list[Timetable]) -> None:
    first = timetables[0]
    assert at(first, "2026-09-02T09:00") is None
    assert at(first, "2026-09-03T10:40") == "break"
    assert at(first, "2026-12-18T11:59") == "lessons"
    assert first.spelt_out("school-day") == ("lessons", "break")


def test_the_kinds_of_days(timetables: list[Timetable]) -> None:
    second = timetables[1]
    assert at(second, "2026-09-02T15:20") == "training"
    assert at(second, "2026-10-09T11:00") is None
    assert at(second, "2026-10-09T22:10") is None
    assert at(second, "2026-11-14T15:00") == "lessons"
    assert at(second, "2026-12-18T14:00") is None
    assert at(second, "2026-12-18T22:00") == "night"
    assert at(second, "2026-12-26T05:59") == "night"


def test_the_two_weeks(timetables: list[Timetable]) -> None:
    third = timetables[2].calendar
    assert third.week(date(2026, 10, 19)) == "A"
    assert third.week(date(2026, 11, 2)) == "B"
    assert third.weeks is not None
    text = blocks("yaml")[2]
    assert ", skip_holidays: true" in text
    days = (date(2026, 11, 2) - date(2026, 9, 7)).days
    assert days // 7 % 2 == 0, "without it, it is A"


def test_the_calendar_files(timetables: list[Timetable]) -> None:
    fourth = timetables[3]
    assert fourth.day_kind(date(2026, 9, 2)) is DayKind.INSET
    assert fourth.day_kind(date(2026, 12, 25)) is DayKind.CLOSED
    assert fourth.day_kind(date(2027, 1, 1)) is DayKind.HOLIDAY
    assert fourth.early_closing == {date(2026, 12, 18): 13 * 60 + 30}
    assert at(fourth, "2026-09-11T11:59") == "lessons"
    assert at(fourth, "2026-09-07T10:30") == "break"
    assert at(fourth, "2026-09-08T10:30") is None


def test_the_words_and_bounds_are_those_of_the_program() -> None:
    for meaning in Meaning:
        [row] = re.findall(rf"^\| `{meaning}`.*? \| (.*) \|$", PAGE, re.MULTILINE)
        if meaning is not Meaning.PERIOD:
            assert tuple(row.split(", ")) == DEFAULT_WORDS[meaning]
    for bound in (MAX_EVENTS, MAX_REPEATING, MAX_DATES, MAX_OCCURRENCES, MAX_ROWS):
        assert f"| {bound:,}" in PAGE
    assert MAX_BYTES == 16 * 1024 * 1024
