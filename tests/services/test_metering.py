"""A worker lets flow what it has a lease for, hears of the rest, and loses nothing when the owner is gone."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from schoolgate.core.media.metering import LEASE_SECONDS, Accounts, Limits, Word
from schoolgate.core.media.viewing import Piece
from schoolgate.services import metering
from schoolgate.services.ledger import Ledger
from schoolgate.services.metering import Meter
from schoolgate.workers.metering import Answer, Report

MONDAY, TUESDAY = "2026-11-23", "2026-11-24"
LIMITS = Limits(60, 100_000_000)
KIM = "user:kim"


def segment(at: float, seconds: float = 6.0, size: int = 1000) -> Piece:
    return Piece("a", "v1", at, seconds, size)


class Line:
    """Leads to an owner whose answers wait until they are let come."""

    def __init__(self) -> None:
        self.owner = Ledger(Accounts(MONDAY), lambda *_: None, lambda: 0.0)
        self.is_there = True
        self.sent: list[Report] = []

    def send(self, report: Report) -> bool:
        if self.is_there:
            self.sent.append(report)
        return self.is_there

    def answers(self) -> list[Answer]:
        taken, self.sent = self.sent, []
        return [answer for report in taken for _, answer in self.owner.take(1, report)]


class World:
    """A meter with its line and clocks."""

    def __init__(self) -> None:
        self.moment, self.day = 0.0, MONDAY
        self.line = Line()
        self.meter = Meter(lambda: self.day, lambda: self.moment)
        self.meter.over(self.line)
        self.meter.opened()

    def deliver(self, *pieces: Piece) -> None:
        for piece in pieces:
            self.meter.deliver(KIM, "staff", LIMITS, piece)

    def hear(self) -> None:
        """Let all answers come, and those to what is sent upon them."""
        while self.line.sent:
            for answer in self.line.answers():
                self.meter.hear(answer)

    async def ask(self) -> Word:
        async with asyncio.TaskGroup() as tasks:
            asked = tasks.create_task(self.meter.ask(KIM, LIMITS))
            await asyncio.sleep(0)
            self.hear()
        return asked.result()

    @property
    def word(self) -> Word:
        return self.meter.word(KIM, LIMITS)

    @property
    def may_go_on(self) -> bool:
        return self.meter.may_go_on(KIM, LIMITS)


@pytest.fixture
def world() -> World:
    return World()


def run[T](asked: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(asked)


def test_of_whom_nothing_is_known_the_owner_is_asked(world: World) -> None:
    words = [world.word, run(world.ask()), world.word]
    assert words == [Word.ASK, Word.GO, Word.GO]


def test_a_spent_budget_stops(world: World) -> None:
    world.deliver(segment(0, 61))
    world.hear()
    assert (world.word, world.may_go_on) == (Word.STOP, False)
    assert run(world.ask()) is Word.STOP
    assert world.meter.standing(KIM).seconds == 61


def test_nobody_answers(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metering, "PATIENCE_SECONDS", 0.01)
    world.line.is_there = False
    assert run(world.meter.ask(KIM, LIMITS)) is Word.ASK


def test_one_report_is_on_its_way_at_a_time_and_takes_all_that_came_meanwhile(world: World) -> None:
    world.deliver(segment(0), segment(6), segment(12))
    assert [len(report.delivered) for report in world.line.sent] == [1]
    [answer] = world.line.answers()
    world.meter.hear(answer)
    assert [len(report.delivered) for report in world.line.sent] == [2]
    world.hear()
    assert world.meter.standing(KIM).seconds == 18


def test_a_body_goes_on_beyond_its_lease_while_an_answer_is_on_its_way(world: World) -> None:
    run(world.ask())
    world.deliver(segment(0, LEASE_SECONDS))
    assert (world.word, world.may_go_on) == (Word.ASK, True)
    world.moment += metering.PATIENCE_SECONDS
    assert not world.may_go_on, "the owner is silent"
    world.hear()
    assert (world.word, world.may_go_on) == (Word.GO, True)


def test_a_body_goes_no_further_than_a_segment_above_what_was_left(world: World) -> None:
    run(world.ask())
    world.deliver(segment(0, 65))
    assert world.may_go_on
    world.deliver(segment(65, 1))
    assert not world.may_go_on


def test_without_an_owner_the_lease_is_all(world: World) -> None:
    run(world.ask())
    world.meter.lost()
    assert world.may_go_on
    world.line.is_there = False
    world.deliver(segment(0, LEASE_SECONDS))
    assert (world.word, world.may_go_on) == (Word.ASK, False)


def test_another_owner_is_told_what_the_one_before_did_not_answer(world: World) -> None:
    world.deliver(segment(0), segment(6))
    world.line.sent.clear()
    world.meter.lost()
    world.deliver(segment(12))
    world.meter.opened()
    world.hear()
    assert world.meter.standing(KIM).seconds == 18


def test_another_day_is_asked_for(world: World) -> None:
    world.deliver(segment(0, 61))
    world.hear()
    world.day = TUESDAY
    before = world.word
    world.line.owner.turn(Accounts(TUESDAY))
    assert [before, run(world.ask()), world.word] == [Word.ASK, Word.GO, Word.GO]


def test_a_meter_without_a_line_counts_by_itself_for_a_day() -> None:
    day = MONDAY
    meter = Meter(lambda: day)
    assert run(meter.ask(KIM, LIMITS)) is Word.GO
    meter.deliver(KIM, "staff", LIMITS, segment(0, 60))
    assert meter.word(KIM, LIMITS) is Word.STOP
    day = TUESDAY
    assert run(meter.ask(KIM, LIMITS)) is Word.GO


def test_accounts_of_the_longest_ago_are_forgotten(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metering, "_MOST_KNOWN", 2)
    for who in ("user:a", "user:b", "user:c"):
        world.meter.deliver(who, "staff", LIMITS, segment(0))
        world.hear()
    words = [world.meter.word(who, LIMITS) for who in ("user:a", "user:b", "user:c")]
    assert words == [Word.ASK, Word.GO, Word.GO]
