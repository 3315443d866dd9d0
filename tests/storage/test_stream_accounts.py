"""Accounts of viewing are kept whole for their day, and forgotten with it."""

import pytest
from sqlalchemy import Engine

from schoolgate.core.media.metering import Standing
from schoolgate.core.media.viewing import Piece, Viewing
from schoolgate.storage import StreamAccounts

MONDAY, TUESDAY = "2026-11-23", "2026-11-24"
SEGMENT = Piece("0123abcd", "v1", 6.0, 6.0, 3_000_000_000)
UNPLACED = Piece("4567cdef", "a1", None, 2.5, 1000)


@pytest.fixture
def accounts(engine: Engine) -> StreamAccounts:
    return StreamAccounts(engine)


def viewing(*pieces: Piece) -> Viewing:
    made = Viewing()
    for piece in pieces:
        made.deliver(piece)
    return made


def test_an_account_comes_back_and_goes_on_where_it_was(accounts: StreamAccounts) -> None:
    accounts.join(MONDAY, {"user:kim": viewing(SEGMENT, UNPLACED), "user:lee": viewing()})
    found = accounts.of_day(MONDAY)
    assert sorted(found) == ["user:kim", "user:lee"]
    kim = found["user:kim"]
    assert (kim.seconds, kim.size) == (8.5, 3_000_001_000)
    assert kim.deliver(SEGMENT) == 0
    assert kim.deliver(UNPLACED) == 2.5


def test_two_gateways_count_on_the_same_account(accounts: StreamAccounts) -> None:
    """Each adds what it let flow: seconds that both gave count once, bytes as often as they flowed."""
    accounts.join(MONDAY, {"user:kim": viewing(SEGMENT), "user:lee": viewing(UNPLACED)})
    [(who, kept)] = accounts.join(MONDAY, {"user:kim": viewing(SEGMENT, UNPLACED)}).items()
    assert (who, kept.seconds, kept.size) == ("user:kim", 8.5, 6_000_001_000)
    assert accounts.standing("user:kim", MONDAY) == Standing(MONDAY, 8.5, 6_000_001_000)
    assert accounts.standing("user:lee", MONDAY) == Standing(MONDAY, 2.5, 1000)
    assert accounts.standing("user:sam", MONDAY) == Standing(MONDAY)


def test_those_that_others_counted_on_are_given_and_no_others(accounts: StreamAccounts) -> None:
    accounts.join(MONDAY, {"user:kim": viewing(SEGMENT), "user:lee": viewing(UNPLACED)})
    known = {"user:kim": (0, 0), "user:lee": (2500, 1000), "user:sam": (0, 0)}
    found = accounts.others(MONDAY, known)
    assert {who: each.seconds for who, each in found.items()} == {"user:kim": 6.0}
    assert accounts.others(TUESDAY, known) == {}


def test_other_days_are_forgotten(accounts: StreamAccounts) -> None:
    accounts.join(MONDAY, {"user:kim": viewing(SEGMENT)})
    accounts.join(TUESDAY, {"user:lee": viewing(SEGMENT)})
    assert accounts.of_day(MONDAY) == {}
    assert list(accounts.of_day(TUESDAY)) == ["user:lee"]
    assert accounts.standing("user:kim", TUESDAY) == Standing(TUESDAY)


def test_many_accounts_are_kept_at_once(accounts: StreamAccounts) -> None:
    everybody = {f"client:10.0.{n // 250}.{n % 250}": viewing(SEGMENT) for n in range(1000)}
    accounts.join(MONDAY, everybody)
    accounts.join(MONDAY, everybody)
    assert len(accounts.of_day(MONDAY)) == 1000
    assert len(accounts.others(MONDAY, dict.fromkeys(everybody, (0, 0)))) == 1000
