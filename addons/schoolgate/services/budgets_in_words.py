"""What the public pages say of budgets of audio and video."""

from collections.abc import Iterator

from schoolgate.core.policy import Budget, Group, with_groups_around
from schoolgate.services.public_page import Section
from schoolgate.services.rules_in_words import RulesInWords, listed


def for_parents(rules: RulesInWords) -> Section | None:
    """Say whose budget is which, and what is not counted; None where there is none."""
    policy = rules.policy
    if not policy.budgets:
        return None
    said = (
        (
            "Audio and video are counted for each person, or for the device where nobody is known: the time "
            "that was delivered, each second of a film once, and the data. When either is used up, no more "
            "of it flows until midnight."
        ),
        "Where several lines fit, the first counts.",
    )
    return Section("How much audio and video", said, tuple(_lines(rules)))


def for_pupils(rules: RulesInWords, group: Group | None) -> Section | None:
    """Say in simple words how much pupils may watch; None where that is not limited."""
    around = with_groups_around(rules.policy.groups, [group.id] if group else [])
    mine = next((each for each in rules.policy.budgets if each.concerns(around)), None)
    if mine is None:
        return None
    said = (
        f"You can watch and listen for {mine.limits.seconds // 60} minutes a day. Then it stops, and begins "
        "anew the next day."
    )
    return Section("How much you can watch", (said,))


def _lines(rules: RulesInWords) -> Iterator[str]:
    for budget in rules.policy.budgets:
        groups = [rules.policy.groups[group].title for group in sorted(budget.groups)]
        whom = listed(groups) if groups else "Everybody"
        yield f"{whom}: {amount(budget)} a day{_excepted(rules, budget)} ({budget.clause})."


def amount(budget: Budget) -> str:
    """Give how much a budget is, for people."""
    minutes, megabytes = budget.limits.seconds // 60, budget.limits.size // 1_000_000
    return f"{minutes} minutes and {megabytes:,} MB"


def _excepted(rules: RulesInWords, budget: Budget) -> str:
    hosts = [entry.text for entry in budget.except_hosts]
    categories = sorted(budget.except_categories, key=rules.title)
    return f"; not counted: {rules.sites(categories, hosts)}" if hosts or categories else ""
