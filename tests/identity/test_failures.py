"""Wrong passwords and tickets, counted by the address they come from."""

import pytest

from schoolgate.identity.answers import Answer, Outcome, refused, unavailable
from schoolgate.identity.failures import Failures

WRONG = refused("wrong")


@pytest.mark.parametrize(
    ("answer", "times", "client", "seconds", "want"),
    [
        (WRONG, 59, "10.0.0.7", 0, False),
        (WRONG, 60, "10.0.0.7", 0, True),
        (WRONG, 60, "10.0.0.8", 0, False),
        (WRONG, 60, "10.0.0.7", 299, True),
        (WRONG, 60, "10.0.0.7", 300, False),
        (WRONG, 60, "10.0.0.7", -1, False),  # the clock was put back
        (unavailable("down"), 100, "10.0.0.7", 0, False),
        (Answer(Outcome.ACCEPTED, "ann"), 100, "10.0.0.7", 0, False),
    ],
)
def test_only_what_was_wrong_often_and_of_late_counts(
    answer: Answer, times: int, client: str, seconds: float, want: bool
) -> None:
    at = [1000.0]
    failures = Failures(lambda: at[0])
    for _ in range(times):
        failures.note("10.0.0.7", answer)
    at[0] += seconds
    assert failures.are_many(client) is want


def test_a_client_that_goes_through_its_network_does_not_fill_the_memory() -> None:
    failures = Failures(lambda: 0.0)
    for number in range(20_000):
        failures.note(f"2001:db8::{number:x}", WRONG)
    assert len(failures._counts) == 10_000
