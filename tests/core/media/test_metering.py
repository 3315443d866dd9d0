"""A budget is spent, near its end or neither; a worker has a lease of it; days end at midnight in school."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schoolgate.core.media.metering import (
    LEASE_BYTES,
    LEASE_SECONDS,
    LEASE_SHARE,
    Accounts,
    Allowance,
    Lease,
    Limits,
    Standing,
    Word,
    lease,
    resets_at,
)
from schoolgate.core.media.viewing import Piece, Viewing

MONDAY, TUESDAY = "2026-11-23", "2026-11-24"
LIMITS = Limits(seconds=1800, size=1_000_000_000, warn_percent=80)
SEGMENT = Piece("a", "v1", 0.0, 6.0, 1_000_000)


@pytest.mark.parametrize(
    ("seconds", "size", "spent", "near", "left"),
    [
        (0.0, 0, False, False, (1800.0, 1_000_000_000)),
        (1439.9, 799_999_999, False, False, (pytest.approx(360.1), 200_000_001)),
        (1440.0, 0, False, True, (360.0, 1_000_000_000)),
        (0.0, 800_000_000, False, True, (1800.0, 200_000_000)),
        (1800.0, 0, True, True, (0.0, 1_000_000_000)),
        (1.0, 1_000_000_001, True, True, (1799.0, 0)),
    ],
)
def test_where_an_account_stands(
    seconds: float, size: int, spent: bool, near: bool, left: tuple[float, int]
) -> None:
    standing = Standing(MONDAY, seconds, size)
    found = standing.is_spent(LIMITS), standing.is_near(LIMITS), standing.left(LIMITS)
    assert found == (spent, near, left)


@given(st.floats(0, 4000), st.integers(0, 2_000_000_000), st.integers(0, 16))
def test_leases_are_never_more_than_what_is_left(seconds: float, size: int, holders: int) -> None:
    standing = Standing(MONDAY, seconds, size)
    given_out = lease(standing, LIMITS, holders)
    left_seconds, left_bytes = standing.left(LIMITS)
    assert given_out.seconds * holders <= left_seconds + 1e-6
    assert given_out.size * holders <= left_bytes
    assert given_out.seconds <= max(LEASE_SECONDS, left_seconds * LEASE_SHARE)
    assert given_out.size <= max(LEASE_BYTES, left_bytes * LEASE_SHARE)


@pytest.mark.parametrize(
    ("what", "allowance", "day", "word"),
    [
        ("enough left", Allowance(Standing(MONDAY, 9.0), Lease(20.0, 9)), MONDAY, Word.GO),
        ("spent", Allowance(Standing(MONDAY, 1800.0), Lease(0.0, 0)), MONDAY, Word.STOP),
        ("another day", Allowance(Standing(MONDAY, 1800.0), Lease(0.0, 0)), TUESDAY, Word.ASK),
        ("lease used", Allowance(Standing(MONDAY), Lease(20.0, 9), 20.0), MONDAY, Word.ASK),
        ("its bytes are", Allowance(Standing(MONDAY), Lease(20.0, 9), 1.0, 9), MONDAY, Word.ASK),
    ],
)
def test_the_word_of_a_worker(what: str, allowance: Allowance, day: str, word: Word) -> None:
    assert allowance.word(LIMITS, day) is word, what


def test_there_is_room_for_what_is_left_of_a_lease() -> None:
    allowance = Allowance(Standing(MONDAY), Lease(10.0, 3_000_000))
    allowance.use(SEGMENT)
    assert allowance.room == (4.0, 2_000_000)
    allowance.use(SEGMENT)
    assert allowance.room == (0.0, 1_000_000), "and never for less than nothing"


def test_what_was_settled_burdens_a_lease_no_more() -> None:
    allowance = Allowance(Standing(MONDAY), Lease(10.0, 10_000_000))
    allowance.use(SEGMENT)
    allowance.use(SEGMENT)
    assert allowance.word(LIMITS, MONDAY) is Word.ASK
    # The owner knows that both were the same six seconds.
    allowance.settle(Standing(MONDAY, 6.0, 2_000_000), Lease(10.0, 10_000_000), [SEGMENT, SEGMENT])
    assert (allowance.seconds, allowance.size) == (0.0, 0)
    assert allowance.word(LIMITS, MONDAY) is Word.GO


def test_accounts_are_of_people() -> None:
    accounts = Accounts(MONDAY)
    assert accounts.deliver("user:kim", SEGMENT) == 6.0
    assert accounts.deliver("user:kim", SEGMENT) == 0.0
    assert accounts.deliver("user:lee", SEGMENT) == 6.0
    assert accounts.standing("user:kim") == Standing(MONDAY, 6.0, 2_000_000)
    assert accounts.standing("user:sam") == Standing(MONDAY)


def test_what_was_counted_is_given_once_and_again_when_it_could_not_be_saved() -> None:
    accounts = Accounts(MONDAY)
    accounts.deliver("user:kim", SEGMENT)
    since = accounts.take_since()
    assert list(since) == ["user:kim"]
    assert accounts.take_since() == {}
    accounts.deliver("user:kim", SEGMENT._replace(start=60.0))
    assert since["user:kim"].seconds == 6.0, "what is being saved does not change"
    accounts.put_back(since)
    assert accounts.take_since()["user:kim"].seconds == 12.0


def test_what_others_counted_is_learnt_on_top_of_what_is_not_saved_here() -> None:
    """The other gateway counted the first twelve seconds, this one the second six of them and six more."""
    accounts, saved = Accounts(MONDAY), Viewing()
    for start in (0.0, 6.0):
        saved.deliver(SEGMENT._replace(start=start))
    for start in (6.0, 12.0):
        accounts.deliver("user:kim", SEGMENT._replace(start=start))
    assert accounts.learn("user:kim", saved) is True
    assert accounts.standing("user:kim") == Standing(MONDAY, 18.0, 4_000_000)


def test_an_account_never_loses_what_was_counted() -> None:
    """Whatever happened to the table: what is used up stays used up."""
    accounts = Accounts(MONDAY)
    accounts.deliver("user:kim", SEGMENT)
    accounts.take_since()
    assert accounts.learn("user:kim", Viewing()) is False
    assert accounts.standing("user:kim") == Standing(MONDAY, 6.0, 1_000_000)


@pytest.mark.parametrize(
    ("now", "midnight"),
    [
        # Winter: London is UTC.
        ("2026-11-23T10:00:00+00:00", "2026-11-24T00:00:00+00:00"),
        ("2026-11-23T23:59:59+00:00", "2026-11-24T00:00:00+00:00"),
        # Summer: an hour before that of UTC.
        ("2026-06-22T22:59:59+00:00", "2026-06-22T23:00:00+00:00"),
        ("2026-06-22T23:00:00+00:00", "2026-06-23T23:00:00+00:00"),
        # The clock goes forward on 29 March 2026 and back on 25 October: days of 23 and 25 hours.
        ("2026-03-29T00:00:00+00:00", "2026-03-29T23:00:00+00:00"),
        ("2026-10-24T23:00:00+00:00", "2026-10-26T00:00:00+00:00"),
    ],
)
def test_budgets_begin_anew_at_midnight_in_school(now: str, midnight: str) -> None:
    found = resets_at(datetime.fromisoformat(now))
    assert found.astimezone(UTC) == datetime.fromisoformat(midnight)
    assert (found.hour, found.minute) == (0, 0)
