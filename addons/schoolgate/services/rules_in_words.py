"""A policy's rules in words: what can decide on a kind of site, for whom and when."""

from collections.abc import Iterable, Iterator
from datetime import date

from schoolgate.core.categories import Category
from schoolgate.core.policy import (
    NO_PERIOD,
    Group,
    Lock,
    Policy,
    PolicyEngine,
    Rule,
    with_groups_around,
)
from schoolgate.core.timetable import Timetable

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


class RulesInWords:
    """A policy with the names of what it speaks of.

    Attributes:
        policy: the policy.
        categories: id → category.
        names: how many sites are listed.
    """

    def __init__(self, engine: PolicyEngine) -> None:
        self.policy = engine.policy
        self.categories = engine.catalogue.categories
        self.names = engine.catalogue.sites.names
        self.passed = engine.passed

    def deciding(self, category: str, group: Group) -> Iterator[Rule]:
        """Give the rules that can decide on a category for a group, in their order, to the last."""
        policy = self.policy
        groups = with_groups_around(policy.groups, [group.id])
        inner = {g.id for g in policy.groups.values() if group.id in _around(policy, g)}
        for rule in (*_by_hand_order(policy), policy.default):
            if rule.categories and category not in rule.categories:
                continue
            if not rule.categories and (rule.hosts or rule.shapes):
                continue
            if rule.groups and rule.groups.isdisjoint(groups | inner):
                continue
            yield rule
            if not is_conditional(rule) and (not rule.groups or not rule.groups.isdisjoint(groups)):
                return

    def exempting(self, rule: Rule, group: Group) -> Rule | None:
        """Give the rule that leaves single sites open, of what another of the same clause blocks."""
        groups = with_groups_around(self.policy.groups, [group.id])
        return next(
            (
                other
                for other in self.policy.rules
                if other.clause == rule.clause
                and other.hosts
                and other.verdict.passes
                and not rule.verdict.passes
                and (not other.groups or not other.groups.isdisjoint(groups))
            ),
            None,
        )

    def hosts(self, rule: Rule) -> list[str]:
        """Give the single sites that a rule is about: services by their titles, others as listed."""
        left = dict.fromkeys(rule.hosts)
        titles = []
        for service in self.policy.services.values():
            if left.keys() >= set(service.hosts):
                titles.append(service.title)
                for entry in service.hosts:
                    left.pop(entry, None)
        return [*titles, *(entry.text for entry in left)]

    def when(self, rule: Rule) -> str:
        """Give the conditions of a rule beside the kind of site, in words."""
        policy = self.policy
        parts = []
        narrower = [g for g in policy.groups.values() if g.id in rule.groups and g.within]
        if narrower and len(narrower) == len(rule.groups):
            parts.append(f"for {listed(g.title for g in narrower)}")
        if rule.periods:
            parts.append(f"in {listed(self.period(p) for p in sorted(rule.periods))}")
        if rule.networks:
            parts.append(f"on {listed(policy.networks[n] for n in sorted(rule.networks))}")
        if rule.devices:
            parts.append(f"with {listed(policy.devices[d] for d in sorted(rule.devices))}")
        if rule.methods:
            parts.append("when something is sent")
        return " ".join(parts)

    def period(self, id_: str) -> str:
        """Give the title of a period of the timetable."""
        timetable = self.policy.timetable
        if id_ == NO_PERIOD or timetable is None:
            return "the time outside the timetable"
        return timetable.periods[id_]

    def title(self, category: str) -> str:
        """Give the title of a category."""
        known: Category | None = self.categories.get(category)
        return known.title if known else category

    def sites_of(self, rule: Rule) -> str:
        """Give the sites that a rule is about."""
        return self.sites(rule.categories, self.hosts(rule))

    def sites(self, categories: Iterable[str], hosts: list[str]) -> str:
        """Give kinds of sites and single ones, in a sentence."""
        titles = [self.title(category) for category in categories]
        if len(hosts) > MOST_NAMED:
            hosts = [f"{len(hosts)} single sites"]
        return listed([*titles, *hosts])


# More than these in a row nobody reads.
MOST_NAMED = 12


def _by_hand_order(policy: Policy) -> tuple[Rule, ...]:
    """Give the rules in the order in which the engine asks them, firm locks of a policy above first."""
    firm = tuple(rule for rule in policy.rules if rule.lock is Lock.SCHOOL and rule.level)
    rest = tuple(rule for rule in policy.rules if rule not in firm)
    return (*policy.locked, *policy.always_reachable, *firm, *policy.circumvention, *rest)


def _around(policy: Policy, group: Group) -> frozenset[str]:
    return with_groups_around(policy.groups, [group.id])


def is_conditional(rule: Rule) -> bool:
    """Ask whether it matters when, where, with what or how somebody asks."""
    return bool(rule.periods or rule.networks or rule.devices or rule.methods)


def weekly(timetable: Timetable) -> Iterator[str]:
    """Give a line for each period and week: its days and times."""
    for period, title in timetable.periods.items():
        by_times: dict[tuple[str | None, tuple[str, ...]], list[int]] = {}
        for (weekday, week), ranges in sorted(
            timetable.weekly.items(), key=lambda item: (item[0][1] or "", item[0][0])
        ):
            times = tuple(
                str(range_).replace("-", "–") for range_ in ranges if range_.period == period
            )
            if times:
                by_times.setdefault((week, times), []).append(weekday)
        for (week, times), days in by_times.items():
            named = f" (week {week})" if week else ""
            yield f"{title}{named}: {_days(days)}, {listed(times)}"


def _days(days: list[int]) -> str:
    if len(days) > 2 and days == list(range(days[0], days[-1] + 1)):
        return f"{_DAYS[days[0]]} to {_DAYS[days[-1]]}"
    return listed(_DAYS[day] for day in days)


def day(of: date) -> str:
    """Give a date as people say it: ``3 September 2026``."""
    return f"{of.day} {of:%B %Y}"


def listed(items: Iterable[str]) -> str:
    """Give ``a, b and c``."""
    *most, last = [item for item in items if item] or ["nothing"]
    return f"{', '.join(most)} and {last}" if most else last


def sentence(text: str) -> str:
    """Give a text with a capital at its start."""
    return text[:1].upper() + text[1:]
