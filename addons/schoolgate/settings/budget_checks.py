"""What a schema cannot say of the budgets of a policy: everybody whom a rule limits has one."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from schoolgate.core.errors import Fault
from schoolgate.core.policy import Group, Policy, with_groups_around
from schoolgate.documents import Document, Loc
from schoolgate.settings.policy_text import PolicyText, RuleText, groups_of, rules_of


@dataclass(frozen=True, slots=True)
class BudgetChecks:
    """Finds the faults of budgets whose names exist.

    Attributes:
        document: the file.
        policy: what it says.
        above: the policy that it extends.
    """

    document: Document
    policy: PolicyText
    above: Policy | None

    def all(self) -> Iterator[Fault]:
        """Give every fault: of the budgets, then of the rules that need one."""
        seen = {budget.id for budget in self.above.budgets} if self.above else set[str]()
        is_hidden = False
        for i, budget in enumerate(self.policy.budgets):
            loc: Loc = ("budgets", i)
            if budget.id in seen:
                yield self.document.fault((*loc, "id"), f"the budget '{budget.id}' is named twice")
            if is_hidden:
                message = f"the budget '{budget.id}' is nobody's: one before it is everybody's"
                yield self.document.fault(loc, message, "put the one without groups last")
            seen.add(budget.id)
            is_hidden = is_hidden or not budget.groups
        for rule_loc, _, rule in rules_of(self.policy):
            if rule.then == "limit":
                yield from self._limited(rule_loc, rule)

    def _limited(self, loc: Loc, rule: RuleText) -> Iterator[Fault]:
        groups = self._groups
        for group in sorted(rule.when.groups or groups):
            around = with_groups_around(groups, [group])
            if not any(not names or around & names for names in self._budgets):
                message = f"the rule '{rule.id}' limits '{group}', who have no budget"
                yield self.document.fault((*loc, "then"), message, "name one under 'budgets'")

    @property
    def _groups(self) -> dict[str, Group]:
        own = groups_of(self.policy).items()
        return {
            **(self.above.groups if self.above else {}),
            **{id_: Group(id_, group.title, group.within) for id_, group in own},
        }

    @property
    def _budgets(self) -> Sequence[frozenset[str]]:
        """The groups of each."""
        above = [budget.groups for budget in self.above.budgets] if self.above else []
        return [*(frozenset(budget.groups) for budget in self.policy.budgets), *above]
