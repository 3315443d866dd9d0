"""A timetable's text: what it compiles to, and every way in which it can be wrong."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from schoolgate.core.errors import ConfigurationError, Fault
from schoolgate.core.timetable import (
    CalendarSource,
    DayEntry,
    DayKind,
    Imported,
    Meaning,
    Place,
    RangeEntry,
    Span,
    Timetable,
)
from schoolgate.settings.timetable_file import ReadCalendar, load_timetable
from schoolgate.settings.timetable_text import TimetableText

TEXT = """\
timetable:
  weeks: {names: [A, B], first: 2026-09-07}
  terms:
    - name: Autumn
      from: 2026-09-02
      to: 2026-12-18
      half_term: [2026-10-26, 2026-10-30]
    - name: Spring
      from: 2027-01-04
      to: 2027-03-24
  inset: [2026-09-01, [2027-01-04, 2027-01-05]]
  closed:
    - 2027-02-01
  early_closing:
    2026-12-18: "13:30"
  periods:
    lessons:
      title: Lessons
      times:
        mon-thu: ["09:00-10:30", "10:45-12:15"]
        fri A: "09:00-12:00"
        fri B:
          - "09:00-11:00"
    break:
      title: Break
      times:
        mon-fri: ["12:15-13:15"]
    night:
      title: Night
      overnight: true
      held: [school, inset, holiday, closed]
      times:
        daily: ["22:00-06:00"]
  plans:
    sports:
      lessons: ["09:00-10:00"]
      break: ["10:00-11:00"]
  days:
    2026-12-04: sports
    2027-03-13: mon
    2027-03-14: fri B
  period_groups:
    school-day: [lessons, break]
