"""Calendar files made to hang, to fill the memory or to break the reader end in a clear fault."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schoolgate.calendars import MAX_EVENTS, MAX_REPEATING
from schoolgate.core.errors import ConfigurationError, Fault
from tests.calendars.ics import calendar, event, read

INSET = event("UID:1", "SUMMARY:INSET", "DTSTART;VALUE=DATE:20260901")
FOOTBALL = event("UID:{}", "SUMMARY:Year 7 football", "DTSTART:20260901T160000", "DURATION:PT1H")


def fault(directory: Path, text: str | bytes) -> Fault:
    with pytest.raises(ConfigurationError) as caught:
        read(directory, text)
    return caught.value.faults[0]


def test_a_hundred_thousand_other_events_are_passed_over(tmp_path: Path) -> None:
    text = calendar(*(FOOTBALL.format(number) for number in range(100_000)), INSET)
    assert len(read(tmp_path, text).days) == 1


def test_a_hundred_thousand_of_our_own_are_too_many(tmp_path: Path) -> None:
    found = fault(tmp_path, calendar(INSET * 100_000))
    assert found.message == f"holds more than {MAX_EVENTS} events that may concern the timetable"


@pytest.mark.parametrize(
    ("rule", "want"),
    [
        ("RRULE:FREQ=SECONDLY", "the event 'INSET': repeats 'SECONDLY'"),
        ("RRULE:FREQ=DAILY;BYSECOND=1", "the event 'INSET': repeats by 'BYSECOND', which is not understood"),
        ("RDATE;VALUE=DATE:" + ",".join(["20260901"] * 5_000),
         "the event 'INSET': RDATE names more than 2000 dates"),
        ("\n".join(["RDATE;VALUE=DATE:" + ",".join(["20260901"] * 100)] * 100),
         "the event 'INSET': RDATE names more than 2000 dates"),
        ("\n".join(["EXDATE;VALUE=DATE:20260901"] * 2_001),
         "the event 'INSET': EXDATE names more than 2000 dates"),
        ("RDATE;VALUE=DATE:" + ",".join(["20260901"] * 100_000),
         "RDATE is longer than 65536 characters"),
        ("CATEGORIES:" + "inset" * 1_000_000, "CATEGORIES is longer than 65536 characters"),
    ],
)  # fmt: skip
def test_a_rule_without_end(tmp_path: Path, rule: str, want: str) -> None:
    text = calendar(event("SUMMARY:INSET", "DTSTART;VALUE=DATE:20260901", rule))
    assert fault(tmp_path, text).message == want


def test_a_rule_that_never_matches(tmp_path: Path) -> None:
    never = "RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30"
    text = calendar(*[event("SUMMARY:INSET", "DTSTART;VALUE=DATE:20260901", never)] * 100, INSET)
    assert len(read(tmp_path, text).days) == 1


def test_too_many_rules(tmp_path: Path) -> None:
    daily = event("SUMMARY:INSET", "DTSTART;VALUE=DATE:20260901", "RRULE:FREQ=DAILY")
    found = fault(tmp_path, calendar(daily * (MAX_REPEATING + 1)))
    assert found.message == f"holds more than {MAX_REPEATING} events that repeat"
    found = fault(tmp_path, calendar(daily * 100))
    assert found.message == "its events take place more than 20000 times"


def test_nesting(tmp_path: Path) -> None:
    deep = "BEGIN:VEVENT\n" * 200 + "END:VEVENT\n" * 200
    found = fault(tmp_path, calendar(deep))
    assert (found.line, found.message) == (11, "is nested more than 8 levels deep")


@pytest.mark.parametrize("name", ["DESCRIPTION", "ATTACH", "X-" + "A" * 100_000])
def test_a_huge_line_that_says_nothing_of_the_timetable(tmp_path: Path, name: str) -> None:
    huge = event("SUMMARY:INSET", "DTSTART;VALUE=DATE:20260901", f"{name}:" + "x" * 5_000_000)
    folded = event("SUMMARY:INSET", "DTSTART;VALUE=DATE:20260902", f"{name}:" + "x\n " * 500_000)
    assert len(read(tmp_path, calendar(huge, folded)).days) == 2


@pytest.mark.parametrize(
    ("text", "line", "want"),
    [
        ("", 0, "is empty"),
        (" \n\n", 0, "is empty"),
        ("<!DOCTYPE html><html>", 1, "is no iCalendar file"),
        ("\n\nhello", 3, "is no iCalendar file"),
        ("BEGIN:VEVENT\nEND:VEVENT\n", 1, "is no iCalendar file"),
        (calendar() + "more\n", 5, "is no iCalendar file"),
        (calendar(INSET)[:-14], 8, "is cut off: the 'VCALENDAR' of line 1 has no end"),
        (calendar(INSET)[:70], 6, "is cut off: the 'VEVENT' of line 4 has no end"),
        (calendar("END:VEVENT\n"), 4,
         "ends 'VEVENT' where the 'VCALENDAR' of line 1 is open"),
        (b"BEGIN:VCALENDAR\nSUMMARY:Caf\xe9\nEND:VCALENDAR\n", 2, "is not UTF-8 text"),
        (b"\xff\xfeB\x00E\x00", 1, "is not UTF-8 text"),
        ("\n" * 2_000_000 + calendar(INSET), 0, "has more than 2000000 lines"),
        (b"x" * (16 * 1024 * 1024 + 1), 0, "is larger than 16777216 bytes"),
    ],
)  # fmt: skip
def test_a_file_that_is_none(tmp_path: Path, text: str | bytes, line: int, want: str) -> None:
    found = fault(tmp_path, text)
    assert (found.message, found.line) == (want, line)


def test_a_file_that_is_not_there_and_a_name_of_another_kind(tmp_path: Path) -> None:
    (tmp_path / "c.ics").mkdir()
    with pytest.raises(ConfigurationError, match="cannot be read: Is a directory"):
        read_directory(tmp_path)
    with pytest.raises(ConfigurationError, match="is no calendar"):
        read(tmp_path, "x", name="c.xlsx")


def read_directory(directory: Path) -> None:
    from schoolgate.calendars import read_calendar
    from schoolgate.core.timetable import CalendarSource
    from tests.calendars.ics import TODAY

    read_calendar(CalendarSource(str(directory / "c.ics")), TODAY)


NAMES = ["SUMMARY", "CATEGORIES", "DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE",
         "RECURRENCE-ID", "UID", "STATUS", "BEGIN", "END"]  # fmt: skip
PARAMETERS = ["", ";VALUE=DATE", ";VALUE=PERIOD", ";TZID=Europe/London", ";TZID=", ";TZID=\x00",
              ';X="a:b', ";VALUE=BINARY;ENCODING=BASE64", ";VALUE=TEXT", ";RANGE=THISANDFUTURE"]  # fmt: skip
VALUES = st.one_of(
    st.sampled_from(
        ["INSET", "Term starts", "lesson", "20260901", "20260901T090000", "20260901T090000Z", "P1D",
         "PT1H", "-P1D", "P99999999D", "FREQ=DAILY", "FREQ=WEEKLY;BYDAY=MO,-1TU", "VEVENT", "VTODO",
         "FREQ=MONTHLY;UNTIL=99991231", "FREQ=YEARLY;UNTIL=00010101T000000Z", "99991231T235959Z",
         "20260901T090000/PT1H", "20260901/20260902", "00000000", "20260901T240000", "FREQ=DAILY;COUNT=",
         "FREQ=DAILY;UNTIL=120000", "CANCELLED", "Early closing 13:30", "20260901T090000/-PT1H",
         "FREQ=;BYDAY=", "FREQ=DAILY;FREQ=WEEKLY", "FREQ=DAILY;INTERVAL=1;WKST=XX"]
    ),
    st.text(max_size=30),
)  # fmt: skip
LINES = st.builds(
    lambda name, parameter, value: f"{name}{parameter}:{value}",
    st.sampled_from(NAMES),
    st.sampled_from(PARAMETERS),
    VALUES,
)


@settings(max_examples=400, deadline=None)
@given(st.lists(st.lists(LINES, max_size=6), min_size=1, max_size=3))
def test_any_event_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, events: list[list[str]]
) -> None:
    directory = tmp_path_factory.getbasetemp()
    text = calendar(*(event("SUMMARY:INSET", *lines) for lines in events))
    try:
        read(directory, text.encode(errors="surrogatepass"))
    except ConfigurationError as error:
        refused = error.faults
        assert all(found.file == str(directory / "c.ics") for found in refused)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_any_piece_of_a_file_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    directory = tmp_path_factory.getbasetemp()
    whole = calendar(INSET, event("SUMMARY:Half term", "DTSTART;TZID=Europe/London:20261026T090000",
                                  "DTEND:20261030T150000Z", "RRULE:FREQ=DAILY;COUNT=2")).encode()  # fmt: skip
    start = data.draw(st.integers(0, len(whole)))
    end = data.draw(st.integers(start, len(whole)))
    try:
        read(directory, whole[:start] + data.draw(st.binary(max_size=5)) + whole[end:])
    except ConfigurationError as error:
        assert error.faults  # noqa: PT017
