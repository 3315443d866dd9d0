"""The steps that depend on the policy and the lists alone, compiled for a group and a page's categories."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from schoolgate.core.approvals import first
from schoolgate.core.policy.decision import Decision, Reason, Verdict
from schoolgate.core.policy.model import Policy, Rule

LOCAL_BLOCK = "local-block"
LOCAL_ALLOW = "local-allow"


@dataclass(frozen=True, slots=True)
class Row:
    """The answers of the static steps for one group and one set of categories.

    Attributes:
        locked: step 1.
        always: step 2.
        circumvention: step 6.
        local: step 7.
        policy: steps 8 and 9.
        settled: the first of them, which holds where nobody opened or withdrew anything by hand.
    """

    locked: Decision | None
    always: Decision | None
    circumvention: Decision | None
    local: Decision | None
    policy: Decision
    settled: Decision

    def under(self, stopped: Decision | None, granted: Decision | None) -> Decision:
        """Give the answer with what was decided by hand: steps 3 and 5."""
        for decision in (self.locked, self.always, stopped, granted):
            if decision is not None:
                return decision
        return self.settled

    @property
    def verdicts(self) -> tuple[Verdict | None, ...]:
        """The verdict of each step; rows that agree in these let through and stop the same."""
        steps = (self.locked, self.always, self.circumvention, self.local, self.policy)
        return tuple(decision.verdict if decision else None for decision in steps)


def compile_row(
    policy: Policy, group: str, categories: tuple[str, ...], named: tuple[str, ...]
) -> Row:
    """Answer the static steps.

    Args:
        policy: the rules.
        group: of the client.
        categories: of the page, sorted.
        named: pseudo-categories of the page: local lists and rules that name its host.
    """

    def first_of(rules: Iterable[Rule], reason: Reason | None = None) -> Decision | None:
        for rule in rules:
            decision = _apply(rule, group, categories, named)
            if decision is not None:
                return replace(decision, reason=reason) if reason else decision
        return None

    default = Decision(
        policy.default.verdict,
        Reason.DEFAULT,
        policy.default.clause,
        policy.default.id,
        category=first(categories),
        categories=categories,
        note=policy.default.note,
    )
    locked = first_of(policy.locked, Reason.LOCKED)
    always = first_of(policy.always_reachable, Reason.ALWAYS_REACHABLE)
    circumvention = first_of(policy.circumvention, Reason.CIRCUMVENTION)
    local = _local_decision(policy.local_clause, categories, named)
    by_rule = first_of(policy.rules) or default
    settled = locked or always or circumvention or local or by_rule
    return Row(locked, always, circumvention, local, by_rule, settled)


def host_condition(rule: Rule) -> str:
    """Give the pseudo-category of the hosts that a rule names."""
    return f"rule:{rule.id}"


def _local_decision(
    clause: str, categories: tuple[str, ...], named: tuple[str, ...]
) -> Decision | None:
    for label, verdict, reason in (
        (LOCAL_BLOCK, Verdict.BLOCK, Reason.LOCAL_BLOCK),
        (LOCAL_ALLOW, Verdict.ALLOW, Reason.LOCAL_ALLOW),
    ):
        if label in named:
            category = first(categories)
            return Decision(
                verdict, reason, clause, label, category=category, categories=categories
            )
    return None


def _apply(
    rule: Rule, group: str, categories: tuple[str, ...], named: tuple[str, ...]
) -> Decision | None:
    if rule.groups and group not in rule.groups:
        return None
    matched = first(category for category in rule.categories if category in categories)
    by_host = host_condition(rule) in named
    if (rule.categories or rule.hosts) and matched is None and not by_host:
        return None
    return Decision(
        rule.verdict,
        Reason.CATEGORY if matched else Reason.HOST,
        rule.clause,
        rule.id,
        category=matched,
        categories=categories,
        note=rule.note,
    )
