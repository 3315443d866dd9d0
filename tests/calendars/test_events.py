"""What the events of a calendar file come to."""

from datetime import date
from pathlib import Path

import pytest

from schoolgate.core.errors import ConfigurationError
from schoolgate.core.timetable import Imported, Meaning, Span, clock
from tests.calendars.ics import calendar, event, read


def days(imported: Imported) -> list[tuple[str, str, str]]:
    return [(day.meaning.value, f"{day.span.first}", f"{day.span.last}") for day in imported.days]


def ranges(imported: Imported) -> list[str]:
    return [
        f"{entry.period} {entry.day} {clock(entry.start)}-{clock(entry.end)}"
        for entry in imported.ranges
    ]


@pytest.mark.parametrize(
    ("lines", "want"),
    [
        # whole days: the end is the first day that no longer belongs to it
        (("SUMMARY:INSET", "DTSTART;VALUE=DATE:20260901", "DTEND;VALUE=DATE:20260902"),
         [("inset", "2026-09-01", "2026-09-01")]),
        (("SUMMARY:INSET", "DTSTART;VALUE=DATE:20260901", "DTEND;VALUE=DATE:20260903"),
         [("inset", "2026-09-01", "2026-09-02")]),
        (("SUMMARY:INSET", "DTSTART;VALUE=DATE:20260901"), [("inset", "2026-09-01", "2026-09-01")]),
        (("SUMMARY:INSET", "DTSTART;VALUE=DATE:20260901", "DTEND;VALUE=DATE:20260901"),
         [("inset", "2026-09-01", "2026-09-01")]),
        (("SUMMARY:Half term", "DTSTART;VALUE=DATE:20261026", "DURATION:P5D"),
         [("holiday", "2026-10-26", "2026-10-30")]),
        (("SUMMARY:School closed", "DTSTART;VALUE=DATE:20280229"),
         [("closed", "2028-02-29", "2028-02-29")]),
        # with hours: the days at the school that it touches
        (("SUMMARY:INSET", "DTSTART:20260901T090000", "DTEND:20260901T153000"),
         [("inset", "2026-09-01", "2026-09-01")]),
        (("SUMMARY:INSET", "DTSTART:20260901T230000Z", "DTEND:20260902T230000Z"),
         [("inset", "2026-09-02", "2026-09-02")]),
        (("SUMMARY:INSET", "DTSTART;TZID=Asia/Tokyo:20260902T000000", "DURATION:PT8H"),
         [("inset", "2026-09-01", "2026-09-01")]),
        (("SUMMARY:INSET", "DTSTART;TZID=GMT Standard Time:20260901T090000", "DURATION:PT6H"),
         [("inset", "2026-09-01", "2026-09-01")]),
        (("SUMMARY:INSET", "DTSTART;TZID=/x.example/20260101/Europe/London:20260901T090000",
          "DURATION:PT6H"), [("inset", "2026-09-01", "2026-09-01")]),
        # again and again
        (("SUMMARY:INSET", "DTSTART;VALUE=DATE:20260907", "RRULE:FREQ=WEEKLY;COUNT=3",
          "EXDATE;VALUE=DATE:20260914", "RDATE;VALUE=DATE:20261001,20260907"),
         [("inset", "2026-09-07", "2026-09-07"), ("inset", "2026-09-21", "2026-09-21"),
          ("inset", "2026-10-01", "2026-10-01")]),
        (("SUMMARY:INSET", "DTSTART;VALUE=DATE:20260907", "RRULE:FREQ=WEEKLY;UNTIL=20260914"),
         [("inset", "2026-09-07", "2026-09-07"), ("inset", "2026-09-14", "2026-09-14")]),
        (("SUMMARY:INSET", "DTSTART;VALUE=DATE:20260907", "RRULE:FREQ=WEEKLY;UNTIL=20260914T000000Z"),
         [("inset", "2026-09-07", "2026-09-07"), ("inset", "2026-09-14", "2026-09-14")]),
        (("SUMMARY:School closed", "DTSTART;VALUE=DATE:20241225", "RRULE:FREQ=YEARLY"),
         [("closed", "2025-12-25", "2025-12-25"), ("closed", "2026-12-25", "2026-12-25"),
          ("closed", "2027-12-25", "2027-12-25")]),
        # terms, as one event or as two
        (("SUMMARY:Autumn term", "DTSTART;VALUE=DATE:20260902", "DTEND;VALUE=DATE:20261219"),
         [("term", "2026-09-02", "2026-12-18")]),
        # folded lines, escapes, other properties
        (("SUMMARY:INS", " ET", "DTSTART;VALUE=DA", "\tTE:20260901", "DESCRIPTION:x", "X-A;B=\"c:d\":e"),
         [("inset", "2026-09-01", "2026-09-01")]),
        (("SUMMARY:Inset\\, all staff", "DTSTART;VALUE=DATE:20260901"),
         [("inset", "2026-09-01", "2026-09-01")]),
        (("SUMMARY:Anything", "CATEGORIES:Trips,Closed", "CATEGORIES:x", "DTSTART;VALUE=DATE:20260901"),
         [("closed", "2026-09-01", "2026-09-01")]),
        (("SUMMARY:INSET", "DTSTART;VALUE=DATE:20260901", "BEGIN:VALARM", "DTSTART:19700101T000000",
          "END:VALARM"), [("inset", "2026-09-01", "2026-09-01")]),
    ],
)  # fmt: skip
def test_days(tmp_path: Path, lines: tuple[str, ...], want: list[tuple[str, str, str]]) -> None:
    assert days(read(tmp_path, calendar(event(*lines)))) == want


