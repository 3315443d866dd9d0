"""A trust in namespaces: decisions reach all gateways; nothing is lost with a line cut or a server killed."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from benchmarks.trust.counted import counted
from benchmarks.trust.deciding import Deciding, round_
from benchmarks.trust.faults import cut_off, kills, sign_in
from schoolgate.portal.configuration import STYLE_SHEET
from tests.portal.people import Browser
from tests.system.trust_scene import Trust, scene

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(
        not STYLE_SHEET.exists(), reason="the portal's style sheet was not made (make setup)"
    ),
]
CUT_SECONDS, AWAY_SECONDS = 15, 2


@dataclass(frozen=True, slots=True)
class Stage:
    """What is played with."""

    here: Trust
    deciding: Deciding
    teacher: Browser


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with scene(tmp_path_factory.mktemp("trust")) as here:
        deciding, teacher = Deciding(here, "hermitage"), sign_in(here)
        here.ask(1.0)
        yield Stage(here, deciding, teacher)
        deciding.close()
        teacher.close()


def test_what_the_centre_decides_is_in_force_at_both_gateways_of_the_school(stage: Stage) -> None:
    for number in range(3):
        opened, closed = round_(stage.here, stage.deciding, f"round-{number}")
        print(f"opened after {opened:.3f} s, closed after {closed:.3f} s")


def test_a_gateway_that_is_cut_off_goes_on_and_catches_up(stage: Stage) -> None:
    """A grant ends there on time, and what somebody asked there is asked once."""
    seen = cut_off(stage.here, stage.deciding, stage.teacher, CUT_SECONDS)
    print(seen)
    assert seen.early == 0
    assert seen.requests == 1
    assert seen.waiting > 0


def test_whatever_is_killed_decisions_and_events_come_through(stage: Stage) -> None:
    for one in kills(stage.here, stage.deciding, AWAY_SECONDS):
        print(one)


def test_every_request_is_one_line_and_one_row_and_none_was_unfiltered(stage: Stage) -> None:
    """Of all that went before in this file; what somebody asked at the cut gateway is there once."""
    found = counted(stage.here)
    print(found)
    made = "SELECT count(*) FROM hermitage.requests WHERE content::text LIKE %s"
    assert stage.here.centre.database.asked(made, "%Maths, asked at%") == [(1,)]
    assert found.requests > 0
    assert (found.not_once, found.lost, found.doubled, found.missing) == (0, 0, 0, 0)
    assert found.lines == found.rows
    assert found.blocked > 0
    assert found.leaks == 0
