"""What of a day is due, by its age, its categories, its fields and what is held."""

from datetime import date, timedelta

import pytest

from schoolgate.monitoring.journal_names import Pseudonyms
from schoolgate.monitoring.journal_retention import Held, Retention

TODAY = date(2026, 11, 23)
RULES = Retention(400, {"illegal": 2190, "games": 30}, {"url": 180, "search": 90})


@pytest.mark.parametrize(
    ("age", "rows", "spared", "gone", "fields"),
    [
        (1, False, (), (), ()),
        (30, False, (), (), ()),
        (31, False, (), ("games",), ()),
        (91, False, (), ("games",), ("search",)),
        (400, False, (), ("games",), ("search", "url")),
        (401, True, ("illegal",), (), ("search", "url")),
        (2191, True, (), (), ("search", "url")),
    ],
)
def test_what_is_due_at_an_age(
    age: int, rows: bool, spared: tuple[str, ...], gone: tuple[str, ...], fields: tuple[str, ...]
) -> None:
    due = RULES.due(TODAY - timedelta(days=age), TODAY)
    assert (due.rows, due.spared, due.gone, due.fields) == (rows, spared, gone, fields)
    assert due.is_nothing is (age <= 30) is (due.text == "")


@pytest.mark.parametrize(
    ("since", "until", "covers"),
    [
        (TODAY, None, True),
        (TODAY, TODAY, True),
        (TODAY - timedelta(days=9), TODAY - timedelta(days=1), False),
        (TODAY + timedelta(days=1), None, False),
    ],
)
def test_a_hold_covers_its_days(since: date, until: date | None, covers: bool) -> None:
    assert Held(1, "user", "tom", since, until).covers(TODAY) is covers


def test_what_was_done_is_written_down_without_a_name() -> None:
    held = [Held(7, "user", "tom", TODAY, None)]
    text = RULES.due(TODAY - timedelta(days=500), TODAY, held).text
    assert text == '[true, ["illegal"], [], ["search", "url"], [7]]'
    _, sql, values = RULES.due(TODAY - timedelta(days=500), TODAY, held).sql(Pseudonyms(b"k" * 64))
    assert "tom" not in f"{sql}{values}"
