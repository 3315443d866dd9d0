"""Who hangs, and who only could not run: signs in, names out."""

from collections.abc import Iterator

import pytest

from schoolgate.workers.restarts import Restarts
from schoolgate.workers.watchdog import Sign, Watchdog

LOOK, PATIENCE, TOGETHER = 0.1, 1.0, 8.0


def watchdog() -> Watchdog[str]:
    return Watchdog(LOOK, PATIENCE, TOGETHER)


def looks(seconds: float, step: float = LOOK) -> Iterator[float]:
    """Give the times of looks from 0 to that time."""
    yield from (number * step for number in range(round(seconds / step) + 1))


def ended(watch: Watchdog[str], seconds: float, step: float = LOOK, **waits: float) -> set[str]:
    """Give who was ever judged to hang while `a` was silent, and `b` too where it has a wait.

    Args:
        watch: who judges.
        seconds: for how long.
        step: between two looks.
        waits: for each silent one, which part of the time it waited for a processor.
    """
    found: set[str] = set()
    for now in looks(seconds, step):
        signs = {name: Sign(5.0, part * now) for name, part in waits.items()}
        found |= watch.look(now, {"lively": Sign(now), **signs})
    return found


@pytest.mark.parametrize(
    ("seconds", "step", "waits", "want"),
    [
        # Whoever speaks is never judged to hang; who is silent is, after its time and not before.
        (100.0, LOOK, {}, set()),
        (0.9, LOOK, {"a": 0.0}, set()),
        (1.1, LOOK, {"a": 0.0}, {"a"}),
        # Silent because the processor is somebody else's: nine tenths, all of the time.
        (9.0, LOOK, {"a": 0.9}, set()),
        (11.0, LOOK, {"a": 0.9}, {"a"}),
        (1000.0, LOOK, {"a": 1.0}, set()),
        # The looker itself came late: no more than two looks count for each.
        (40.0, 10.0, {"a": 0.0}, set()),
        (60.0, 10.0, {"a": 0.0}, {"a"}),
        # Several may hang at once while others speak.
        (1.1, LOOK, {"a": 0.0, "b": 0.0}, {"a", "b"}),
    ],
)
def test_silence_counts_as_far_as_it_could_have_been_broken(
    seconds: float, step: float, waits: dict[str, float], want: set[str]
) -> None:
    assert ended(watchdog(), seconds, step, **waits) == want


@pytest.mark.parametrize(("seconds", "want"), [(7.9, set()), (8.5, {"a", "b"})])
def test_when_all_are_silent_the_machine_is_given_more_time(seconds: float, want: set[str]) -> None:
    watch, found = watchdog(), set[str]()
    for now in looks(seconds):
        # The one spoke last a little after the other.
        found |= watch.look(now, {"a": Sign(0.0), "b": Sign(min(now, 0.3))})
    assert found == want


def test_a_single_one_hangs_after_its_own_time() -> None:
    watch = watchdog()
    judged = [watch.look(now, {"a": Sign(0.0)}) for now in looks(1.1)]
    assert judged[-1] == {"a"}


def test_one_that_speaks_again_begins_anew() -> None:
    watch = watchdog()
    for now in looks(5.0):
        # Silent for 0.9 seconds each time.
        assert watch.look(now, {"a": Sign(now // 0.9), "lively": Sign(now)}) == set()


def test_one_that_is_not_to_speak_is_forgotten() -> None:
    watch = watchdog()
    for now in looks(0.9):
        watch.look(now, {"a": Sign(1.0), "lively": Sign(now)})
    assert watch.silent("a") == pytest.approx(0.9)
    watch.look(1.0, {})
    assert watch.silent("a") == 0.0


def test_the_first_ends_are_followed_at_once_by_a_start_and_more_of_them_later_and_later() -> None:
    restarts = Restarts()
    delays = [restarts.delay(1.0) for _ in range(10)]
    assert delays == [0, 0, 0.5, 1, 2, 4, 8, 16, 30, 30]
    assert (restarts.total, restarts.in_a_row) == (10, 10)


def test_one_that_lived_for_long_begins_anew() -> None:
    restarts = Restarts()
    for _ in range(5):
        restarts.delay(1.0)
    assert restarts.delay(60.0) == 0.0
    assert (restarts.total, restarts.in_a_row) == (6, 1)
