"""Rules that can never decide anything, because others before them always do."""

from collections.abc import Iterator, Sequence

from schoolgate.core.approvals import first
from schoolgate.core.categories import ListEntry, Reach
from schoolgate.core.policy.model import Lock, Policy, Rule, with_groups_around
from schoolgate.core.policy.shapes import Shape
from schoolgate.core.urls import path_covers


def dead_rules(policy: Policy) -> Iterator[tuple[Rule, str]]:
    """Give each rule of the policy's own that is dead, and by which it is hidden.

    A rule that is named is dead whatever the lists say. One that is not named may be dead all the
    same: where lists decide, or where it takes several rules to hide it at different times.
    """
    before: list[Rule] = []
    sections = (policy.locked, policy.always_reachable, policy.circumvention, policy.rules)
    for section in sections:
        for rule in section:
            if rule.level == 0:
                # Step 4 comes before step 6, in the policies that extend this one.
                earlier = [r for r in before if r not in policy.circumvention]
                hiding = _hiding(policy, rule, earlier if rule.lock is Lock.SCHOOL else before)
                if hiding:
                    names = " and ".join(f"'{other.id}'" for other in hiding)
                    yield rule, f"{names} always decide{'s' if len(hiding) == 1 else ''} before it"
            before.append(rule)


def _hiding(policy: Policy, rule: Rule, before: Sequence[Rule]) -> list[Rule]:
    """Give the rules that hide another between them, or none."""
    found: dict[str, Rule] = {}
    candidates = _before(policy, rule, before)
    for group in sorted(rule.groups or policy.groups):
        around = with_groups_around(policy.groups, [group])
        reaching = [other for other in candidates if not other.groups or other.groups & around]
        for sites in _sites(rule):
            hides = first(other for other in reaching if _covers(other, sites))
            if hides is None:
                return []
            found[hides.id] = hides
    return list(found.values())


def _before(policy: Policy, rule: Rule, before: Sequence[Rule]) -> list[Rule]:
    """Give the rules that decide before another wherever they concern the same request."""
    found = [other for other in before if _holds_when(other, rule)]
    if _stands_for_another(policy, rule):
        found = [other for other in found if other.verdict is rule.verdict]
    if rule in policy.circumvention:
        # What a policy above counts as getting round the filter is help of no school's.
        top = max(other.level for other in policy.circumvention)
        help_ = [other for other in policy.always_reachable if other.level < top]
        found = [other for other in found if other not in help_]
    return found


def _holds_when(other: Rule, rule: Rule) -> bool:
    """Ask whether a rule concerns every place, time and method that another does.

    One of a policy above that says the same hides nothing: the school's own words are shown.
    """
    if other.level > rule.level and other.verdict is rule.verdict:
        return False
    return all(
        not theirs or (mine and mine <= theirs)
        for theirs, mine in (
            (other.networks, rule.networks),
            (other.devices, rule.devices),
            (other.periods, rule.periods),
            (other.methods, rule.methods),
        )
    )


def _stands_for_another(policy: Policy, rule: Rule) -> bool:
    """Ask whether a policy above has locked a rule in whose place this one is shown.

    That one may decide before what comes before this one and says something else.
    """
    return any(
        above.lock is not Lock.NONE and above.level > rule.level and above.verdict is rule.verdict
        for above in policy.rules
    )


def _sites(rule: Rule) -> list[str | ListEntry | None]:
    """Give each thing that a rule looks for; None where it looks for nothing."""
    return [*rule.categories, *rule.hosts, *rule.shapes] or [None]


def _covers(other: Rule, sites: str | ListEntry | None) -> bool:
    if other.looks_for_nothing:
        return True
    if isinstance(sites, Shape):
        return sites in other.shapes
    if isinstance(sites, str):
        return sites in other.categories
    return sites is not None and any(_contains(entry, sites) for entry in other.hosts)


def _contains(outer: ListEntry, inner: ListEntry) -> bool:
    """Ask whether every page of an entry is one of another's."""
    if not path_covers(outer.path, inner.path):
        return False
    if outer.host == inner.host:
        return outer.reach in (Reach.SITE, inner.reach)
    return inner.host.endswith("." + outer.host) and outer.reach is not Reach.HOST
