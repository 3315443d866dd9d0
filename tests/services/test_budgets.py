"""Where somebody stands with their audio and video of today, for the pages that show it."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from schoolgate.core.clients import Client
from schoolgate.core.media.metering import Limits
from schoolgate.core.media.viewing import Piece, Viewing
from schoolgate.core.policy import Budget
from schoolgate.services.budgets import budget_of, budget_today
from schoolgate.storage import StreamAccounts, open_database
from tests.core.policy.example import NOON, PUPIL, TEACHER, policy

STAFF = Budget("staff-clips", "C-6", Limits(1800, 10**9), frozenset({"staff"}))
ALL = Budget("clips", "C-6", Limits(600, 10**8))


@pytest.mark.parametrize(
    ("budgets", "client", "want"),
    [
        ((), TEACHER, None),
        ((STAFF,), PUPIL, None),
        ((STAFF, ALL), TEACHER, STAFF),
        ((STAFF, ALL), PUPIL, ALL),
        ((ALL, STAFF), TEACHER, ALL),
    ],
)
def test_the_first_budget_that_concerns_somebody_is_theirs(
    budgets: tuple[Budget, ...], client: Client, want: Budget | None
) -> None:
    assert budget_of(policy(budgets=budgets), client) is want


def test_what_is_used_and_left_is_that_of_the_person_and_of_the_day(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path}/schoolgate.db")
    accounts, seen = StreamAccounts(database), Viewing()
    seen.deliver(Piece("a", "", 0.0, 605.5, 1_500_000))
    accounts.join("2026-11-23", {"user:xyz": seen})
    rules = policy(budgets=(STAFF,))
    today = budget_today(accounts, rules, TEACHER, NOON)
    assert today is not None
    assert today.rows == (
        ("Time", "30 min", "10 min 6 s", "19 min 54 s"),
        ("Data", "1,000 MB", "1.5 MB", "998.5 MB"),
    )
    assert today.anew == datetime(2026, 11, 24, tzinfo=UTC)
    tomorrow = budget_today(accounts, rules, TEACHER, today.anew)
    assert tomorrow is not None
    assert tomorrow.standing.seconds == 0
    assert budget_today(accounts, policy(), TEACHER, NOON) is None
    database.dispose()
