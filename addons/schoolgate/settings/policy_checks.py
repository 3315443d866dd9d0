"""What a schema cannot say of a policy file: every name exists, and every rule can come to bear."""

import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from schoolgate.core.approvals import OPENING, PrecautionKind
from schoolgate.core.categories import ListEntry
from schoolgate.core.errors import BadAddressError, Fault
from schoolgate.core.policy import (
    NO_PERIOD,
    Enforcement,
    Group,
    Lock,
    Policy,
    Service,
    with_groups_around,
)
from schoolgate.core.policy.inspection import DERIVED_NEEDS
from schoolgate.documents import Document, Loc, suggestion
from schoolgate.settings.budget_checks import BudgetChecks
from schoolgate.settings.policy_text import (
    SERVICE,
    WHOLE,
    InspectionText,
    PolicyText,
    RuleText,
    SitesText,
    WhenText,
    groups_of,
    rules_of,
)
from schoolgate.settings.services_file import is_header_value, values_of

NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_METHOD = re.compile(r"[A-Z]+")

# What the words of a section already say; anything else would contradict its step.
_ONLY = {"locked": "block", "always_reachable": "allow", "circumvention": "block"}
_FIRMNESS = (Lock.SCHOOL, Lock.RULES, Lock.NONE)


class Checks:
    """Finds the faults of a policy whose form is right.

    Args:
        document: the file.
        policy: what it says.
        categories: ids of those that exist.
        above: the policy that it extends.
        periods: what rules may name as a period.
        ages: from which services admit people.
        services: that have modes to ask for.
    """

    def __init__(
        self,
        document: Document,
        policy: PolicyText,
        categories: Collection[str],
        above: Policy | None = None,
        periods: Collection[str] = (),
        ages: Collection[int] = (),
        services: Mapping[str, Service] | None = None,
    ) -> None:
        self._document = document
        self._policy = policy
        self._above = above
        self._categories = set(categories)
        self._category_groups = {
            **(above.category_groups if above else {}),
            **policy.category_groups,
        }
        self._groups = {*(above.groups if above else ()), *policy.groups}
        self._networks = {*(above.networks if above else ()), *policy.networks}
        self._devices = {*(above.devices if above else ()), *policy.devices}
        self._clauses = {*(above.clauses if above else ()), *policy.clauses}
        self._periods = {NO_PERIOD, *periods}
        self._ages = ages
        self._services = services or {}

    def all(self) -> Iterator[Fault]:
        """Give every fault in file order of their sections."""
        policy = self._policy
        if policy.id != Path(self._document.file).stem:
            yield self._fault(("id",), f"the id '{policy.id}' is not the file's name")
        if self._above is None:
            for key in WHOLE:
                if not getattr(policy, key):
                    yield self._fault((), f"the key '{key}' is missing")
        else:
            yield from self._taken_over(self._above)
        if policy.default_group:
            yield from self._known(("default_group",), policy.default_group, self._groups, "group")
        for key in ("suspension_clause", "local_clause", "grant_clause", "locked_clause"):
            if name := getattr(policy, key):
                yield from self._known((key,), name, self._clauses, "clause")
        for i, review in enumerate(policy.reviews):
            yield from self._known(("reviews", i, "clause"), review.clause, self._clauses, "clause")
        if policy.lessons:
            loc = ("lessons",)
            yield from self._known((*loc, "clause"), policy.lessons.clause, self._clauses, "clause")
            yield from self._category_names((*loc, "categories"), policy.lessons.categories)
        if policy.attempts:
            clause = policy.attempts.clause
            yield from self._known(("attempts", "clause"), clause, self._clauses, "clause")
        yield from self._contents()
        yield from self._searches()
        yield from self._safeguarding()
        yield from self._budgets()
        yield from self._obligations()
        yield from self._people_in_charge()
        yield from self._requests()
        yield from self._group_tree()
        yield from self.names()
        yield from self._clause_states()

    def _contents(self) -> Iterator[Fault]:
        above = self._above
        seen = {rule.id for _, _, rule in rules_of(self._policy)}
        seen |= {rule.id for rule in above.all_rules} if above else set()
        seen |= {need.id for need in above.inspection.needs} if above else set()
        for i, rule in enumerate(self._policy.contents):
            loc: Loc = ("contents", i)
            if rule.id in seen or rule.id in DERIVED_NEEDS:
                message = f"the id '{rule.id}' is that of another rule or need"
                yield self._fault((*loc, "id"), message)
            seen.add(rule.id)
            if not NAME.fullmatch(rule.id):
                yield self._fault((*loc, "id"), f"'{rule.id}' is not of the form some-words")
            yield from self._known((*loc, "clause"), rule.clause, self._clauses, "clause")
            if rule.category:
                place = (*loc, "category")
                yield from self._known(place, rule.category, self._categories, "category")
            of_files = bool(rule.when.is_) or rule.when.clip_longer_than is not None
            if not (of_files or rule.when.says):
                hint = "say 'is' what, 'clip_longer_than', or 'says'"
                yield self._fault((*loc, "when"), f"the rule '{rule.id}' looks for nothing", hint)
            if of_files and rule.when.says:
                message = f"the rule '{rule.id}' is about texts and about other answers"
                yield self._fault((*loc, "when"), message, "make two rules of it")
            if of_files and rule.then != "block":
                message = "only what a page says can have another answer than 'block'"
                yield self._fault((*loc, "then"), message)
            yield from self._category_names((*loc, "when", "says"), rule.when.says)
            for j, name in enumerate(rule.when.groups):
                yield from self._known((*loc, "when", "groups", j), name, self._groups, "group")
            # The connection is read all the same.
            yield from self._sites((*loc, "except"), rule.except_, with_parts=True)

    def _searches(self) -> Iterator[Fault]:
        for i, kept in enumerate(self._policy.searches):
            loc: Loc = ("searches", i)
            yield from self._known((*loc, "clause"), kept.clause, self._clauses, "clause")
            for n, name in enumerate(kept.groups):
                yield from self._known((*loc, "groups", n), name, self._groups, "group")

    def _safeguarding(self) -> Iterator[Fault]:
        for i, each in enumerate(self._policy.safeguarding):
            loc: Loc = ("safeguarding", i)
            yield from self._known((*loc, "clause"), each.clause, self._clauses, "clause")
            for n, name in enumerate(each.groups):
                yield from self._known((*loc, "groups", n), name, self._groups, "group")
        if self._policy.concerns:
            clause = self._policy.concerns.clause
            yield from self._known(("concerns", "clause"), clause, self._clauses, "clause")

    def _budgets(self) -> Iterator[Fault]:
        for i, budget in enumerate(self._policy.budgets):
            loc: Loc = ("budgets", i)
            if not NAME.fullmatch(budget.id):
                yield self._fault((*loc, "id"), f"'{budget.id}' is not of the form some-words")
            yield from self._known((*loc, "clause"), budget.clause, self._clauses, "clause")
            for n, name in enumerate(budget.groups):
                yield from self._known((*loc, "groups", n), name, self._groups, "group")
            excepted = WhenText(categories=budget.except_.categories, hosts=budget.except_.hosts)
            yield from self._when((*loc, "except"), excepted)
        yield from BudgetChecks(self._document, self._policy, self._above).all()

    def _requests(self) -> Iterator[Fault]:
        requests = self._policy.requests
        for i, asked in enumerate(requests.precautions if requests else ()):
            loc: Loc = ("requests", "precautions", i)
            yield from self._known((*loc, "clause"), asked.clause, self._clauses, "clause")
            when: Loc = (*loc, "when")
            yield from self._category_names((*when, "categories"), asked.when.categories)
            for key, names, known, kind in (
                ("groups", asked.when.groups, self._groups, "group"),
                ("networks", asked.when.networks, self._networks, "network"),
            ):
                for n, name in enumerate(names):
                    yield from self._known((*when, key, n), name, known, kind)
            if asked.needs is PrecautionKind.NOTIFICATION and not asked.by:
                yield self._fault(loc, "a notification needs 'by': the roles that confirm it")

    def names(self) -> Iterator[Fault]:
        """Give the faults in the names that groups of categories, rules and inspection use."""
        yield from self._groups_of_categories()
        yield from self._rules()
        if self._policy.inspection is not None:
            yield from self._inspection(self._policy.inspection)

    def _people_in_charge(self) -> Iterator[Fault]:
        """Who permits what, and who signs."""
        policy = self._policy
        for i, role in enumerate(policy.roles.bypass if policy.roles else ()):
            if role not in OPENING:
                message = f"'{role}' opens no site for others, and none that gets round the filter"
                yield self._fault(("roles", "bypass", i), message, f"name {', '.join(OPENING)}")
        if policy.declaration:
            loc, signed = ("declaration",), policy.declaration
            yield from self._known((*loc, "clause"), signed.clause, self._clauses, "clause")
            for i, name in enumerate(signed.groups):
                yield from self._known((*loc, "groups", i), name, self._groups, "group")

    def _taken_over(self, above: Policy) -> Iterator[Fault]:
        """A name means the same in a policy and in the one that it extends."""
        for key in ("groups", "networks", "devices", "category_groups", "clauses"):
            for name in getattr(self._policy, key):
                if name in getattr(above, key):
                    message = f"'{name}' comes from the policy '{above.id}' already"
                    yield self._fault((key, name), message, "give it another name, or leave it out")
        named = {period for rule in above.all_rules for period in rule.periods}
        for period in sorted(named - self._periods):
            message = (
                f"rules of the policy '{above.id}' hold in the period '{period}', which is not here"
            )
            yield self._fault(("timetable",), message, suggestion(period, self._periods))
        default = self._policy.default_group
        around = with_groups_around({**above.groups, **_own_groups(self._policy)}, [default or ""])
        if default in self._groups and above.default_group not in around:
            message = f"strangers are '{above.default_group}' in the policy '{above.id}'"
            hint = f"name that group, or one within it, and not '{default}'"
            yield self._fault(("default_group",), message, hint)
        inherited = {rule.id for rule in above.all_rules}
        for loc, section, rule in rules_of(self._policy):
            if rule.id in inherited and section != "default":
                message = f"the policy '{above.id}' has a rule '{rule.id}' already"
                yield self._fault((*loc, "id"), message, "give it another id")

    def _group_tree(self) -> Iterator[Fault]:
        own = groups_of(self._policy)
        for id_, group in own.items():
            loc: Loc = ("groups", id_)
            if not NAME.fullmatch(id_):
                yield self._fault(loc, f"'{id_}' is not of the form some-words")
            if group.within:
                yield from self._known((*loc, "within"), group.within, self._groups, "group")
            elif self._above is not None and id_ not in self._above.groups:
                message = (
                    f"the group '{id_}' lies within none of the policy '{self._above.id}',"
                    " whose rules would not reach it"
                )
                hint = f"say 'within:' one of {', '.join(self._above.groups)}"
                yield self._fault(loc, message, hint)
            seen = [id_]
            while (outer := own[seen[-1]].within) in own:
                if outer in seen:
                    yield self._fault(loc, f"the group '{id_}' lies within itself")
                    break
                seen.append(outer)

    def _groups_of_categories(self) -> Iterator[Fault]:
        for name, members in self._policy.category_groups.items():
            loc = ("category_groups", name)
            if name in self._categories:
                yield self._fault(loc, f"'{name}' is a category already")
            if not members:
                # A rule about it would look for nothing, and so match everything.
                yield self._fault(loc, f"'{name}' holds no category")
            for i, member in enumerate(members):
                yield from self._known((*loc, i), member, self._categories, "category")

    def _rules(self) -> Iterator[Fault]:
        seen: set[str] = set()
        firmest = 0
        for loc, section, rule in rules_of(self._policy):
            if rule.id in seen:
                yield self._fault((*loc, "id"), f"the rule id '{rule.id}' is used twice")
            seen.add(rule.id)
            if not NAME.fullmatch(rule.id):
                yield self._fault((*loc, "id"), f"'{rule.id}' is not of the form some-words")
            yield from self._known((*loc, "clause"), rule.clause, self._clauses, "clause")
            yield from self._when((*loc, "when"), rule.when)
            only = _ONLY.get(section)
            if only and rule.then != only:
                yield self._fault((*loc, "then"), f"a rule under '{section}' can only {only}")
            yield from self._lock(loc, section, rule, firmest)
            if section == "rules":
                firmest = max(firmest, _FIRMNESS.index(rule.lock))
            if rule.then == "warn" and rule.when.methods and "POST" not in rule.when.methods:
                message = "whoever goes on after a warning sends a POST"
                yield self._fault((*loc, "when", "methods"), message, "name POST, too")
            empty = rule.when == WhenText()
            if empty and section != "default":
                message = f"the rule '{rule.id}' has no condition and would decide everything"
                yield self._fault(loc, message, "name categories, hosts or groups under 'when'")
            if not empty and section == "default":
                yield self._fault((*loc, "when"), "the default has no conditions")

    def _lock(self, loc: Loc, section: str, rule: RuleText, firmest: int) -> Iterator[Fault]:
        if rule.lock is Lock.NONE:
            return
        if section != "rules":
            message = f"a rule under '{section}' has no lock"
            yield self._fault((*loc, "lock"), message, "lock what stands under 'rules'")
        elif _FIRMNESS.index(rule.lock) < firmest:
            message = f"the rule '{rule.id}' is locked and stands below others that are less firm"
            hint = "put 'lock: school' first, then 'lock: rules', then those without"
            yield self._fault((*loc, "lock"), message, hint)

    def _when(self, loc: Loc, when: WhenText) -> Iterator[Fault]:
        yield from self._category_names((*loc, "categories"), when.categories)
        for key, known in (
            ("groups", self._groups),
            ("networks", self._networks),
            ("devices", self._devices),
            ("periods", self._periods),
        ):
            for i, name in enumerate(getattr(when, key)):
                yield from self._known((*loc, key, i), name, known, key[:-1])
        if when.above_age is not None and not (self._policy.minimum_ages or self._ages):
            message = "no file says from which age services admit people"
            yield self._fault((*loc, "above_age"), message, "name it under 'minimum_ages'")
        elif when.above_age is not None and when.above_age >= max(self._ages, default=99):
            message = f"no service admits people above {when.above_age} only"
            yield self._fault((*loc, "above_age"), message)
        for i, method in enumerate(when.methods):
            if not _METHOD.fullmatch(method):
                hint = f"write '{method.upper()}'" if _METHOD.fullmatch(method.upper()) else ""
                yield self._fault((*loc, "methods", i), f"'{method}' is no HTTP method", hint)
        for i, host in enumerate(when.hosts):
            if host.startswith(SERVICE):
                name = host.removeprefix(SERVICE)
                yield from self._known((*loc, "hosts", i), name, self._services, "service")
                continue
            try:
                ListEntry.parse(host, "", "")
            except BadAddressError as error:
                yield self._fault((*loc, "hosts", i), str(error))

    def _obligations(self) -> Iterator[Fault]:
        seen: set[str] = set()
        for i, each in enumerate(self._policy.obligations):
            loc: Loc = ("obligations", i)
            if each.id in seen:
                yield self._fault((*loc, "id"), f"the obligation '{each.id}' is named twice")
            seen.add(each.id)
            yield from self._known((*loc, "clause"), each.clause, self._clauses, "clause")
            for j, name in enumerate(each.groups):
                yield from self._known((*loc, "groups", j), name, self._groups, "group")
            for j, name in enumerate(each.except_devices):
                place = (*loc, "except_devices", j)
                yield from self._known(place, name, self._devices, "device")
            wanted: set[str] = set()
            for name, mode in each.services.items():
                place = (*loc, "services", name)
                yield from self._known(place, name, self._services, "service")
                if name in self._services:
                    modes = self._services[name].modes
                    yield from self._known(place, mode, modes, f"mode of {name}")
                    wanted |= values_of(modes[mode]) if mode in modes else set()
            for word in sorted(wanted - set(each.values)):
                yield self._fault((*loc, "values"), f"the value '{word}' is missing")
            for word, value in each.values.items():
                if word not in wanted:
                    hint = suggestion(word, wanted)
                    yield self._fault((*loc, "values", word), f"unknown value '{word}'", hint)
                if not is_header_value(value):
                    message = f"{value!r} cannot stand in a request"
                    yield self._fault((*loc, "values", word), message)

    def _inspection(self, inspection: InspectionText) -> Iterator[Fault]:
        clauses = self._clauses
        for i, never in enumerate(inspection.never):
            loc: Loc = ("inspection", "never", i)
            yield from self._known((*loc, "clause"), never.clause, clauses, "clause")
            yield from self._sites(loc, never)
            if not (never.categories or never.hosts):
                yield self._fault(loc, "names no site", "name categories or hosts")
        seen: set[str] = (
            {need.id for need in self._above.inspection.needs} if self._above else set()
        )
        seen |= {rule.id for rule in self._policy.contents}
        for i, need in enumerate(inspection.needs):
            loc = ("inspection", "needs", i)
            if need.id in seen:
                yield self._fault((*loc, "id"), f"the need '{need.id}' is named twice")
            seen.add(need.id)
            if not NAME.fullmatch(need.id):
                yield self._fault((*loc, "id"), f"'{need.id}' is not of the form some-words")
            if need.id in DERIVED_NEEDS:
                message = f"the need '{need.id}' follows from the rest of the policy"
                yield self._fault((*loc, "id"), message, "give it another id")
            yield from self._known((*loc, "clause"), need.clause, clauses, "clause")
            yield from self._sites((*loc, "except"), need.except_)
            for j, name in enumerate(need.groups):
                yield from self._known((*loc, "groups", j), name, self._groups, "group")
        yield from self._names_only(inspection)

    def _names_only(self, inspection: InspectionText) -> Iterator[Fault]:
        for i, each in enumerate(inspection.names_only):
            loc: Loc = ("inspection", "names_only", i)
            yield from self._known((*loc, "clause"), each.clause, self._clauses, "clause")
            if not (each.groups or each.networks or each.devices):
                yield self._fault(loc, "names nobody", "name groups, networks or devices")
            for key, known in (
                ("groups", self._groups),
                ("networks", self._networks),
                ("devices", self._devices),
            ):
                for j, name in enumerate(getattr(each, key)):
                    yield from self._known((*loc, key, j), name, known, key[:-1])

    def _sites(self, loc: Loc, sites: SitesText, *, with_parts: bool = False) -> Iterator[Fault]:
        yield from self._category_names((*loc, "categories"), sites.categories)
        for i, host in enumerate(sites.hosts):
            try:
                entry = ListEntry.parse(host, "", "")
            except BadAddressError as error:
                yield self._fault((*loc, "hosts", i), str(error))
                continue
            if entry.path != "/" and not with_parts:
                message = (
                    f"'{host}' is a part of a site: a connection is decrypted or not as a whole"
                )
                yield self._fault((*loc, "hosts", i), message, f"write '{host.partition('/')[0]}'")

    def _category_names(self, loc: Loc, names: tuple[str, ...]) -> Iterator[Fault]:
        known = self._categories | set(self._category_groups)
        for i, name in enumerate(names):
            yield from self._known((*loc, i), name, known, "category")

    def _clause_states(self) -> Iterator[Fault]:
        policy = self._policy
        used = {rule.clause for _, _, rule in rules_of(policy)}
        if policy.inspection is not None:
            # A need is what a clause waits for; that some sites are not read is all of a clause.
            used |= {never.clause for never in policy.inspection.never}
            used |= {each.clause for each in policy.inspection.names_only}
        if policy.lessons:
            used.add(policy.lessons.clause)
        if policy.attempts:
            used.add(policy.attempts.clause)
        used |= {obligation.clause for obligation in policy.obligations}
        used |= {rule.clause for rule in policy.contents}
        used |= {kept.clause for kept in policy.searches}
        used |= {each.clause for each in policy.safeguarding}
        if policy.concerns:
            used.add(policy.concerns.clause)
        used |= {budget.clause for budget in policy.budgets}
        if policy.declaration:
            used.add(policy.declaration.clause)
        if policy.requests:
            used |= {asked.clause for asked in policy.requests.precautions}
        for id_, clause in policy.clauses.items():
            loc = ("clauses", id_)
            if clause.enforcement is not Enforcement.ENFORCED and not clause.missing:
                yield self._fault(loc, f"{id_} is not enforced in full: say what is 'missing'")
            if clause.enforcement is Enforcement.ENFORCED and clause.missing:
                yield self._fault(loc, f"{id_} is said to be enforced, yet something is 'missing'")
            carried = id_ in used or bool(clause.by)
            if clause.enforcement is not Enforcement.NOT_YET and not carried:
                yield self._fault(loc, f"no rule carries out {id_}", "or say 'by' what it is")
            if clause.enforcement is Enforcement.NOT_YET and clause.by:
                yield self._fault(loc, f"{id_} is not enforced yet, so nothing carries it out 'by'")

    def _known(self, loc: Loc, name: str, known: Collection[str], kind: str) -> Iterator[Fault]:
        if name not in known:
            yield self._fault(loc, f"unknown {kind} '{name}'", suggestion(name, known))

    def _fault(self, loc: Loc, message: str, hint: str = "") -> Fault:
        return self._document.fault(loc, message, hint)


def _own_groups(policy: PolicyText) -> dict[str, Group]:
    return {id_: Group(id_, group.title, group.within) for id_, group in groups_of(policy).items()}
