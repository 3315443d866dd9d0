"""Letters come to the one worker that somebody belongs to, or stay where nobody waits for them."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from schoolgate.workers import Letters
from schoolgate.workers.letters import LONGEST_LETTER

WORKERS = 4
PEOPLE = [f"user:{number}" for number in range(40)]


@pytest.fixture
def letters() -> Iterator[Letters]:
    with closing(Letters(WORKERS)) as made:
        yield made


def test_each_belongs_to_one_worker_whoever_writes(letters: Letters) -> None:
    owners = set()
    for who in PEOPLE:
        stays = [n for n in range(1, WORKERS + 1) if not letters.box(n).send(who, who.encode())]
        # Of all workers one alone keeps it, and has heard it of the others.
        (owner,) = stays
        owners.add(owner)
        box = letters.box(owner)
        assert [box.take() for _ in range(WORKERS)] == [who.encode()] * (WORKERS - 1) + [None]
    assert owners == set(range(1, WORKERS + 1))


def test_alone_a_worker_keeps_everything() -> None:
    with closing(Letters(1)) as letters:
        assert not letters.box(1).send("user:a", b"x")


def test_what_nobody_takes_or_is_too_long_stays(letters: Letters) -> None:
    (owner,) = [n for n in range(1, WORKERS + 1) if not letters.box(n).send("user:a", b"x")]
    while letters.box(owner).take():
        pass
    other = letters.box(owner % WORKERS + 1)
    assert not other.send("user:a", b"x" * (LONGEST_LETTER + 1))
    sent = 0
    while other.send("user:a", b"x"):
        sent += 1
        # As many as the kernel queues (net.unix.max_dgram_qlen), and bytes that it holds.
        assert sent < 100_000
    assert sent > 0
    assert letters.box(owner).take() == b"x"
    assert other.send("user:a", b"x")
