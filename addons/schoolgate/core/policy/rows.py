"""The steps that depend on the policy and the lists alone, compiled for a page's categories."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from schoolgate.core.approvals import first
from schoolgate.core.policy.decision import Decision, Reason, Verdict
from schoolgate.core.policy.inspection import Need
from schoolgate.core.policy.model import Circumstances, Lock, Policy, Rule
from schoolgate.core.policy.obligations import Obligation
from schoolgate.core.policy.shapes import NOTES, Shape

LOCAL_BLOCK = "local-block"
LOCAL_ALLOW = "local-allow"
LOCAL_PASS = "local-pass"  # noqa: S105


@dataclass(frozen=True, slots=True)
class Row:
    """The answers of the static steps in one profile and for one set of categories.

    Attributes:
        locked: step 1.
        always: step 2.
        by_parent: step 4.
        circumvention: step 6.
        local: step 7.
        policy: steps 8 and 9.
        in_lessons: whether a teacher may open it for a lesson.
        settled: the first of them, which holds where nobody opened or withdrew anything by hand.
        obligations: of whatever lets it through.
    """

    locked: Decision | None
    always: Decision | None
    by_parent: Decision | None
    circumvention: Decision | None
    local: Decision | None
    policy: Decision
    in_lessons: bool
    settled: Decision
    obligations: tuple[Obligation, ...] = ()

    def under(
        self, stopped: Decision | None, granted: Decision | None, closed: Decision | None
    ) -> Decision:
        """Give the answer with what was decided by hand: steps 3, 5 and, for one site, 7."""
        for decision in (
            self.locked, self.always, stopped, self.by_parent, granted, self.circumvention, closed,
        ):  # fmt: skip
            if decision is not None:
                return decision
        return self.settled

    @property
    def outcome(self) -> tuple[Verdict | bool | None, ...]:
        """What each step does; rows that agree in these let through and stop the same."""
        steps = (
            self.locked, self.always, self.by_parent, self.circumvention, self.local, self.policy,
        )  # fmt: skip
        return *(decision.verdict if decision else None for decision in steps), self.in_lessons


class Profile:
    """The part of a policy that concerns people in some circumstances.

    Circumstances in which the same rules hold have the same profile, so that a hundred groups and
    periods make a few.

    Args:
        policy: the rules.
        circumstances: who, where and when.
    """

    __slots__ = (
        "_always", "_circumvention", "_locked", "_locks", "_policy", "_rules", "names_only", "needs",
        "obligations",
    )  # fmt: skip

    def __init__(self, policy: Policy, circumstances: Circumstances) -> None:
        def concerned(rules: Iterable[Rule]) -> "_Section":
            return _Section(rule for rule in rules if rule.concerns(circumstances))

        closed = policy.closed_shapes(
            rule for rule in policy.all_rules if rule.concerns(circumstances)
        )

        self._policy = policy
        self._locked = concerned(policy.locked)
        self._always = concerned(policy.always_reachable)
        self._circumvention = concerned((*policy.circumvention, *closed))
        self._locks = concerned(
            rule for rule in policy.rules if rule.lock is not Lock.NONE and rule.level
        )
        self._rules = concerned(policy.rules)
        self.needs: tuple[Need, ...] = tuple(
            need for need in policy.inspection.needs if need.concerns(circumstances.groups)
        )
        self.obligations = policy.obligations_of(circumstances)
        self.names_only = first(
            each
            for each in policy.inspection.names_only
            if each.concerns(circumstances.groups, circumstances.network, circumstances.device)
        )

    @property
    def signature(self) -> tuple[tuple[str, ...], ...]:
        """What makes it different from others."""
        sections = (self._locked, self._always, self._circumvention, self._locks, self._rules)
        return (
            *(section.ids for section in sections),
            tuple(need.id for need in self.needs),
            tuple(f"{each.id} {each.name}" for each in self.obligations),
            (self.names_only.clause,) if self.names_only else (),
        )

    def row(self, categories: tuple[str, ...], named: tuple[str, ...]) -> Row:
        """Answer the static steps.

        Args:
            categories: of the page, sorted.
            named: pseudo-categories of the page: local lists and rules that name its host.
        """
        page = _Page(categories, named, self.obligations_on(named))
        lock = self._locks.first(page, lambda rule: rule.lock is not Lock.SCHOOL)
        bound = self._locks.first(page)

        def gives_way(rule: Rule) -> bool:
            """Whether a policy above the rule's own has locked another answer."""
            return any(
                above is not None and rule.level < above.level and rule.verdict is not above.verdict
                for above in (lock, bound)
            )

        around = max((rule.level for rule in self._circumvention.all(page)), default=0)
        locked = page.decision(self._locked.first(page, gives_way), Reason.LOCKED)
        always = page.decision(
            # What a policy above counts as getting round the filter is help of no school's.
            self._always.first(page, lambda rule: gives_way(rule) or rule.level < around),
            Reason.ALWAYS_REACHABLE,
        )
        if lock is not None and gives_way(lock):
            lock = None
        by_parent = page.decision(self._in_own_words(lock, page), Reason.PARENT)
        circumvention = page.decision(
            self._circumvention.first(page, gives_way), Reason.CIRCUMVENTION
        )
        local = page.local(self._policy.local_clause)
        rule = self._in_own_words(self._rules.first(page), page)
        policy = page.decision(rule) or page.default(self._policy.default)
        in_lessons = circumvention is None and local is None and self._is_for_lessons(page)
        settled = locked or always or by_parent or circumvention or local or policy
        return Row(
            locked, always, by_parent, circumvention, local, policy, in_lessons, settled,
            page.obligations,
        )  # fmt: skip

    def obligations_on(self, named: Iterable[str]) -> tuple[Obligation, ...]:
        """Give those of a page; ``named`` are its pseudo-categories."""
        here = frozenset(named)
        return tuple(each for each in self.obligations if each.condition in here)

    def _is_for_lessons(self, page: "_Page") -> bool:
        """Tell if a page would be let through but for categories that teachers may open."""
        lessons = self._policy.lessons
        if lessons is None or lessons.categories.isdisjoint(page.categories):
            return False
        others = tuple(id_ for id_ in page.categories if id_ not in lessons.categories)
        rule = self._rules.first(_Page(others, page.named)) or self._policy.default
        return rule.verdict.passes

    def _in_own_words(self, rule: Rule | None, page: "_Page") -> Rule | None:
        """Give the school's own rule where it says the same as one that it inherits.

        The clause of its own policy is the one that the school's people know.
        """
        if rule is None:
            return None
        for level in range(rule.level):
            own = first(other for other in self._rules.all(page) if other.level == level)
            if own is not None and own.verdict is rule.verdict:
                return own
        return rule


