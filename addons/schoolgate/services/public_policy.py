"""“What we filter and monitor”, of the policy in force, for parents and for pupils (T-8-parents).

Made from the policy, never written by hand: what is not in the policy is not said, and what is not
carried out yet is named.
"""

from collections.abc import Iterator
from datetime import date
from itertools import groupby

from schoolgate.core.policy import (
    Enforcement,
    Group,
    InspectionMode,
    Lock,
    PolicyEngine,
    Rule,
    Verdict,
    with_groups_around,
)
from schoolgate.core.timetable import Timetable
from schoolgate.services import budgets_in_words
from schoolgate.services.public_page import Audience, PublicPolicy, Section, Table
from schoolgate.services.public_pupils import ForPupils
from schoolgate.services.rules_in_words import (
    MOST_NAMED,
    RulesInWords,
    day,
    listed,
    sentence,
    weekly,
)

_HAPPENS = {
    Verdict.ALLOW: "open",
    Verdict.MONITOR: "open, and watched",
    Verdict.WARN: "a warning comes first",
    Verdict.LIMIT: "open as long as there is audio and video left for the day",
    Verdict.BLOCK: "blocked",
}


def public_policy(engine: PolicyEngine, audience: Audience, today: date) -> PublicPolicy:
    """Say what a policy filters and monitors.

    Args:
        engine: the policy with what is listed.
        audience: for whom.
        today: for terms that are over and reviews that are due.
    """
    rules = RulesInWords(engine)
    if audience is Audience.PUPILS:
        return ForPupils(rules).page()
    return _ForParents(rules, today).page()


