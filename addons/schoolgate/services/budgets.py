"""How much audio and video somebody was given today and how much is left, for the pages that show it."""

from dataclasses import dataclass
from datetime import datetime

from schoolgate.core.approvals import Subject, first, school_day
from schoolgate.core.clients import Client
from schoolgate.core.media.metering import Standing, resets_at
from schoolgate.core.policy import Budget, Policy
from schoolgate.storage import StreamAccounts


@dataclass(frozen=True, slots=True)
class BudgetToday:
    """Where somebody stands.

    Attributes:
        budget: what they may be given in a day.
        standing: what they were given today, a second or two ago.
        anew: when the budget begins anew, aware.
    """

    budget: Budget
    standing: Standing
    anew: datetime

    @property
    def rows(self) -> tuple[tuple[str, str, str, str], ...]:
        """What, how much of it in a day, used and left."""
        limits, standing = self.budget.limits, self.standing
        seconds, size = standing.left(limits)
        return (
            ("Time", _time(limits.seconds), _time(standing.seconds), _time(seconds)),
            ("Data", _data(limits.size), _data(standing.size), _data(size)),
        )


def budget_of(policy: Policy, client: Client) -> Budget | None:
    """Give the budget of a client; None where the policy gives none."""
    groups = policy.groups_of(client)
    return first(budget for budget in policy.budgets if budget.concerns(groups))


def budget_today(
    accounts: StreamAccounts, policy: Policy, client: Client, now: datetime
) -> BudgetToday | None:
    """Say where somebody stands; None for whom no budget is.

    Args:
        accounts: what was counted.
        policy: in force.
        client: who.
        now: when, aware.

    Raises:
        UnavailableError: when the database fails.
    """
    budget = budget_of(policy, client)
    if budget is None:
        return None
    standing = accounts.standing(str(Subject.nearest(client)), school_day(now))
    return BudgetToday(budget, standing, resets_at(now))


def _time(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if rest else f"{minutes} min"


def _data(size: int) -> str:
    return f"{size / 1_000_000:,.1f} MB" if size % 1_000_000 else f"{size // 1_000_000:,} MB"