class _Section:
    """Some rules, indexed by what they look for on a page."""

    __slots__ = ("_anyway", "_by_label", "_rules")

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._rules = tuple(rules)
        self._anyway: list[int] = []
        self._by_label: dict[str, list[int]] = {}
        for position, rule in enumerate(self._rules):
            if rule.looks_for_nothing:
                self._anyway.append(position)
            for category in rule.categories:
                self._by_label.setdefault(category, []).append(position)
            if rule.hosts:
                self._by_label.setdefault(host_condition(rule), []).append(position)
            for shape in rule.shapes:
                self._by_label.setdefault(shape.condition, []).append(position)

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(rule.id for rule in self._rules)

    def all(self, page: "_Page") -> Iterator[Rule]:
        """Give every rule that matches, in their order."""
        found = set(self._anyway)
        for label in (*page.categories, *page.named):
            found.update(self._by_label.get(label, ()))
        return (self._rules[position] for position in sorted(found))

    def first(
        self, page: "_Page", gives_way: Callable[[Rule], bool] = lambda _: False
    ) -> Rule | None:
        return first(rule for rule in self.all(page) if not gives_way(rule))


@dataclass(frozen=True, slots=True)
class _Page:
    """What the lists and the rules say of a page."""

    categories: tuple[str, ...]
    named: tuple[str, ...]
    obligations: tuple[Obligation, ...] = ()

    def decision(self, rule: Rule | None, reason: Reason | None = None) -> Decision | None:
        """Give what a rule that matches says; ``reason`` is that of its step."""
        if rule is None:
            return None
        category = first(id_ for id_ in rule.categories if id_ in self.categories)
        shape = first(s for s in Shape if s in rule.shapes and s.condition in self.named)
        by_name = Reason.HOST if host_condition(rule) in self.named else Reason.RULE
        why = Reason.CATEGORY if category else by_name
        return Decision(
            rule.verdict,
            reason or why,
            rule.clause,
            rule.id,
            category=category,
            categories=self.categories,
            note=rule.note or (NOTES[shape] if shape and not category else ""),
            obligations=self.obligations,
            shape=None if category else shape,
        )

    def default(self, rule: Rule) -> Decision:
        return Decision(
            rule.verdict,
            Reason.DEFAULT,
            rule.clause,
            rule.id,
            category=first(self.categories),
            categories=self.categories,
            note=rule.note,
            obligations=self.obligations,
        )

    def local(self, clause: str) -> Decision | None:
        for label, verdict, reason in (
            (LOCAL_BLOCK, Verdict.BLOCK, Reason.LOCAL_BLOCK),
            (LOCAL_ALLOW, Verdict.ALLOW, Reason.LOCAL_ALLOW),
        ):
            if label in self.named:
                category = first(self.categories)
                return Decision(
                    verdict,
                    reason,
                    clause,
                    label,
                    category=category,
                    categories=self.categories,
                    obligations=self.obligations,
                )
        return None


def host_condition(rule: Rule) -> str:
    """Give the pseudo-category of the hosts that a rule names."""
    return f"rule:{rule.id}"