def test_terms_from_their_first_and_last_days(tmp_path: Path) -> None:
    text = calendar(
        event("SUMMARY:Spring term ends", "DTSTART;VALUE=DATE:20270324"),
        event("SUMMARY:Autumn term begins", "DTSTART;VALUE=DATE:20260902"),
        event("SUMMARY:Last day of autumn term", "DTSTART;VALUE=DATE:20261218"),
        event("SUMMARY:Start of spring term", "DTSTART;VALUE=DATE:20270104"),
    )
    imported = read(tmp_path, text)
    assert days(imported) == [
        ("term", "2026-09-02", "2026-12-18"), ("term", "2027-01-04", "2027-03-24"),
    ]  # fmt: skip
    assert imported.days[0].place.line == 8


@pytest.mark.parametrize(
    ("title", "start", "want"),
    [
        ("Early closing 13:30", ";VALUE=DATE:20261218", "13:30"),
        ("School closes at 1.30pm", ";VALUE=DATE:20261218", "13:30"),
        ("School closes at 1.30 p.m.", ";VALUE=DATE:20261218", "13:30"),
        ("School closes at 1:15", ";VALUE=DATE:20261218", "13:15"),
        ("School finishes at 2pm", ";VALUE=DATE:20261218", "14:00"),
        ("School finishes at 12 noon", ";VALUE=DATE:20261218", "12:00"),
        ("Early closing 18.12.2026 at 11:45", ";VALUE=DATE:20261218", "11:45"),
        ("Early closing", ":20261218T133000", "13:30"),
        ("Early closing", ":20261218T133000Z", "13:30"),
        ("Early closing", ":20260618T133000Z", "14:30"),
        ("Early closing 12:00", ":20261218T090000", "12:00"),
    ],
)
def test_early_closing(tmp_path: Path, title: str, start: str, want: str) -> None:
    [day] = read(tmp_path, calendar(event(f"SUMMARY:{title}", f"DTSTART{start}"))).days
    assert (day.meaning, clock(day.minute)) == (Meaning.EARLY_CLOSING, want)


LESSON = "CATEGORIES:Timetable"


