"""Budgets: how much audio and video people may be given in a day, and what is not counted."""

from collections.abc import Iterable
from dataclasses import dataclass

from schoolgate.core.approvals import first
from schoolgate.core.categories import ListEntry
from schoolgate.core.media.metering import Limits
from schoolgate.core.policy.decision import Decision, Reason, Verdict

# What somebody opened by hand, and what is always reachable, burdens nobody's budget.
_NOT_COUNTED = frozenset({Reason.ALWAYS_REACHABLE, Reason.GRANT, Reason.LOCAL_ALLOW})


@dataclass(frozen=True, slots=True)
class Budget:
    """What some people may be given in a day, each of them (W-6.3.1-stream).

    It is that of the person, else of the device, else of the address, and begins anew at midnight in
    Europe/London.

    Attributes:
        id: unique in the policy.
        clause: id of the clause that it rests on.
        limits: how much it is.
        groups: only for these groups and those within them; empty for all.
        except_categories: trusted categories; a site is not counted that is in no other.
        except_hosts: sites that are not counted whatever category they are in.
    """

    id: str
    clause: str
    limits: Limits
    groups: frozenset[str] = frozenset()
    except_categories: frozenset[str] = frozenset()
    except_hosts: tuple[ListEntry, ...] = ()

    @property
    def name(self) -> str:
        """As answers show it among the obligations: ``metered:staff-clips``."""
        return f"metered:{self.id}"

    @property
    def condition(self) -> str:
        """The pseudo-category of the sites that are not counted."""
        return f"unmetered:{self.id}"

    def concerns(self, groups: frozenset[str]) -> bool:
        """Ask whether it is about somebody in these groups."""
        return not self.groups or not self.groups.isdisjoint(groups)

    def excepts(self, categories: tuple[str, ...], named: Iterable[str]) -> bool:
        """Ask whether what flows from a page is not counted.

        Args:
            categories: of the page; one in none is not known and not trusted.
            named: pseudo-categories of the page.
        """
        if self.condition in named:
            return True
        return bool(categories) and self.except_categories.issuperset(categories)


# Of somebody whose viewing is limited and who has no budget: nothing is left of it.
NO_BUDGET = Budget("none", "gateway-no-budget", Limits(0, 0))


def metering(
    budgets: Iterable[Budget], groups: frozenset[str], decision: Decision, named: Iterable[str]
) -> Budget | None:
    """Give the budget that audio and video of a page burden; None where they burden none.

    Args:
        budgets: of the policy; the first that concerns the client counts.
        groups: all of the client, with those around them.
        decision: on the page.
        named: pseudo-categories of the page.
    """
    if decision.verdict is Verdict.BLOCK or decision.reason in _NOT_COUNTED:
        return None
    budget = first(each for each in budgets if each.concerns(groups))
    if budget is None:
        return NO_BUDGET if decision.verdict is Verdict.LIMIT else None
    return None if budget.excepts(decision.categories, named) else budget
