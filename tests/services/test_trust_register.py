"""One register over many schools: all lines, each once, a page at a time, and no school but those given."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schoolgate.core.errors import UnavailableError
from schoolgate.services.trust_register import MOST_SCHOOLS, Place, stretch
from schoolgate.storage.school_glance import Part, SchoolView

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
NAMES = [f"school-{number:02}" for number in range(40)]


class View:
    """A school whose lines are numbers."""

    def __init__(self, numbers: list[int]) -> None:
        self.numbers = numbers

    def register(self, part: Part, now: datetime, before: int, most: int) -> list[Any]:
        left = [one for one in sorted(self.numbers, reverse=True) if not before or one < before]
        return [SimpleNamespace(id=one) for one in left[:most]]


def read(schools: dict[str, list[int]], most: int) -> list[tuple[str, int]]:
    """Read page after page."""
    place: Place | None = Place()
    found: list[tuple[str, int]] = []
    while place is not None:
        page = stretch(
            sorted(schools),
            lambda name: cast("SchoolView", View(schools[name])),
            Part.WAITING,
            NOON,
            Place.parse(str(place)) if place.school else place,
            most,
        )
        assert len(page.lines) <= most
        found += [(line.school, line.item.id) for line in page.lines]
        place = page.follows
    return found


@given(
    schools=st.dictionaries(
        st.sampled_from(NAMES), st.lists(st.integers(1, 40), unique=True, max_size=12)
    ),
    most=st.integers(1, 20),
)
def test_page_after_page_gives_every_line_once_in_the_order_of_schools(
    schools: dict[str, list[int]], most: int
) -> None:
    every = [(name, n) for name in sorted(schools) for n in sorted(schools[name], reverse=True)]
    assert read(schools, most) == every


def test_a_page_asks_so_many_schools_and_no_more() -> None:
    asked: list[str] = []

    def view(name: str) -> SchoolView:
        asked.append(name)
        return cast("SchoolView", View([]))

    page = stretch(NAMES, view, Part.OPEN, NOON, Place(), 50)
    assert asked == NAMES[:MOST_SCHOOLS]
    assert page.follows == Place(NAMES[MOST_SCHOOLS])


def test_a_school_that_cannot_be_read_is_named_and_passed_over() -> None:
    def view(name: str) -> SchoolView:
        if name == "elm":
            raise UnavailableError("gone")
        return cast("SchoolView", View([1]))

    page = stretch(["ash", "elm", "oak"], view, Part.OPEN, NOON, Place(), 50)
    assert [line.school for line in page.lines] == ["ash", "oak"]
    assert page.unread == {"elm": "gone"}


@pytest.mark.parametrize("text", ["", "elm", ":3", "elm:", "elm:x", "elm:²", "elm:" + "9" * 40])
def test_what_is_no_place_is_the_beginning(text: str) -> None:
    assert Place.parse(text) == Place()