"""


def load(directory: Path, text: str = TEXT, read: ReadCalendar | None = None) -> Timetable:
    file = directory / "t.yaml"
    file.write_text(text)
    return load_timetable(file, read)


def faults(directory: Path, text: str, read: ReadCalendar | None = None) -> list[Fault]:
    with pytest.raises(ConfigurationError) as caught:
        load(directory, text, read)
    return list(caught.value.faults)


def changed(*changes: tuple[str, str]) -> str:
    text = TEXT
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    return text


def line_of(text: str, part: str) -> int:
    return text[: text.index(part)].count("\n") + 1


# -- a timetable in order -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "want"),
    [
        (date(2026, 9, 7), "lessons 09:00-10:30, lessons 10:45-12:15, break 12:15-13:15, night"),
        (date(2026, 9, 11), "lessons 09:00-12:00, break 12:15-13:15, night"),
        (date(2026, 9, 18), "lessons 09:00-11:00, break 12:15-13:15, night"),
        (date(2026, 9, 1), "night"),
        (date(2026, 10, 26), "night"),
        (date(2027, 2, 1), "night"),
        (date(2026, 12, 18), "lessons 09:00-12:00, break 12:15-13:15, night"),
        (date(2026, 12, 4), "lessons 09:00-10:00, break 10:00-11:00"),
        (date(2027, 3, 13), "lessons 09:00-10:30, lessons 10:45-12:15, break 12:15-13:15, night"),
        (date(2027, 3, 14), "lessons 09:00-11:00, break 12:15-13:15, night"),
    ],
)
def test_what_is_held_on_a_day(tmp_path: Path, day: date, want: str) -> None:
    found = ", ".join(f"{r.period} {r}" for r in load(tmp_path).ranges(day))
    assert found.replace("night 22:00-06:00", "night") == want


def test_what_else_a_timetable_says(tmp_path: Path) -> None:
    timetable = load(tmp_path)
    assert timetable.periods == {"lessons": "Lessons", "break": "Break", "night": "Night"}
    assert timetable.groups == {"school-day": ("lessons", "break")}
    assert timetable.zone.key == "Europe/London"
    assert timetable.is_term_day(date(2026, 9, 7))
    assert not timetable.is_term_day(date(2027, 1, 5))
    assert timetable.day_kind(date(2027, 1, 5)) is DayKind.INSET
    assert timetable.period_at(datetime(2026, 9, 7, 8, 30, tzinfo=UTC)) == "lessons"


def test_each_range_knows_its_line(tmp_path: Path) -> None:
    friday = load(tmp_path).ranges(date(2026, 9, 18))[0]
    assert friday.place == Place(str(tmp_path / "t.yaml"), line_of(TEXT, '- "09:00-11:00"'))


def test_the_least_that_a_timetable_needs(tmp_path: Path) -> None:
    text = 'timetable: {periods: {day: {title: Day, times: {mon-fri: "09:00-15:00"}}}}\n'
    timetable = load(tmp_path, text)
    assert timetable.period_at(datetime(2026, 8, 3, 8, tzinfo=UTC)) == "day"
    assert timetable.calendar.week(date(2026, 8, 3)) is None


def test_the_form_has_a_schema_for_editors() -> None:
    schema = TypeAdapter(TimetableText).json_schema()
    assert schema["properties"]["inset"]["items"]["anyOf"][0] == {
        "type": "string", "format": "date",
    }  # fmt: skip


# -- a timetable with a fault ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "place", "want"),
    [
        # the form
        ("  inset:", "  insert:", "insert", "unknown key 'insert' (did you mean 'inset'?)"),
        ("      title: Break\n", "      titel: Break\n", "    break:", "the key 'title' is missing"),
        ('"13:30"', "13:30", "2026-12-18: 13", "write \"13:30\", in quotes"),
        ('"13:30"', "9.5", "2026-12-18: 9", "'9.5' is no time: write it as \"09:00\", in quotes"),
        ("[2026-09-01,", "[soon,", "inset", "'soon' is no date: write it as 2026-09-01"),
        ("[2026-09-01,", "[2026-9-1,", "inset", "'2026-9-1' is no date: write it as 2026-09-01"),
        ("[2026-09-01,", "[12,", "inset", "'12' is no date: write it as 2026-09-01"),
        ("2026-12-04: sports", "2027-02-29: sports", "2027-02-29",
         "'2027-02-29' is no date of the calendar"),
        ("to: 2026-12-18", "to: 3026-12-18", "to: 3026",
         "'3026-12-18' is a year for which nobody makes a timetable"),
        ("[2027-01-04, 2027-01-05]", "[2027-01-05, 2027-01-04]", "inset",
         "'2027-01-04' is before '2027-01-05': write the first date first"),
        ("[2027-01-04, 2027-01-05]", "[2027-01-04]", "inset",
         "write a date, or the first and the last: [2026-10-26, 2026-10-30]"),
        ("[2027-01-04, 2027-01-05]", "[2027-01-04, 2057-01-05]", "inset",
         "lasts from '2027-01-04' to '2057-01-05', longer than a year"),
        ("  weeks:", "  zone: Europe/Londno\n  weeks:", "zone",
         "unknown time zone 'Europe/Londno' (did you mean 'Europe/London'?)"),
        # weeks
        ("[A, B]", "[A]", "weeks", "the weeks need two or more different names (such as [A, B])"),
        ("[A, B]", "[A, A]", "weeks", "the weeks need two or more different names (such as [A, B])"),
        ("first: 2026-09-07", "first: [2027-01-04, 2026-09-07]", "weeks",
         "the dates are not in their order"),
        ("fri B:", "fri C:", "fri C", "unknown week 'C' (the weeks are A, B)"),
        ("fri B:", "fri b:", "fri b", "unknown week 'b' (the weeks are A, B)"),
        # terms
        ("to: 2026-12-18", "to: 2026-08-18", "to: 2026-08", "the term 'Autumn' ends before it starts"),
        ("to: 2026-12-18", "to: 2027-01-04", "- name: Spring",
         "the term 'Spring' overlaps 'Autumn' (line 4)"),
        ("to: 2027-03-24", "to: 2029-03-24", "to: 2029", "the term 'Spring' is longer than a year"),
        ("name: Spring", "name: Autumn", "name: Autumn\n      from: 2027",
         "the term 'Autumn' is there twice"),
        ("[2026-10-26,", "[2026-08-26,", "half_term",
         "the half term is not inside the term 'Autumn'"),
        # dates
        ("- 2027-02-01", "- [2027-02-01, 2027-02-01]\n    - 2027-02-01", "    - 2027-02-01\n",
         "2027-02-01 is there twice (line 13)"),
        ("- 2027-02-01", "- 2027-01-05", "- 2027-01-05",
         "2027-01-05 is an INSET day and closed (line 11) (name it once)"),
        ("2026-12-04: sports", "2027-02-01: sports", "2027-02-01: s",
         "2027-02-01 has a plan and is closed (line 13) (take it out there)"),
        ("2026-12-18: \"", "2026-12-19: \"", "2026-12-19",
         "closes early on 2026-12-19, which is outside every term"),
        ("2026-12-18: \"", "2027-02-01: \"", "2027-02-01: \"",
         "closes early on 2027-02-01, when the school is closed anyway"),
        ("2026-12-18: \"", "2026-10-26: \"", "2026-10-26: \"",
         "closes early on 2026-10-26, which is outside every term"),
        ('"13:30"', '"1:30"', "2026-12-18: ", "'1:30' is no time (write '01:30' or '13:30')"),
        # times
        ('"09:00-10:30", ', '"9.00-10:30", ', "mon-thu", "'9.00' is no time (write '09:00')"),
        ('"09:00-10:30", ', '"10:30-09:00", ', "mon-thu",
         ("'10:30-09:00' ends before it starts "
         "(write '09:00-10:30', or 'overnight: true' if it passes midnight)")),
        ('"09:00-10:30", ', '"24:00-10:30", ', "mon-thu",
         "'24:00' can only be an end (the day begins at '00:00')"),
        ('"09:00-10:30", ', '"09:00-09:00", ', "mon-thu",
         "'09:00-09:00' is empty (a whole day is '00:00-24:00')"),
        ('- "09:00-11:00"', '- "09:00"', '- "09:00"',
         "'09:00' is no range of times (write it as '09:00-10:30')"),
        ("mon-thu:", "mon-thr:", "mon-thr", "unknown weekday 'thr' (did you mean 'thur'?)"),
        ('mon-fri: ["12:15-13:15"]', "mon-fri: []", "mon-fri", "names no times"),
        # what meets
        ('"12:15-13:15"', '"12:00-13:15"', "mon-fri",
         "'break' 12:00-13:15 overlaps 'lessons' 10:45-12:15 (line 20) on Wednesday 2026-09-02"),
        ('- "09:00-11:00"', '- "09:00-12:30"', "mon-fri",
         "'break' 12:15-13:15 overlaps 'lessons' 09:00-12:30 (line 23) on Friday 2026-09-04"),
        ('"09:00-10:30", ', '"09:00-11:30", ', "mon-thu",
         "'lessons' 10:45-12:15 overlaps 'lessons' 09:00-11:30 (line 20) on Wednesday 2026-09-02"),
        ('mon-fri: ["12:15-13:15"]', 'mon-fri: ["05:45-06:15"]', "daily",
         "'night' 22:00-06:00 overlaps 'break' 05:45-06:15 (line 27) on Wednesday 2026-09-02"),
        ('break: ["10:00', 'break: ["09:30', "break: [",
         "'break' 09:30-11:00 overlaps 'lessons' 09:00-10:00 (line 36) on Friday 2026-12-04"),
        # names
        ("    break:\n      title", "    Break:\n      title", "Break:",
         "'Break' is not of the form some-words"),
        ("title: Break", "title: lessons", "title: lessons",
         "the title 'lessons' is that of 'lessons' already"),
        ("[lessons, break]", "[lesson, break]", "school-day",
         "unknown period 'lesson' (did you mean 'lessons'?)"),
        ("[lessons, break]", "[break, break]", "school-day", "names 'break' twice"),
        ("[lessons, break]", "[]", "school-day", "the group 'school-day' is empty"),
        ("school-day:", "break:", "    break: [lessons",
         "'break' is a period already"),
        ("      break: [", "      brake: [", "brake", "unknown period 'brake' (did you mean 'break'?)"),
        ("2026-12-04: sports", "2026-12-04: sport", "2026-12-04",
         "unknown plan 'sport' (did you mean 'sports'?)"),
        ("2027-03-13: mon", "2027-03-13: mon-fri", "2027-03-13",
         "'mon-fri' is more than one day (write one weekday)"),
        ("2027-03-14: fri B", "2027-03-14: fri C", "2027-03-14",
         "unknown week 'C' (the weeks are A, B)"),
        # what never happens
        (("      overnight: true\n      held: [school, inset, holiday, closed]\n      times:\n"
         '        daily: ["22:00-06:00"]'), "      held: [school]", "    night:",
         "the period 'night' never happens (look at its times, at 'held' and at the terms)"),
        ("held: [school, inset, holiday, closed]", "held: []", "held", "'night' is held on no day"),
        ("  period_groups:", "  import: [x.ics]\n  period_groups:", "import",
         "calendar files cannot be read here"),
    ],
)  # fmt: skip
def test_a_fault_is_named_with_its_line(
    tmp_path: Path, old: str, new: str, place: str, want: str
) -> None:
    text = changed((old, new))
    found = faults(tmp_path, text)
    messages = [f"{f.message} ({f.hint})" if f.hint else f.message for f in found]
    said = [message.removeprefix(message.partition("': ")[0] + "': ") if message.startswith("'timetable")
            else message for message in messages]  # fmt: skip
    assert want in said
    assert found[said.index(want)].line == line_of(text, place)


def test_all_faults_are_named_at_once(tmp_path: Path) -> None:
    text = changed(
        ('"09:00-10:30", ', '"9.00-10:30", '), ("fri B:", "fry B:"), ("to: 2026-12-18", "to: 2026-08-18"),
        ("[lessons, break]", "[lesson, break]"), ("[A, B]", "[A]"),
    )  # fmt: skip
    assert len(faults(tmp_path, text)) == 5


def test_a_range_that_meets_another_each_week_is_one_fault(tmp_path: Path) -> None:
    text = changed(('"12:15-13:15"', '"12:00-13:15"'))
    assert len(faults(tmp_path, text)) == 1


def test_no_periods_is_a_fault(tmp_path: Path) -> None:
    [fault] = faults(tmp_path, "timetable:\n  periods: {}\n")
    assert (fault.line, fault.message) == (2, "there are no periods")


def test_weeks_over_school_weeks_need_terms(tmp_path: Path) -> None:
    text = """\
