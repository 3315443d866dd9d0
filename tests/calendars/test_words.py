"""What an event is about, by its title and its categories."""

import pytest

from schoolgate.calendars.words import Words
from schoolgate.core.timetable import Meaning


@pytest.mark.parametrize(
    ("title", "want"),
    [
        ("INSET", Meaning.INSET),
        ("Inset Day 1", Meaning.INSET),
        ("INSET day – school closed to pupils", Meaning.INSET),
        ("Staff training day", Meaning.INSET),
        ("Non-pupil day", Meaning.INSET),
        ("School closed", Meaning.CLOSED),
        ("Early May Bank Holiday", Meaning.CLOSED),
        ("Bank Holiday Monday", Meaning.CLOSED),
        ("Half-term", Meaning.HOLIDAY),
        ("Autumn half term break", Meaning.HOLIDAY),
        ("Christmas holidays 2026/27", Meaning.HOLIDAY),
        ("Autumn Term", Meaning.TERM),
        ("Term 3", Meaning.TERM),
        ("Start of Spring term", Meaning.TERM_START),
        ("Spring Term begins", Meaning.TERM_START),
        ("Last day of Summer Term", Meaning.TERM_END),
        ("Early closing 13:30", Meaning.EARLY_CLOSING),
        ("School closes at 1.30pm", Meaning.EARLY_CLOSING),
        ("School finishes at 12 noon for Christmas", Meaning.EARLY_CLOSING),
        # other words make it something else
        ("Library closed", None),
        ("Holiday club booking opens", None),
        ("Last day before the summer holiday", None),
        ("School closes for the Christmas holidays", None),
        ("Half term homework due", None),
        ("Year 7 INSET", None),
        ("Reception staff training evening", None),
        ("Mid-term reports", None),
        ("Terms and conditions", None),
        ("Insetting", None),
        ("Lessons", None),
        ("", None),
        ("term " * 100, None),
    ],
)
def test_a_title_means_something_only_as_a_whole(title: str, want: Meaning | None) -> None:
    assert Words({}).meaning(title, ()) is want


@pytest.mark.parametrize(
    ("categories", "want"),
    [
        (("INSET",), Meaning.INSET),
        (("Staff training",), Meaning.INSET),
        (("school", "Closed"), Meaning.CLOSED),
        (("early_closing",), Meaning.EARLY_CLOSING),
        (("Early closing",), Meaning.EARLY_CLOSING),
        (("Timetable",), Meaning.PERIOD),
        (("lesson",), Meaning.PERIOD),
        (("Period",), Meaning.PERIOD),
        (("Trips",), None),
        ((), None),
    ],
)
def test_a_category_means_something_whatever_the_title(
    categories: tuple[str, ...], want: Meaning | None
) -> None:
    assert Words({}).meaning("Anything at all", categories) is want


def test_a_school_has_its_own_words() -> None:
    words = Words({Meaning.INSET: ("Baker Street day",), Meaning.CLOSED: ()})
    assert words.meaning("Baker Street day", ()) is Meaning.INSET
    assert words.meaning("INSET day", ()) is None
    assert words.meaning("School closed", ()) is None
    assert words.meaning("Half term", ()) is Meaning.HOLIDAY
    assert words.meaning("", ("inset",)) is Meaning.INSET


def test_what_sounds_like_something_is_told() -> None:
    words = Words({})
    assert words.sounds_like("Holiday club") is Meaning.HOLIDAY
    assert words.sounds_like("Year 7 football") is None


@pytest.mark.parametrize(
    ("line", "want"),
    [
        ("SUMMARY:INSET day", True),
        ("SUMMARY:Half term", True),
        ("CATEGORIES:Trips,Lesson", True),
        ("SUMMARY:Year 7 football", False),
        ("SUMMARY:Determined", False),
    ],
)
def test_most_lines_are_passed_over_at_once(line: str, want: bool) -> None:
    assert Words({}).may_matter(line) is want
