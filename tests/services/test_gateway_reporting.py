"""A gateway's state is written every half minute, at once after a change, and again after a failure."""

import logging
from dataclasses import dataclass, field, replace

import pytest

from schoolgate.core.errors import UnavailableError
from schoolgate.services.gateway_reporting import EVERY_SECONDS, GatewayReporting
from schoolgate.storage.gateway_states import GatewayState
from tests.storage.days import at

WELL = GatewayState("hermitage", "gw1", "0.1.0", at(8), workers_wanted=2, workers_up=2)
ONE_DOWN = replace(WELL, workers_up=1)


@dataclass
class Scene:
    """A gateway, a clock and a database that can be away."""

    state: GatewayState | None = WELL
    seconds: float = 100.0
    is_away: bool = False
    written: list[GatewayState] = field(default_factory=list)
    tries: int = 0

    def write(self, state: GatewayState) -> None:
        self.tries += 1
        if self.is_away:
            raise UnavailableError("the database is away")
        self.written.append(state)

    def reporting(self) -> GatewayReporting:
        return GatewayReporting(lambda: self.state, self.write, lambda: self.seconds)


def test_it_is_written_at_once_and_then_every_half_minute() -> None:
    scene = Scene()
    reporting = scene.reporting()
    for second in range(int(2 * EVERY_SECONDS) + 1):
        scene.seconds = 100.0 + second
        reporting.step()
    assert scene.written == [WELL] * 3


@pytest.mark.parametrize(
    ("changed", "writes"),
    [
        (ONE_DOWN, 2),
        (replace(WELL, bundle=2), 2),
        (replace(WELL, faults=("journal",)), 2),
        # What changes with every line of the journal waits for the next time.
        (replace(WELL, unsent_since=at(9)), 1),
        (replace(WELL, kept_requests=3), 1),
    ],
)
def test_a_change_is_written_at_once(changed: GatewayState, writes: int) -> None:
    scene = Scene()
    reporting = scene.reporting()
    reporting.step()
    scene.state = changed
    scene.seconds += 1
    reporting.step()
    reporting.step()
    assert len(scene.written) == writes


def test_a_database_that_is_away_is_asked_seldom_and_told_when_it_is_back(
    caplog: pytest.LogCaptureFixture,
) -> None:
    scene = Scene(is_away=True)
    reporting = scene.reporting()
    for second in range(60):
        # Whatever changes meanwhile.
        scene.state = (WELL, ONE_DOWN)[second % 2]
        scene.seconds = 100.0 + second
        reporting.step()
    assert (scene.tries, scene.written) == (12, [])
    scene.is_away, scene.state = False, ONE_DOWN
    for _ in range(5):
        scene.seconds += 1
        reporting.step()
    assert scene.written == [ONE_DOWN]
    # Said once when it went, and once when it came.
    assert [record.levelno for record in caplog.records] == [logging.ERROR, logging.WARNING]


def test_a_gateway_that_starts_says_nothing() -> None:
    scene = Scene(state=None)
    reporting = scene.reporting()
    reporting.step()
    assert scene.written == []
    scene.state = WELL
    reporting.step()
    assert scene.written == [WELL]


def test_a_state_that_cannot_be_gathered_ends_nothing(caplog: pytest.LogCaptureFixture) -> None:
    scene = Scene()

    def look() -> GatewayState:
        if scene.is_away:
            raise PermissionError(13, "not yours")
        return WELL

    reporting = GatewayReporting(look, scene.write, lambda: scene.seconds)
    scene.is_away = True
    reporting.step()
    scene.is_away, scene.seconds = False, 200.0
    reporting.step()
    assert scene.written == [WELL]
    assert "not yours" in caplog.text
