"""Schools are looked at in turn; one that cannot be read says so and holds up no other."""

from datetime import UTC, datetime
from typing import Any, cast

import pytest

from schoolgate.core.errors import UnavailableError
from schoolgate.services.trust_overview import Overview, Seen
from schoolgate.storage.gateway_states import Reports
from schoolgate.storage.school_glance import Glance, SchoolView
from tests.gateway import eventually

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
GLANCE = Glance(2, NOON, 1, 3)
REPORTS = Reports(NOON)


class View:
    """A school that is read, or raises."""

    def __init__(self, answer: Glance | Exception) -> None:
        self.answer = answer

    def glance(self, now: datetime) -> Glance:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def gateways(self, school: str) -> Reports:
        return REPORTS


def overview(schools: dict[str, Any], pause: float = 30) -> Overview:
    return Overview(
        lambda: sorted(schools),
        lambda name: cast("SchoolView", View(schools[name])),
        lambda: NOON,
        pause,
    )


@pytest.mark.parametrize(
    ("raised", "fault"),
    [
        (UnavailableError("its tables are gone"), "its tables are gone"),
        (ValueError("x" * 500), "it holds what nobody can read"),
    ],
)
def test_a_school_that_cannot_be_read_says_so_beside_those_that_can(
    raised: Exception, fault: str
) -> None:
    made = overview({"elm": raised, "oak": GLANCE})
    made.round()
    [elm, oak] = made.seen(["oak", "elm"])
    assert oak == Seen("oak", NOON, GLANCE, gateways=REPORTS)
    assert (elm.school, elm.glance) == ("elm", None)
    assert elm.fault.startswith(fault)
    assert len(elm.fault) < 200


def test_of_schools_that_there_are_not_nothing_is_seen() -> None:
    made = overview({"elm": GLANCE})
    assert made.seen(["elm"]) == []
    made.round()
    made.look("oak")
    assert [each.school for each in made.seen(["elm", "oak"])] == ["elm"]


def test_a_school_that_has_left_is_forgotten() -> None:
    schools = {"elm": GLANCE, "oak": GLANCE}
    made = overview(schools)
    made.round()
    del schools["oak"]
    made.round()
    assert made.schools() == ["elm"]


def test_it_looks_again_and_again_also_when_nobody_can_say_which_schools_there_are() -> None:
    asked: list[int] = []

    def names() -> list[str]:
        asked.append(1)
        if len(asked) == 2:
            raise UnavailableError("away")
        return ["elm"]

    made = Overview(names, lambda _: cast("SchoolView", View(GLANCE)), lambda: NOON, pause=0.01)
    made.start()
    try:
        assert eventually(lambda: len(asked) > 3)
    finally:
        made.stop()
    assert made.schools() == ["elm"]
