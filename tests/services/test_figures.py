"""Figures: what may be seen, and what is kept back so that nobody is found by subtraction."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schoolgate.core.errors import RefusedError
from schoolgate.monitoring.journal_figures import Counted, Hour, RawFigures, Told
from schoolgate.monitoring.journal_names import Pseudonyms
from schoolgate.monitoring.journal_store import JournalStore
from schoolgate.services.figures import Figures, OverBlock, Row, figures_from, figures_of, too_few

DAY = date(2026, 11, 23)
NINE = datetime(2026, 11, 23, 9, tzinfo=UTC)


def counted(
    people: str, category: str = "", group: str = "", verdict: str = "monitor"
) -> list[Counted]:
    return [Counted(who, category, group, verdict, 10) for who in people]


def figures(*rows: list[Counted], least: int = 3, **more: object) -> Figures:
    raw = {"hours": (), "ways": (), "uncategorised": (), "blocked": {}, **more}
    whole = RawFigures(tuple(one for row in rows for one in row), **raw)  # type: ignore[arg-type]
    return figures_from(whole, DAY, DAY, least, [("a.example", DAY)])


def test_figures_by_what_they_are_about() -> None:
    found = figures(counted("abcd", "news", "pupils"), counted("abc", "games", "pupils", "block"))
    assert found.total == Row("all", 70, 30, 4)
    assert found.categories == (Row("news", 40, 0, 4), Row("games", 30, 30, 3))
    assert found.verdicts == (Row("monitor", 40, 0, 4), Row("block", 30, 30, 3))
    assert found.groups == (Row("pupils", 70, 30, 4),)
    assert found.hidden == {}


def test_a_line_about_too_few_is_kept_back_with_another() -> None:
    """Without the second one the first would be the total less the others."""
    found = figures(counted("abcdef", "news"), counted("abcd", "games"), counted("a", "hate"))
    assert [row.name for row in found.categories] == ["news"]
    assert found.hidden == {"categories": 2}


def test_so_is_what_was_blocked() -> None:
    found = figures(
        counted("abcd", "news"), counted("a", "news", verdict="block"),
        counted("abcd", "games", verdict="block"), counted("abcde", "shop", verdict="block"),
    )  # fmt: skip
    assert {row.name: row.blocked for row in found.categories} == {
        "news": None, "games": None, "shop": 50
    }  # fmt: skip


def test_where_all_are_too_few_nothing_is_shown() -> None:
    found = figures(counted("ab", "news"))
    assert (found.categories, found.total) == ((), Row("all", None, None, None))
    assert figures().total == Row("all", 0, None, None)


def test_hours_are_of_the_school_and_hosts_of_many() -> None:
    summer = datetime(2026, 7, 1, 12, tzinfo=UTC)
    hours = (Hour(NINE, 5, 0, 4), Hour(NINE + timedelta(hours=1), 5, 0, 2), Hour(summer, 7, 0, 3))
    hosts = (Told("many.example", 9, 3), Told("blog-of-tom.example", 90, 2))
    found = figures(hours=hours, uncategorised=hosts, ways=(Told("vpn", 1, 1), Told("dot", 40, 0)))
    assert found.hours[9] == Row("09", 5, None, 4)
    assert found.hours[10] == Row("10", None, None, None)
    assert found.hours[13] == Row("13", 7, None, 3)
    assert found.hours[3] == Row("03", 0, None, 0)
    assert [row.name for row in found.uncategorised] == ["many.example"]
    assert [row.name for row in found.ways] == ["dot"]
    assert found.hidden == {"uncategorised": 1, "ways": 1}


@pytest.mark.parametrize(
    ("blocked", "want"),
    [
        ({}, 0),
        ({"a.example": Told("a.example", 8, 3)}, 8),
        ({"a.example": Told("a.example", 8, 1)}, None),
    ],
)
def test_what_was_blocked_too_much(blocked: dict[str, Told], want: int | None) -> None:
    assert figures(blocked=blocked).over_blocks == (OverBlock("a.example", DAY, want),)


PEOPLE = st.dictionaries(
    st.sampled_from("pqrstuv"), st.sets(st.sampled_from("abcdefgh"), min_size=1)
)


@given(PEOPLE, st.integers(1, 6))
def test_nobody_is_found_by_subtraction(people: dict[str, set[str]], least: int) -> None:
    kept_back = too_few(people, least)
    assert all(len(people[name]) >= least for name in people.keys() - kept_back)
    together = set[str]().union(*(people[name] for name in kept_back))
    assert not kept_back or len(together) >= least or kept_back == people.keys()


@pytest.mark.parametrize(("since", "until"), [(DAY, date(2026, 11, 22)), (date(2020, 1, 1), DAY)])
def test_what_is_no_span_of_days_is_refused(tmp_path: Path, since: date, until: date) -> None:
    with pytest.raises(RefusedError, match="no span of days"):
        figures_of(JournalStore(tmp_path, lambda: Pseudonyms(b"k" * 64)), since, until, 5)
