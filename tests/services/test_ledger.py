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
        self.rows: dict[tuple[str, str], Viewing] = {}
        self.fails = False

    @property
    def days(self) -> dict[str, dict[str, float]]:
        """Seconds by day and whose they are."""
        found: dict[str, dict[str, float]] = {}
        for (day, who), viewing in self.rows.items():
            found.setdefault(day, {})[who] = viewing.seconds
        return found

    def join(self, day: str, since: Mapping[str, Viewing]) -> dict[str, Viewing]:
        self._check()
        for who, viewing in since.items():
            self.rows.setdefault((day, who), Viewing()).join(viewing)
        return {who: _read(self.rows[day, who]) for who in since}

    def others(self, day: str, known: Mapping[str, tuple[int, int]]) -> dict[str, Viewing]:
        found = {who: row for (at, who), row in self.rows.items() if at == day and who in known}
        return {w: _read(v) for w, v in found.items() if known[w] != (v.milliseconds, v.size)}

    def of_day(self, day: str) -> dict[str, Viewing]:
        self._check()
        return {who: _read(row) for (at, who), row in self.rows.items() if at == day}

    def _check(self) -> None:
        if self.fails:
            raise UnavailableError("the disk is full")


def _read(row: Viewing) -> Viewing:
    """Give what is read of a row: a value of its own."""
    made = Viewing()
    made.join(row)
    return made


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
    assert keeper.open().standing("user:kim") == Standing(MONDAY, 6.0, 1000)


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


def test_what_another_gateway_counted_is_known_after_its_next_look() -> None:
    """After a fail-over the other owner reads what was used, and tells the workers that serve them."""
    table, one, other = Kept(), World(), World()
    told, unread = list[tuple[int, Answer]](), list[tuple[int, Answer]]()
    first, second = (
        Keeper(table, lambda: MONDAY, lambda _: None, told_by.extend) for told_by in (unread, told)
    )
    one.tell(ONE, segment(0, seconds=60.0))
    asyncio.run(first.save(one.ledger))
    # A worker of the other one asks before its owner has looked: it knows nothing yet.
    [account] = other.tell(OTHER, asked="user:kim")[OTHER].accounts
    assert account.standing == Standing(MONDAY)
    asyncio.run(second.save(other.ledger))
    [(worker, answer)] = told
    assert (worker, answer.number) == (OTHER, 0)
    assert answer.accounts[0].standing == Standing(MONDAY, 60.0, 1000)
    assert answer.accounts[0].lease.seconds == 0.0
    # What did not change is not told again; what is watched here counts on top.
    asyncio.run(second.save(other.ledger))
    assert len(told) == 1
    other.tell(OTHER, segment(60))
    asyncio.run(second.save(other.ledger))
    asyncio.run(first.save(one.ledger))
    assert table.days == {MONDAY: {"user:kim": 66.0}}
    assert one.ledger.accounts.standing("user:kim").seconds == 66.0
