"""Attempts are counted for each client, and enough of them in a while are an incident, once."""

import pytest

from schoolgate.core.clients import Client
from schoolgate.core.policy import AttemptTerms
from schoolgate.services.attempts import Attempt, Attempts
from schoolgate.workers.letters import LONGEST_LETTER

TERMS = AttemptTerms("C-9", most=3, minutes=1)


def tried(who: str, kind: str, host: str, moment: float) -> Attempt:
    return Attempt(Client("10.0.0.7", "pupils", user=who), kind, host, "", moment)


def test_so_many_within_the_time_are_an_incident_and_the_next_comes_after_it() -> None:
    attempts = Attempts()
    seen = []
    for moment in (0, 10, 20, 30, 40, 85, 90, 95, 500, 600):
        is_new, incident = attempts.note(tried("a", "site", f"h{moment}", moment), TERMS)
        assert is_new
        if incident:
            seen.append((moment, incident.attempts, dict(incident.kinds)))
    assert seen == [(20, 3, {"site": 3}), (85, 3, {"site": 3})]


def test_the_same_way_to_the_same_site_counts_once_in_a_while() -> None:
    attempts = Attempts()
    noted = [attempts.note(tried("a", "doh", "x", at), TERMS)[0] for at in (0, 1, 2, 4.9, 5.1, 6)]
    assert noted == [True, False, False, False, True, False]
    assert attempts.note(tried("a", "site", "x", 6), TERMS)[0]
    assert attempts.note(tried("b", "doh", "x", 6), TERMS)[0]


def test_an_incident_says_which_ways() -> None:
    attempts = Attempts()
    attempts.note(tried("a", "doh", "x", 0), TERMS)
    attempts.note(tried("a", "socks", "", 0), TERMS)
    _, incident = attempts.note(tried("a", "doh", "y", 0), TERMS)
    assert incident is not None
    assert incident.kinds == {"doh": 2, "socks": 1}


def test_clients_that_were_seen_longest_ago_are_forgotten() -> None:
    attempts = Attempts(most_clients=100)
    for number in range(1_000):
        attempts.note(tried(str(number), "site", "x", number), TERMS)
    assert len(attempts) == 100


@pytest.mark.parametrize(
    ("client", "who"),
    [
        (Client("10.0.0.7", "pupils"), "client:10.0.0.7"),
        (Client("10.0.0.7", "pupils", device="trolley-7"), "device:trolley-7"),
        (
            Client("10.0.0.7", "year-4", "ann", "d-1", "wifi", "tablet", frozenset({"b", "a"})),
            "user:ann",
        ),
    ],
)
def test_another_worker_reads_what_was_written_to_it(client: Client, who: str) -> None:
    attempt = Attempt(client, "doh", "xn--bcher-kva.example", "inner.example", 17.5)
    assert Attempt.of_letter(attempt.letter()) == attempt
    assert attempt.who == who
    assert len(attempt.letter()) < LONGEST_LETTER