timetable:
  weeks: {names: [A, B], first: 2026-09-07, skip_holidays: true}
  periods: {day: {title: Day, times: {mon: "09:00-15:00"}}}
"""
    [fault] = faults(tmp_path, text)
    assert (fault.line, fault.message, fault.hint) == (
        2, "holidays can be skipped only where there are terms", "give 'terms'",
    )  # fmt: skip


# -- with calendar files --------------------------------------------------------------------------

ICS, CSV = Place("a.ics", 10), Place("b.csv", 3)


def imports(*days: DayEntry, ranges: tuple[RangeEntry, ...] = ()) -> ReadCalendar:
    return lambda _: Imported(days, ranges)


IMPORTING = TEXT + "  import: [a.ics]\n"


def entry(meaning: Meaning, first: date, last: date | None = None, minute: int = 0) -> DayEntry:
    return DayEntry(meaning, Span(first, last or first), "Event", ICS, minute)


def test_what_a_calendar_adds(tmp_path: Path) -> None:
    read = imports(
        entry(Meaning.INSET, date(2026, 11, 2)),
        entry(Meaning.CLOSED, date(2026, 11, 3), date(2026, 11, 4)),
        entry(Meaning.HOLIDAY, date(2027, 2, 15), date(2027, 2, 19)),
        entry(Meaning.TERM, date(2027, 4, 12), date(2027, 7, 21)),
        entry(Meaning.EARLY_CLOSING, date(2027, 3, 24), minute=720),
        ranges=(
            RangeEntry("Lessons", 840, 900, CSV, days=frozenset({0})),
            RangeEntry("break", 840, 900, CSV, days=frozenset({1}), week="B"),
            RangeEntry("BREAK", 960, 1000, CSV, day=date(2026, 9, 10)),
        ),
    )
    timetable = load(tmp_path, IMPORTING, read)
    kinds = [
        timetable.day_kind(day)
        for day in (date(2026, 11, 2), date(2026, 11, 4), date(2027, 2, 15), date(2027, 4, 12))
    ]
    assert kinds == [DayKind.INSET, DayKind.CLOSED, DayKind.HOLIDAY, DayKind.SCHOOL]
    assert timetable.early_closing[date(2027, 3, 24)] == 720

    def after_two(day: date) -> list[str]:
        return [f"{r.period} {r}" for r in timetable.ranges(day) if 840 <= r.start < 1200]

    assert after_two(date(2026, 9, 7)) == ["lessons 14:00-15:00"]
    assert after_two(date(2026, 9, 8)) == []
    assert after_two(date(2026, 9, 15)) == ["break 14:00-15:00"]
    assert after_two(date(2026, 9, 10)) == ["break 16:00-16:40"]


def test_a_calendar_file_is_named_from_the_timetable_s_and_read_as_it_says(tmp_path: Path) -> None:
    asked: list[CalendarSource] = []

    def read(source: CalendarSource) -> Imported:
        asked.append(source)
        return Imported()

    text = (
        TEXT + "  zone: Europe/Paris\n  import: [a.ics, {file: b/c.ics, all: closed}]\n"
        "  calendar_words: {inset: [Staff day]}\n"
    )
    load(tmp_path, text, read)
    words = {Meaning.INSET: ("Staff day",)}
    assert asked == [
        CalendarSource(str(tmp_path / "a.ics"), "Europe/Paris", words),
        CalendarSource(str(tmp_path / "b/c.ics"), "Europe/Paris", words, Meaning.CLOSED),
    ]


@pytest.mark.parametrize(
    ("read", "place", "want"),
    [
        (imports(entry(Meaning.TERM, date(2026, 12, 1), date(2027, 1, 2))), ICS,
         "the term 'Event' overlaps 'Autumn' (line 4)"),
        (imports(entry(Meaning.CLOSED, date(2026, 9, 1))), ICS,
         "2026-09-01 is an INSET day and closed (line 11)"),
        (imports(entry(Meaning.EARLY_CLOSING, date(2026, 12, 18), minute=700)), ICS,
         "closes at 11:40 on 2026-12-18, and at 13:30 too"),
        (imports(entry(Meaning.EARLY_CLOSING, date(2026, 12, 25), minute=700)), ICS,
         "closes early on 2026-12-25, which is outside every term"),
        (imports(ranges=(RangeEntry("Lesson", 840, 900, CSV, days=frozenset({0})),)), CSV,
         "unknown period 'Lesson'"),
        (imports(ranges=(RangeEntry("lessons", 840, 900, CSV, frozenset({0}), week="C"),)), CSV,
         "unknown week 'C'"),
        (imports(ranges=(RangeEntry("lessons", 900, 840, CSV, frozenset({0})),)), CSV,
         "'15:00-14:00' ends before it starts"),
        (imports(ranges=(RangeEntry("lessons", 740, 840, CSV, frozenset({0})),)), CSV,
         "'lessons' 12:20-14:00 overlaps 'break' 12:15-13:15"),
    ],
)  # fmt: skip
def test_a_fault_of_a_calendar_is_named_where_it_stands(
    tmp_path: Path, read: ReadCalendar, place: Place, want: str
) -> None:
    found = faults(tmp_path, IMPORTING, read)
    assert any(
        f.message.startswith(want) and place in (Place(f.file, f.line), place)
        for f in found
    ), found  # fmt: skip
    assert {(f.file, f.line) for f in found} <= {
        (place.file, place.line),
        (str(tmp_path / "t.yaml"), 27),
    }


def test_the_same_early_closing_may_be_said_twice(tmp_path: Path) -> None:
    read = imports(entry(Meaning.EARLY_CLOSING, date(2026, 12, 18), minute=810))
    assert load(tmp_path, IMPORTING, read).early_closing == {date(2026, 12, 18): 810}


def test_the_faults_of_calendar_files_are_handed_on(tmp_path: Path) -> None:
    def read(source: CalendarSource) -> Imported:
        raise ConfigurationError([Fault(source.path, 7, "is damaged")])

    text = TEXT + "  import: [a.ics, b.ics, a.ics]\n"
    assert [(Path(f.file).name, f.line, f.message) for f in faults(tmp_path, text, read)] == [
        ("a.ics", 7, "is damaged"),
        ("b.ics", 7, "is damaged"),
        ("t.yaml", line_of(text, "import"), "imports 'a.ics' twice"),
    ]


def test_what_a_calendar_left_out_is_noted(tmp_path: Path) -> None:
    unsure = Fault("a.ics", 5, "the event 'Library closed' is not taken for 'closed'")
    (tmp_path / "t.yaml").write_text(IMPORTING)
    noted: list[Fault] = []
    load_timetable(tmp_path / "t.yaml", lambda _: Imported(unsure=(unsure,)), noted.append)
    assert noted == [unsure]


def test_a_table_of_nothing_but_overlaps_ends(tmp_path: Path) -> None:
    ranges = tuple(
        RangeEntry("lessons", 500, 600 + number % 700, Place("b.csv", number), frozenset(range(7)))
        for number in range(5_000)
    )
    assert len(faults(tmp_path, IMPORTING, imports(ranges=ranges))) == 20