@pytest.mark.parametrize(
    ("lines", "want"),
    [
        (("DTSTART:20260907T090000", "DTEND:20260907T103000"), ["2026-09-07 09:00-10:30"]),
        (("DTSTART:20260907T080000Z", "DTEND:20260907T093000Z"), ["2026-09-07 09:00-10:30"]),
        (("DTSTART:20260907T220000", "DTEND:20260908T060000"), ["2026-09-07 22:00-06:00"]),
        (("DTSTART:20260907T220000", "DTEND:20260908T000000"), ["2026-09-07 22:00-24:00"]),
        # in the event's own zone from week to week: UTC does not change its clock
        (("DTSTART:20261019T080000Z", "DTEND:20261019T090000Z", "RRULE:FREQ=WEEKLY;COUNT=2"),
         ["2026-10-19 09:00-10:00", "2026-10-26 08:00-09:00"]),
        (("DTSTART;TZID=Europe/London:20261019T090000", "DURATION:PT1H",
          "RRULE:FREQ=WEEKLY;COUNT=2"), ["2026-10-19 09:00-10:00", "2026-10-26 09:00-10:00"]),
        (("DTSTART:20260907T090000", "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=3",
          "EXDATE:20260908T090000"), ["2026-09-07 09:00-10:00", "2026-09-09 09:00-10:00"]),
        (("DTSTART:20260907T090000", "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=3",
          "EXDATE:20260908T080000Z"), ["2026-09-07 09:00-10:00", "2026-09-09 09:00-10:00"]),
        (("DTSTART:20260907T090000", "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=3",
          "EXDATE;VALUE=DATE:20260908"), ["2026-09-07 09:00-10:00", "2026-09-09 09:00-10:00"]),
        (("DTSTART:20260907T090000", "DURATION:PT1H",
          "RDATE;VALUE=PERIOD:20260908T090000/PT2H,20260909T090000/20260909T093000"),
         ["2026-09-07 09:00-10:00", "2026-09-08 09:00-11:00", "2026-09-09 09:00-09:30"]),
        (("DTSTART:20260907T090000", "DURATION:PT1H", "RRULE:FREQ=DAILY;UNTIL=20260908T080000Z"),
         ["2026-09-07 09:00-10:00", "2026-09-08 09:00-10:00"]),
        (("DTSTART:20260907T090000", "DURATION:PT1H", "RRULE:FREQ=DAILY;UNTIL=20260908T075959Z"),
         ["2026-09-07 09:00-10:00"]),
    ],
)  # fmt: skip
def test_times_of_periods(tmp_path: Path, lines: tuple[str, ...], want: list[str]) -> None:
    imported = read(tmp_path, calendar(event("SUMMARY:Lessons", LESSON, *lines)))
    assert ranges(imported) == [f"Lessons {text}" for text in want]


def test_changed_and_cancelled_occurrences(tmp_path: Path) -> None:
    daily = ("DTSTART:20260907T090000", "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=4")
    text = calendar(
        event("UID:1", "SUMMARY:Lessons", LESSON, *daily),
        event("UID:1", "SUMMARY:Lessons", LESSON, "RECURRENCE-ID:20260908T090000",
              "DTSTART:20260908T110000", "DURATION:PT1H"),
        event("UID:1", "SUMMARY:A trip", "RECURRENCE-ID:20260909T080000Z",
              "DTSTART:20260909T080000Z", "DURATION:PT1H"),
        event("UID:1", "SUMMARY:Lessons", LESSON, "RECURRENCE-ID:20260910T090000",
              "DTSTART:20260910T090000", "DURATION:PT1H", "STATUS:CANCELLED"),
        event("UID:2", "SUMMARY:Other", "RECURRENCE-ID:20260907T090000", "DTSTART:20260907T090000"),
    )  # fmt: skip
    assert ranges(read(tmp_path, text)) == [
        "Lessons 2026-09-07 09:00-10:00", "Lessons 2026-09-08 11:00-12:00",
    ]  # fmt: skip


def test_three_school_years_are_read(tmp_path: Path) -> None:
    starts = ["20250831", "20250901", "20280831", "20280901"]
    text = calendar(*(event("SUMMARY:INSET", f"DTSTART;VALUE=DATE:{day}") for day in starts))
    assert [day.span.first for day in read(tmp_path, text).days] == [
        date(2025, 9, 1), date(2028, 8, 31),
    ]  # fmt: skip


def test_of_what_repeats_and_of_what_lasts_no_more_and_no_less(tmp_path: Path) -> None:
    text = calendar(
        event("SUMMARY:School closed", "DTSTART;VALUE=DATE:20240828", "DURATION:P10D",
              "RRULE:FREQ=YEARLY;UNTIL=20260101"),
        event("SUMMARY:Lessons", LESSON, "DTSTART:20250820T090000", "DURATION:PT1H",
              "RRULE:FREQ=DAILY;UNTIL=20250902T235959"),
        event("SUMMARY:Lessons", LESSON, "DTSTART:20150820T090000", "DURATION:PT1H"),
    )  # fmt: skip
    imported = read(tmp_path, text)
    assert days(imported) == [("closed", "2025-08-28", "2025-09-06")]
    assert ranges(imported) == [
        "Lessons 2025-09-01 09:00-10:00", "Lessons 2025-09-02 09:00-10:00",
    ]  # fmt: skip


