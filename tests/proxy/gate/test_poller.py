"""The gate's own epoll: who is called, and that the loop's other work has its turn."""

import asyncio
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from schoolgate.proxy.gate.poller import IN, Poller


@contextmanager
def talks(poller: Poller, many: int, heard: list[int]) -> Iterator[None]:
    """Let sockets be ready for ever: whoever is called reads a byte and is sent the next."""
    pairs = [socket.socketpair() for _ in range(many)]

    def answer(number: int) -> Callable[[int], None]:
        ours, theirs = pairs[number]

        def ready(_events: int) -> None:
            ours.recv(1)
            heard.append(number)
            theirs.send(b"x")

        return ready

    for number, (ours, theirs) in enumerate(pairs):
        ours.setblocking(False)
        poller.watch(ours.fileno(), IN, answer(number))
        theirs.send(b"x")
    yield
    for ours, theirs in pairs:
        poller.forget(ours.fileno())
        ours.close()
        theirs.close()


@pytest.mark.parametrize(("many", "rounds"), [(1, 1), (2, 1), (3, 4), (16, 4)])
def test_several_are_asked_again_within_a_turn_of_the_loop(many: int, rounds: int) -> None:
    async def heard_in_a_turn() -> list[int]:
        heard: list[int] = []
        poller = Poller(asyncio.get_running_loop(), lambda *_: None)
        with talks(poller, many, heard):
            # The loop looks at what is ready, calls that, and only then whoever waited.
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        poller.close()
        return heard

    assert sorted(asyncio.run(heard_in_a_turn())) == sorted([*range(many)] * rounds)


def test_sockets_that_are_always_ready_leave_turns_to_the_loop() -> None:
    async def turns() -> int:
        heard: list[int] = []
        count = 0
        poller = Poller(asyncio.get_running_loop(), lambda *_: None)
        with talks(poller, 16, heard):
            while len(heard) < 1600:
                await asyncio.sleep(0)
                count += 1
        poller.close()
        return count

    assert asyncio.run(turns()) >= 1600 / (16 * 4)


def test_who_was_closed_by_another_in_the_same_round_is_not_called() -> None:
    async def called() -> list[str]:
        heard: list[str] = []
        poller = Poller(asyncio.get_running_loop(), lambda *_: None)
        pairs = [socket.socketpair() for _ in range(2)]

        def close_both(name: str) -> Callable[[int], None]:
            def ready(_events: int) -> None:
                heard.append(name)
                for ours, _ in pairs:
                    poller.closing(ours.fileno())
                    ours.close()

            return ready

        for name, (ours, theirs) in zip("ab", pairs, strict=True):
            poller.watch(ours.fileno(), IN, close_both(name))
            theirs.send(b"x")
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        poller.close()
        for _, theirs in pairs:
            theirs.close()
        return heard

    assert len(asyncio.run(called())) == 1


def test_a_fault_of_one_is_told_and_the_others_are_called() -> None:
    faults: list[str] = []
    heard: list[str] = []

    def fail(_events: int) -> None:
        raise ValueError("broken")

    async def run() -> None:
        poller = Poller(asyncio.get_running_loop(), lambda _, error: faults.append(str(error)))
        (one, its), (other, others) = socket.socketpair(), socket.socketpair()
        poller.watch(one.fileno(), IN, fail)
        poller.watch(other.fileno(), IN, lambda _: heard.append("other"))
        its.send(b"x")
        others.send(b"x")
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        poller.close()
        for each in (one, its, other, others):
            each.close()

    asyncio.run(run())
    assert faults == ["broken"]
    assert heard == ["other"]
