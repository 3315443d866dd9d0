"""The owner counts each second once for a person, leases what is left, and saves what it counted."""

import asyncio
from collections.abc import Mapping

import pytest

from schoolgate.core.errors import UnavailableError
from schoolgate.core.media.metering import LEASE_SECONDS, Accounts, Lease, Limits, Standing
from schoolgate.core.media.viewing import Piece, Viewing
from schoolgate.services.ledger import LEASE_HOLDS_SECONDS, Keeper, Ledger
from schoolgate.workers.metering import Account, Answer, Delivered, Report

MONDAY, TUESDAY = "2026-11-23", "2026-11-24"
LIMITS = Limits(60, 10_000_000)
ONE, OTHER = 1, 2


def segment(at: float, who: str = "user:kim", seconds: float = 6.0) -> Delivered:
    return Delivered(who, "staff", LIMITS, Piece("a", "v1", at, seconds, 1000))


class World:
    """A ledger, its clock and its figures."""

    def __init__(self) -> None:
        self.moment = 0.0
        self.counted: dict[tuple[str, str], float] = {}
        self.ledger = Ledger(Accounts(MONDAY), self._count, lambda: self.moment)

    def _count(self, group: str, outcome: str, seconds: float) -> None:
        key = group, outcome
        self.counted[key] = self.counted.get(key, 0.0) + seconds

    def tell(self, worker: int, *delivered: Delivered, asked: str = "") -> dict[int, Answer]:
        about = ((asked, LIMITS),) if asked else ()
        return dict(self.ledger.take(worker, Report(5, about, delivered)))


@pytest.fixture
def world() -> World:
    return World()


def test_whoever_asks_is_told_and_gets_a_lease(world: World) -> None:
    want = Account("user:kim", Standing(MONDAY), Lease(LEASE_SECONDS, 10_000_000))
    assert world.tell(ONE, asked="user:kim") == {ONE: Answer(5, (want,))}


def test_seconds_are_counted_once_whichever_worker_delivers_them(world: World) -> None:
    world.tell(ONE, segment(0), segment(6))
    answers = world.tell(OTHER, segment(6), segment(12))
    [account] = answers[OTHER].accounts
    assert account.standing == Standing(MONDAY, 18.0, 4000)
    assert world.counted == {("staff", "metered"): 18.0}
    # The other one is told without having asked, and shares what is left.
    [told] = answers[ONE].accounts
    assert (answers[ONE].number, told.standing) == (0, account.standing)
    assert told.lease.seconds == account.lease.seconds == 20.0


def test_leases_share_what_is_left(world: World) -> None:
    world.tell(ONE, segment(0, seconds=50.0))
    answers = world.tell(OTHER, asked="user:kim")
    assert answers[OTHER].accounts[0].lease.seconds == 5.0
    # One that is gone, or has not asked for long, has none.
    world.ledger.gone(ONE)
    assert world.tell(OTHER, asked="user:kim")[OTHER].accounts[0].lease.seconds == 10.0
    world.tell(ONE, asked="user:kim")
    world.moment += LEASE_HOLDS_SECONDS + 1
    assert world.tell(OTHER, asked="user:kim")[OTHER].accounts[0].lease.seconds == 10.0


def test_what_is_delivered_beyond_the_budget_counts_as_overrun(world: World) -> None:
    world.tell(ONE, segment(0, seconds=60.0), segment(60))
    assert world.counted == {("staff", "metered"): 60.0, ("staff", "overrun"): 6.0}


class Kept:
    """A table that may fail."""

    def __init__(self) -> None:
        self.days: dict[str, dict[str, float]] = {}
        self.fails = False

    def keep(self, day: str, viewings: Mapping[str, Viewing]) -> None:
        self._check()
        self.days.setdefault(day, {}).update({who: v.seconds for who, v in viewings.items()})

    def of_day(self, day: str) -> dict[str, Viewing]:
        self._check()
        kept = self.days.get(day, {})
        return {who: Viewing(round(seconds * 1000)) for who, seconds in kept.items()}

    def _check(self) -> None:
        if self.fails:
            raise UnavailableError("the disk is full")


def test_what_changed_is_saved_and_what_could_not_be_is_later(world: World) -> None:
    table, failures = Kept(), list[Exception]()
    keeper = Keeper(table, lambda: MONDAY, failures.append)
    world.tell(ONE, segment(0))
    table.fails = True
    asyncio.run(keeper.save(world.ledger))
    assert (table.days, len(failures)) == ({}, 1)
    table.fails = False
    asyncio.run(keeper.save(world.ledger))
    assert table.days == {MONDAY: {"user:kim": 6.0}}
    assert keeper.open().standing("user:kim") == Standing(MONDAY, 6.0)


def test_another_day_begins_when_it_can_be_opened(world: World) -> None:
    table, today = Kept(), MONDAY
    keeper = Keeper(table, lambda: today, lambda _: None)
    world.tell(ONE, segment(0, seconds=60.0))
    today, table.fails = TUESDAY, True
    asyncio.run(keeper.save(world.ledger))
    assert world.ledger.accounts.standing("user:kim").day == MONDAY
    table.fails = False
    asyncio.run(keeper.save(world.ledger))
    assert table.days == {MONDAY: {"user:kim": 60.0}}
    [account] = world.tell(ONE, asked="user:kim")[ONE].accounts
    assert account.standing == Standing(TUESDAY)