def test_a_term_that_reaches_into_them_is_whole(tmp_path: Path) -> None:
    text = calendar(
        event("SUMMARY:Summer term starts", "DTSTART;VALUE=DATE:20250415"),
        event("SUMMARY:Summer term ends", "DTSTART;VALUE=DATE:20250901"),
    )
    assert read(tmp_path, text).days[0].span == Span(date(2025, 4, 15), date(2025, 9, 1))


def test_what_sounds_like_something_is_left_out_and_told(tmp_path: Path) -> None:
    text = calendar(
        event("SUMMARY:INSET", "DTSTART;VALUE=DATE:20260901"),
        event("SUMMARY:Library closed", "DTSTART;VALUE=DATE:20260902"),
        event("SUMMARY:Holiday club", "DTSTART;VALUE=DATE:20260903"),
        event("SUMMARY:Staff training", "DTSTART:20260903T160000", "DURATION:PT2H"),
        event("SUMMARY:Year 7 football", "DTSTART:20260903T160000", "DURATION:PT2H"),
    )
    imported = read(tmp_path, text)
    assert len(imported.days) == 1
    assert [(fault.line, fault.message) for fault in imported.unsure] == [
        (12, "the event 'Holiday club' is not taken for 'holiday': its title says more"),
        (16, "the event 'Staff training' is not taken for 'inset': it lasts less than a day"),
    ]  # fmt: skip


def test_a_file_of_which_every_event_is_a_closure(tmp_path: Path) -> None:
    text = calendar(
        event("SUMMARY:Christmas Day", "DTSTART;VALUE=DATE:20261225"),
        event("SUMMARY:Boxing Day", "DTSTART;VALUE=DATE:20261226"),
    )
    imported = read(tmp_path, text, everything=Meaning.CLOSED)
    assert [day.name for day in imported.days] == ["Christmas Day", "Boxing Day"]


def test_the_words_of_a_school(tmp_path: Path) -> None:
    text = calendar(event("SUMMARY:Baker Street", "DTSTART;VALUE=DATE:20260901"))
    imported = read(tmp_path, text, words={Meaning.INSET: ("Baker Street",)})
    assert days(imported) == [("inset", "2026-09-01", "2026-09-01")]


def test_several_calendars_in_one_file_and_both_ends_of_line(tmp_path: Path) -> None:
    one = calendar(event("SUMMARY:INSET", "DTSTART;VALUE=DATE:20260901"))
    two = calendar(event("SUMMARY:INSET", "DTSTART;VALUE=DATE:20260902"))
    assert len(read(tmp_path, "\ufeff" + one + "\n" + two.replace("\n", "\r\n")).days) == 2