class _ForParents:
    def __init__(self, rules: RulesInWords, today: date) -> None:
        self._rules = rules
        self._today = today

    def page(self) -> PublicPolicy:
        policy = self._rules.policy
        return PublicPolicy(
            "What we filter and monitor",
            policy.school,
            (
                (
                    f"The internet at {policy.school} is filtered by rules that the school has written "
                    f"down: {policy.document}. This page is made from those rules as they are in force "
                    "now."
                ),
            ),
            tuple(
                section
                for section in (
                    self._never_open(),
                    *self._by_group(),
                    self._single_sites(),
                    self._modes(),
                    budgets_in_words.for_parents(self._rules),
                    self._words(),
                    self._times(),
                    self._monitored(),
                    self._unread(),
                    self._asking(),
                    self._limits(),
                    self._reviews(),
                    self._clauses(),
                )
                if section is not None
            ),
        )

    def _never_open(self) -> Section | None:
        policy = self._rules.policy
        nobody = [*policy.locked, *(r for r in policy.rules if r.lock is Lock.SCHOOL)]
        firm = [rule for rule in policy.rules if rule.lock is Lock.RULES]
        points = [
            f"{self._rules.sites_of(rule)}: nobody at the school can open these." for rule in nobody
        ]
        points += [
            f"{self._rules.sites_of(rule)}: no rule of the school opens these; a site that is listed by "
            "mistake can be opened by a person in charge."
            for rule in firm
        ]
        if not points:
            return None
        return Section("What stays closed", (), tuple(points))

    def _by_group(self) -> Iterator[Section]:
        for group in self._outer_groups():
            rows = tuple(self._rows(group))
            default = _HAPPENS[self._rules.policy.default.verdict]
            rest = f"Everything that is not in the table is {default}."
            strangers = (
                ("A device that nobody knows is treated like this, too.",)
                if group.id == self._rules.policy.default_group
                else ()
            )
            inner = [g.title for g in self._rules.policy.groups.values() if g.within == group.id]
            within = (f"This holds for {listed(inner)}, too.",) if inner else ()
            table = Table(("Kind of site", "What happens", "Clause"), rows)
            yield Section(group.title, (*within, *strangers, rest), (), (table,) if rows else ())

    def _outer_groups(self) -> list[Group]:
        """Give the groups that lie in no other, the strictest first."""
        outer = [group for group in self._rules.policy.groups.values() if not group.within]
        first = with_groups_around(self._rules.policy.groups, [self._rules.policy.default_group])
        return sorted(outer, key=lambda group: group.id not in first)

    def _rows(self, group: Group) -> Iterator[tuple[str, str, str]]:
        named = {category for rule in self._rules.policy.all_rules for category in rule.categories}
        for category in sorted(named, key=self._rules.title):
            rules = list(self._rules.deciding(category, group))
            happens = "; ".join(self._outcomes(rules))
            if any(self._rules.exempting(rule, group) for rule in rules):
                happens += ", but for the sites named below"
            clauses = dict.fromkeys(rule.clause for rule in rules)
            if rules and rules[0] is not self._rules.policy.default:
                yield self._rules.title(category), sentence(happens), ", ".join(clauses)

    def _outcomes(self, rules: list[Rule]) -> Iterator[str]:
        """Give what happens and when, in the order in which the rules are asked."""
        if len({rule.verdict for rule in rules}) == 1:
            yield _HAPPENS[rules[0].verdict]
            return
        for verdict, alike in groupby(rules, key=lambda rule: rule.verdict):
            conditions = [self._rules.when(rule) for rule in alike]
            if all(conditions):
                yield f"{_HAPPENS[verdict]} {', '.join(conditions)}"
            else:
                yield f"otherwise {_HAPPENS[verdict]}"

    def _single_sites(self) -> Section | None:
        rules = [
            rule for rule in self._rules.policy.all_rules if rule.hosts and not rule.categories
        ]
        by_age = {service.entry for service in self._rules.policy.ages}
        points = [
            f"{listed(self._rules.hosts(rule))}: {_HAPPENS[rule.verdict]}"
            f"{self._for_whom(rule)} ({rule.clause})."
            for rule in rules
            if len(rule.hosts) <= MOST_NAMED or not by_age.issuperset(rule.hosts)
        ]
        points += [
            f"{len(rule.hosts)} services for people who are older: {_HAPPENS[rule.verdict]}"
            f"{self._for_whom(rule)} ({rule.clause})."
            for rule in rules
            if len(rule.hosts) > MOST_NAMED and by_age.issuperset(rule.hosts)
        ]
        if not points:
            return None
        said = "Rules about a single site come in the order of the policy, beside those above."
        return Section("Single sites", (said,), tuple(points))

    def _modes(self) -> Section | None:
        """Say which services are asked for a mode of theirs."""
        policy = self._rules.policy
        points = []
        for _, alike in groupby(policy.obligations, key=lambda each: (each.id, each.mode)):
            together = list(alike)
            first = together[0]
            groups = [policy.groups[group].title for group in sorted(first.groups)]
            whom = listed(groups) if groups else "everybody"
            titles = listed(each.service.title for each in together)
            points.append(f"{titles}: “{first.mode}”, for {whom} ({first.clause}).")
        if not points:
            return None
        said = (
            "These services have a mode in which they leave things out, or let only some accounts in. The "
            "filter asks for it, whatever is set in the browser. Where several lines fit, the first counts."
        )
        return Section("Safe search and other modes", (said,), tuple(points))

    def _for_whom(self, rule: Rule) -> str:
        groups = [self._rules.policy.groups[g].title for g in sorted(rule.groups)]
        whom = f" for {listed(groups)}" if groups else ""
        if not rule.groups or not all(self._rules.policy.groups[g].within for g in rule.groups):
            when = self._rules.when(rule)
        else:
            when = self._rules.when(rule).partition(" in ")[2]
        return f"{whom} {when}".rstrip()

    def _words(self) -> Section:
        named = {category for rule in self._rules.policy.all_rules for category in rule.categories}
        known = [
            self._rules.categories[c]
            for c in sorted(named, key=self._rules.title)
            if c in self._rules.categories
        ]
        rows = tuple((category.title, category.description) for category in known)
        return Section(
            "What the kinds of sites are", (), (), (Table(("Kind of site", "What it is"), rows),)
        )

    def _times(self) -> Section | None:
        timetable = self._rules.policy.timetable
        if timetable is None or not any(rule.periods for rule in self._rules.policy.all_rules):
            return None
        return Section(
            "When lessons and breaks are",
            ("Some rules depend on the time. In holidays and on INSET days there are no lessons.",),
            (*weekly(timetable), *self._terms(timetable)),
        )

    def _terms(self, timetable: Timetable) -> Iterator[str]:
        for term in timetable.calendar.terms:
            if term.span.last >= self._today:
                half = term.half_term
                without = f", without {day(half.first)} to {day(half.last)}" if half else ""
                yield f"{term.name}: {day(term.span.first)} to {day(term.span.last)}{without}"

    def _monitored(self) -> Section:
        watched = self._rules.policy.default.verdict is Verdict.MONITOR
        rules = [rule for rule in self._rules.policy.rules if rule.verdict is Verdict.MONITOR]
        kinds = dict.fromkeys(self._rules.title(c) for rule in rules for c in rule.categories)
        said = [
            (
                "Everybody's use of the internet through the school's network is recorded: the time, the "
                "device or the person where they are known, the site, what was decided and why."
            ),
            (
                "What follows a question mark in an address, which is often what somebody typed, is not "
                "kept, nor is what stands on a page or in a message."
            ),
        ]
        for kept in self._rules.policy.searches:
            groups = [self._rules.policy.groups[group].title for group in sorted(kept.groups)]
            said.append(
                "What is searched for with a search engine is kept all the same, of "
                f"{listed(groups) if groups else 'everybody'} ({kept.clause})."
            )
        if self._rules.policy.safeguards:
            said.append(
                "Searches, addresses and kinds of site that may mean that somebody comes to harm are told to "
                "those who look after children at the school, whether they are blocked or not."
            )
        if watched:
            said.append("What is neither blocked nor listed is open and counts as watched.")
        elif kinds:
            said.append(f"Use of these is open and counted as watched: {listed(kinds)}.")
        return Section("What is monitored", tuple(said))

    def _unread(self) -> Section:
        inspection = self._rules.policy.inspection
        said = []
        if inspection.mode is InspectionMode.ALL:
            said.append(
                "Secure connections are opened by the filter to see which page is asked for, except "
                "for the sites named here."
            )
        else:
            said.append(
                "Secure connections are opened by the filter only where a rule cannot be carried out "
                "by the name of the site. For all others it sees the name of the site and nothing else."
            )
        points = [
            f"{self._rules.sites(sorted(never.categories), [e.text for e in never.hosts])} ({never.clause})"
            for never in inspection.never
        ]
        passed = sorted(entry.text.removeprefix("=") for entry in self._rules.passed)
        if passed:
            clause = self._rules.policy.local_clause
            points.append(
                f"Sites of programs that trust only their own: {listed(passed)} ({clause})"
            )
        said += [
            "Nothing is opened for whoever does not use the school's certificate "
            f"({only.clause}): a site is open or closed by its name."
            for only in inspection.names_only
        ]
        if points:
            said.append("Connections to these are never opened while the school allows them:")
        return Section("What nobody looks into", tuple(said), tuple(points), self._published())

    def _published(self) -> tuple[Table, ...]:
        """Name the sites of devices and programs that work unread alone."""
        never = {c for each in self._rules.policy.inspection.never for c in each.categories}
        known = self._rules.categories
        rows = tuple(
            (self._rules.title(id_), ", ".join(known[id_].published))
            for id_ in sorted(never & set(known), key=self._rules.title)
            if known[id_].published
        )
        return (Table(("Kind of site", "Its sites, with all below them"), rows),) if rows else ()

    def _asking(self) -> Section:
        policy = self._rules.policy
        said = [
            (
                f"Ask {policy.contact}. The page that is shown in place of a blocked site names the clause "
                "that closed it."
            ),
        ]
        lessons = policy.lessons
        if lessons is not None:
            said.append(
                f"A teacher can open up to {lessons.most_sites} sites for a class, for at most "
                f"{lessons.most_minutes} minutes, where they are blocked as "
                f"{listed(self._rules.title(c) for c in sorted(lessons.categories))} ({lessons.clause})."
            )
        said.append(
            "Whoever meets something that should be blocked tells the same people, or any member of staff."
        )
        return Section("How to ask for a site, or report one", tuple(said))

    def _limits(self) -> Section:
        said = (
            (
                f"{self._rules.names:,} sites are listed, in {len(self._rules.categories)} kinds. "
                "No list is complete: new sites appear every day, and a site may be listed wrongly in "
                "either direction. The filter judges a page by its address, not by what it says."
            ),
            (
                "It sees what goes through the school's network. At home, and on a phone's own mobile "
                "connection, it sees and stops nothing. So children need adults who talk with them about "
                "what they meet."
            ),
        )
        waiting = [
            f"{clause.title}: {clause.missing} ({clause.id})"
            for clause in self._rules.policy.clauses.values()
            if clause.enforcement is not Enforcement.ENFORCED
        ]
        if not waiting:
            return Section("What the filter cannot do", said)
        return Section(
            "What the filter cannot do",
            (
                *said,
                "These parts of the policy are not carried out by the filter yet, or only partly:",
            ),
            tuple(waiting),
        )

    def _reviews(self) -> Section | None:
        reviews = self._rules.policy.reviews
        if not reviews:
            return None
        points = (
            f"{review.title}: last on {day(review.last)}, every {review.every_months} months "
            f"({review.clause})"
            for review in reviews
        )
        return Section("When this is looked at again", (), tuple(points))

    def _clauses(self) -> Section:
        state = {
            Enforcement.ENFORCED: "yes",
            Enforcement.PARTLY: "partly",
            Enforcement.NOT_YET: "not yet",
        }
        rows = tuple(
            (clause.id, clause.title, state[clause.enforcement])
            for clause in self._rules.policy.clauses.values()
        )
        table = Table(("Clause", "What it asks for", "Carried out"), rows)
        return Section("The clauses", (), (), (table,))
