"""What the filter does, in words for pupils."""

from collections.abc import Iterator

from schoolgate.core.policy import Group, Verdict, with_groups_around
from schoolgate.services import budgets_in_words
from schoolgate.services.public_page import PublicPolicy, Section
from schoolgate.services.rules_in_words import RulesInWords, weekly


class ForPupils:
    """Makes the page."""

    def __init__(self, rules: RulesInWords) -> None:
        self._rules = rules

    def page(self) -> PublicPolicy:
        """Give the whole page."""
        policy = self._rules.policy
        return PublicPolicy(
            "How the internet works at our school",
            policy.school,
            (
                (
                    "Our school has rules for the internet. A computer called the filter helps everyone to "
                    "keep them."
                ),
            ),
            tuple(
                section
                for section in (
                    *self._simple_rules(),
                    self._simple_times(),
                    budgets_in_words.for_pupils(self._rules, self._pupils()),
                    Section(
                        "What the school can see",
                        (self._seen(),),
                    ),
                    self._simply_unread(),
                    Section(
                        "If a page is blocked and you need it",
                        (
                            "Tell your teacher. A page can be blocked by mistake; grown-ups can open it.",
                        ),
                    ),
                    Section(
                        "If you see something that upsets you",
                        (
                            (
                                "It is not your fault. Close it or turn the screen away, and tell an "
                                "adult you trust. The filter cannot catch everything."
                            ),
                        ),
                    ),
                )
                if section is not None
            ),
        )

    def _seen(self) -> str:
        policy = self._rules.policy
        own = with_groups_around(policy.groups, [policy.default_group])
        said = "The filter writes down which sites are visited, when, and from which device."
        if any(kept.concerns(own) for kept in policy.searches):
            return (
                f"{said} It writes down what you search for, so that grown-ups can help when somebody is "
                "in danger. It does not write down your messages."
            )
        return f"{said} It does not write down your messages, or what you search for."

    def _pupils(self) -> Group | None:
        policy = self._rules.policy
        groups = with_groups_around(policy.groups, [policy.default_group])
        outer = [policy.groups[id_] for id_ in groups if not policy.groups[id_].within]
        return outer[0] if outer else None

    def _simple_rules(self) -> Iterator[Section]:
        pupils = self._pupils()
        if pupils is None:
            return
        named = {category for rule in self._rules.policy.all_rules for category in rule.categories}
        by_outcome: dict[str, list[str]] = {
            "always": [], "sometimes": [], "some": [], "warned": [],
        }  # fmt: skip
        for category in sorted(named, key=self._rules.title):
            rules = list(self._rules.deciding(category, pupils))
            verdicts = [rule.verdict for rule in rules]
            if any(self._rules.exempting(rule, pupils) for rule in rules):
                by_outcome["some"].append(category)
            elif all(verdict is Verdict.BLOCK for verdict in verdicts):
                by_outcome["always"].append(category)
            elif Verdict.BLOCK in verdicts:
                by_outcome["sometimes"].append(category)
            elif Verdict.WARN in verdicts:
                by_outcome["warned"].append(category)
        for key, heading, said in (
            ("always", "What is blocked", "You cannot open these at school:"),
            (
                "sometimes",
                "What is blocked at some times or places",
                "You cannot always open these:",
            ),
            (
                "some",
                "What is partly blocked",
                "Some of these are open and made safe, the others are blocked:",
            ),
            (
                "warned",
                "Where you are asked to think first",
                "Before these, a page asks you to think:",
            ),
        ):
            if by_outcome[key]:
                points = tuple(self._rules.title(category) for category in by_outcome[key])
                yield Section(heading, (said,), points)

    def _simple_times(self) -> Section | None:
        pupils, timetable = self._pupils(), self._rules.policy.timetable
        if pupils is None or timetable is None:
            return None
        timed = [
            rule for rule in self._rules.policy.rules if rule.periods and pupils.id in rule.groups
        ]
        if not timed:
            return None
        return Section(
            "When", ("Some rules are for some times of the day:",), tuple(weekly(timetable))
        )

    def _simply_unread(self) -> Section | None:
        never = {c for never in self._rules.policy.inspection.never for c in never.categories}
        if not never:
            return None
        points = tuple(
            self._rules.title(category) for category in sorted(never, key=self._rules.title)
        )
        return Section(
            "What the filter does not look into",
            ("It sees that somebody visits these, and not what they do there:",),
            points,
        )