# -- what is wrong with an event ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "place", "want"),
    [
        (("SUMMARY:INSET",), 4, "the event 'INSET': has no beginning (DTSTART)"),
        (("SUMMARY:INSET", "DTSTART:soon"), 6, "the event 'INSET': DTSTART cannot be read: "),
        (("SUMMARY:INSET", "DTSTART;VALUE=DATE:20260230"), 6,
         "the event 'INSET': DTSTART cannot be read: "),
        (("SUMMARY:INSET", "DTSTART;VALUE=DATE:00010101"), 6,
         "the event 'INSET': DTSTART lies in the year 1"),
        (("SUMMARY:INSET", "DTSTART:120000"), 6, "the event 'INSET': DTSTART is no date"),
        (("SUMMARY:INSET", "DTSTART;TZID=Europe/Londn:20260901T090000"), 6,
         "the event 'INSET': unknown time zone 'Europe/Londn'"),
        (("SUMMARY:INSET", "DTSTART;TZID=../../etc/passwd:20260901T090000"), 6,
         "the event 'INSET': unknown time zone '../../etc/passwd'"),
        (("SUMMARY:INSET", "DTSTART:20260901T090000", "DTSTART:20260902T090000"), 6,
         "the event 'INSET': gives DTSTART twice"),
        (("SUMMARY:INSET", "DTSTART:20260901T090000", "DTEND:20260901T080000"), 7,
         "the event 'INSET': ends before it begins"),
        (("SUMMARY:INSET", "DTSTART:20260901T090000", "DTEND;VALUE=DATE:20260902"), 7,
         "the event 'INSET': begins with a date and ends with a time, or otherwise"),
        (("SUMMARY:INSET", "DTSTART;VALUE=DATE:20260901", "DTEND;VALUE=DATE:20990902"), 7,
         "the event 'INSET': lasts longer than a year"),
        (("SUMMARY:INSET", "DTSTART;VALUE=DATE:20260901", "DURATION:PT30M"), 7,
         "the event 'INSET': has dates and lasts less than whole days"),
        (("SUMMARY:INSET", "DTSTART:20260901T090000", "RRULE:FREQ=SECONDLY"), 7,
         "the event 'INSET': repeats 'SECONDLY'"),
        (("SUMMARY:INSET", "DTSTART:20260901T090000", "RRULE:garbage"), 7,
         "the event 'INSET': has a rule of recurrence without FREQ"),
        (("SUMMARY:INSET", "DTSTART:20260901T090000", "RRULE:FREQ=FORTNIGHTLY"), 7,
         "the event 'INSET': RRULE cannot be read: "),
        (("SUMMARY:INSET", "DTSTART;VALUE=TEXT:20260901T090000"), 6,
         "the event 'INSET': DTSTART is of another type"),
        (("SUMMARY:INSET", "DTSTART;TZID=/x.example/Europe/Londn:20260901T090000"), 6,
         "the event 'INSET': unknown time zone '/x.example/Europe/Londn'"),
        (("SUMMARY:INSET", "DTSTART:20260901T090000", "RRULE:FREQ=DAILY", "RRULE:FREQ=DAILY"), 7,
         "the event 'INSET': gives RRULE twice"),
        (("SUMMARY:INSET", "DTSTART:20260901T090000", "EXRULE:FREQ=DAILY"), 7,
         "the event 'INSET': takes dates from its rule by another rule"),
        (("SUMMARY:INSET", "DTSTART:20260901T090000",
          "RECURRENCE-ID;RANGE=THISANDFUTURE:20260901T090000"), 7,
         "the event 'INSET': changes all occurrences from one on"),
        (("SUMMARY:INSET", "DTSTART;VALUE=DATE:19700101", "RRULE:FREQ=DAILY;COUNT=99999"), 4,
         "the event 'INSET' counts occurrences since 1970-01-01"),
        (("SUMMARY:Early closing", "DTSTART;VALUE=DATE:20261218"), 4,
         "the event 'Early closing' does not say when the school closes"),
        (("SUMMARY:Early closing 12:00 13:00", "DTSTART;VALUE=DATE:20261218"), 4,
         "the event 'Early closing 12:00 13:00' names several times"),
        (("SUMMARY:Early closing 25:00", "DTSTART;VALUE=DATE:20261218"), 4,
         "the event 'Early closing 25:00' names no time of a day"),
        (("SUMMARY:Lessons", LESSON, "DTSTART;VALUE=DATE:20260901"), 4,
         "the event 'Lessons' is a period and has no times"),
        (("SUMMARY:Lessons", LESSON, "DTSTART:20260901T090000"), 4,
         "the event 'Lessons' is a period and lasts no time, or more than a day"),
        (("SUMMARY:Lessons", LESSON, "DTSTART:20260901T090000", "DURATION:P2D"), 4,
         "the event 'Lessons' is a period and lasts no time, or more than a day"),
        (("SUMMARY:Term starts", "DTSTART;VALUE=DATE:20260901"), 4, "a term starts that does not end"),
        (("SUMMARY:Term ends", "DTSTART;VALUE=DATE:20260901"), 4, "a term ends that did not start"),
        (("SUMMARY:Football", "DTSTART;VALUE=DATE:20260901"), 0,
         "holds nothing for the timetable between 2025-09-01 and 2028-08-31"),
    ],
)  # fmt: skip
def test_a_fault_is_named_with_its_line(
    tmp_path: Path, lines: tuple[str, ...], place: int, want: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read(tmp_path, calendar(event(*lines)))
    [fault] = caught.value.faults
    assert fault.message.startswith(want)
    assert (fault.file, fault.line) == (str(tmp_path / "c.ics"), place)


def test_other_events_may_be_as_damaged_as_they_like(tmp_path: Path) -> None:
    text = calendar(
        event("SUMMARY:INSET", "DTSTART;VALUE=DATE:20260901"),
        event("SUMMARY:Football", "DTSTART:soon", "RRULE:FREQ=SECONDLY", "?????"),
    )
    assert len(read(tmp_path, text).days) == 1
