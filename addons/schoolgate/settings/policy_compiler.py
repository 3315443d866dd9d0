"""From the text of a policy file, without faults, to the policy."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain

from schoolgate.core.approvals import Precaution, RequestTerms
from schoolgate.core.categories import ListEntry
from schoolgate.core.media.metering import Limits
from schoolgate.core.policy import (
    LOCKED_CLAUSE,
    NO_PERIOD,
    AttemptTerms,
    Budget,
    Carrier,
    Clause,
    ConcernRoutes,
    ContentRule,
    Declaration,
    Group,
    Inspection,
    InspectionMode,
    KeptSearches,
    LessonAllowance,
    MinimumAge,
    NamesOnly,
    Need,
    Never,
    Obligation,
    Policy,
    Review,
    Roles,
    Rule,
    Safeguard,
    Service,
    Verdict,
    extend,
)
from schoolgate.core.timetable import Timetable
from schoolgate.settings.policy_text import (
    SERVICE,
    AttemptsText,
    BudgetText,
    ConcernsText,
    ContentText,
    DeclarationText,
    InspectionText,
    LessonsText,
    NeedText,
    ObligationText,
    PolicyText,
    RequestsText,
    RolesText,
    RuleText,
    SafeguardText,
    groups_of,
)
from schoolgate.settings.services_file import with_values

_MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class Beside:
    """What stands beside the rules, of the policy itself or of one that it extends."""

    timetable: Timetable | None
    ages: tuple[MinimumAge, ...]
    services: dict[str, Service]
    carriers: tuple[Carrier, ...] = ()


class Compiler:
    """Makes the policy.

    Args:
        text: what the file says, without faults.
        above: the policy that it extends.
        beside: what stands beside the rules.
    """

    def __init__(self, text: PolicyText, above: Policy | None, beside: Beside) -> None:
        self._text = text
        self._above = above
        self._beside = beside
        self._groups = {**(above.category_groups if above else {}), **text.category_groups}

    def policy(self, version: str) -> Policy:
        """Give it, with all that it takes over."""
        text, above = self._text, self._above
        if text.default:
            default = self._rule(text.default)
        else:
            assert above is not None, "checked: a policy that extends none has a default"
            default = replace(above.default, level=above.default.level + 1)
        own = Policy(
            id=text.id,
            school=text.school,
            document=text.document,
            contact=text.contact,
            default_group=self._taken_over("default_group"),
            groups={
                id_: Group(id_, group.title, group.within) for id_, group in groups_of(text).items()
            },
            clauses={
                id_: Clause(id_, clause.title, clause.enforcement, clause.by, clause.missing)
                for id_, clause in text.clauses.items()
            },
            locked=self._rules(text.locked),
            always_reachable=self._rules(text.always_reachable),
            circumvention=self._rules(text.circumvention),
            rules=self._rules(text.rules),
            default=default,
            suspension_clause=self._taken_over("suspension_clause"),
            local_clause=self._taken_over("local_clause"),
            grant_clause=self._taken_over("grant_clause"),
            locked_clause=text.locked_clause or LOCKED_CLAUSE,
            inspection=self._inspection(text.inspection),
            category_groups=self._groups,
            networks=dict(text.networks),
            devices=dict(text.devices),
            timetable=self._beside.timetable,
            roles=_roles(text.roles),
            reviews=tuple(
                Review(review.title, review.clause, review.owner, review.last, review.every_months)
                for review in text.reviews
            ),
            lessons=self._lessons(text.lessons),
            attempts=_attempts(text.attempts),
            requests=self._requests(text.requests),
            ages=self._beside.ages,
            services=self._beside.services,
            carriers=self._beside.carriers,
            obligations=tuple(
                obligation for each in text.obligations for obligation in self._obligations(each)
            ),
            searches=tuple(
                KeptSearches(each.clause, frozenset(each.groups)) for each in text.searches
            ),
            safeguards=tuple(_safeguard(each) for each in text.safeguarding),
            concerns=_concerns(text.concerns),
            budgets=tuple(self._budget(each) for each in text.budgets),
            declaration=_declaration(text.declaration),
            contents=tuple(self._content(each) for each in text.contents),
            version=version,
        )
        return extend(own, above) if above else own

    def _taken_over(self, key: str) -> str:
        return str(getattr(self._text, key) or getattr(self._above, key))

    def _rules(self, section: tuple[RuleText, ...]) -> tuple[Rule, ...]:
        return tuple(self._rule(rule) for rule in section)

    def _rule(self, text: RuleText) -> Rule:
        when = text.when
        categories = self._categories(when.categories)
        hosts = (*self._entries(when.hosts), *self._services_above(when.above_age))
        looks = when.categories or when.hosts or when.above_age is not None
        assert categories or hosts or when.shapes or not looks, (
            "checked: else it would match every page"
        )
        return Rule(
            id=text.id,
            clause=text.clause,
            verdict=Verdict(text.then),
            categories=categories,
            hosts=hosts,
            shapes=when.shapes,
            groups=frozenset(when.groups),
            networks=frozenset(when.networks),
            devices=frozenset(when.devices),
            periods=frozenset(self._periods(when.periods)),
            methods=frozenset(when.methods),
            note=text.note,
            lock=text.lock,
        )

    def _services_above(self, age: int | None) -> tuple[ListEntry, ...]:
        if age is None:
            return ()
        return tuple(service.entry for service in self._beside.ages if service.age > age)

    def _obligations(self, text: ObligationText) -> Iterator[Obligation]:
        for id_, mode in text.services.items():
            service = self._beside.services[id_]
            yield Obligation(
                text.id,
                text.clause,
                service,
                mode,
                with_values(service.modes[mode], text.values),
                frozenset(text.groups),
                frozenset(text.except_devices),
                text.locked,
            )

    def _entries(self, hosts: tuple[str, ...]) -> tuple[ListEntry, ...]:
        """Give what a rule names, services spelt out."""
        services = self._beside.services
        found = (
            services[host.removeprefix(SERVICE)].hosts
            if host.startswith(SERVICE)
            else _entries((host,))
            for host in hosts
        )
        return tuple(chain.from_iterable(found))

    def _periods(self, names: tuple[str, ...]) -> set[str]:
        """Give periods with the groups among them spelt out."""
        timetable = self._beside.timetable
        return {
            period
            for name in names
            for period in (
                timetable.spelt_out(name) if timetable and name != NO_PERIOD else (name,)
            )
        }

    def _lessons(self, text: LessonsText | None) -> LessonAllowance | None:
        if text is None:
            return None
        categories = frozenset(self._categories(text.categories))
        return LessonAllowance(text.clause, categories, text.most_sites, text.most_minutes)

    def _requests(self, text: RequestsText | None) -> RequestTerms | None:
        if text is None:
            return None
        precautions = tuple(
            Precaution(
                asked.clause,
                asked.needs,
                frozenset(self._categories(asked.when.categories)),
                frozenset(asked.when.groups),
                frozenset(asked.when.networks),
                asked.by,
            )
            for asked in text.precautions
        )
        return RequestTerms(text.usual_days, text.longest_days, precautions)

    def _inspection(self, text: InspectionText | None) -> Inspection:
        contents = tuple(self._content(each).need for each in self._text.contents)
        if text is None:
            mode = self._above.inspection.mode if self._above else InspectionMode.ALL
            return Inspection(mode, needs=contents)
        above = self._above.inspection.mode if self._above else InspectionMode.NEEDED
        return Inspection(
            text.mode or above,
            never=tuple(
                Never(
                    never.clause,
                    frozenset(self._categories(never.categories)),
                    _entries(never.hosts),
                )
                for never in text.never
            ),
            needs=(*contents, *(self._need(need, need.groups) for need in text.needs)),
            names_only=tuple(
                NamesOnly(
                    each.clause,
                    frozenset(each.groups),
                    frozenset(each.networks),
                    frozenset(each.devices),
                )
                for each in text.names_only
            ),
        )

    def _budget(self, text: BudgetText) -> Budget:
        return Budget(
            text.id,
            text.clause,
            Limits(text.minutes * 60, text.megabytes * _MEGABYTE, text.warn_at_percent),
            frozenset(text.groups),
            frozenset(self._categories(text.except_.categories)),
            self._entries(text.except_.hosts),
        )

    def _need(self, text: NeedText | ContentText, groups: tuple[str, ...]) -> Need:
        return Need(
            text.id,
            text.clause,
            frozenset(self._categories(text.except_.categories)),
            _entries(text.except_.hosts),
            frozenset(groups),
        )

    def _content(self, text: ContentText) -> ContentRule:
        """Give a rule on what an answer is; a site is read for it, as for any need."""
        when = text.when
        return ContentRule(
            self._need(text, when.groups),
            frozenset(when.is_),
            when.clip_longer_than,
            text.category or None,
            text.note,
            frozenset(self._categories(when.says)),
            None if text.then == "as_listed" else Verdict(text.then),
        )

    def _categories(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """Give categories with the groups among them spelt out, each once."""
        spelt = (category for name in names for category in self._groups.get(name, (name,)))
        return tuple(dict.fromkeys(spelt))


def _declaration(text: DeclarationText | None) -> Declaration | None:
    if text is None:
        return None
    return Declaration(
        text.clause, text.version, text.until_signed, frozenset(text.groups), text.text
    )


def _attempts(text: AttemptsText | None) -> AttemptTerms:
    return AttemptTerms(text.clause, text.most, text.minutes) if text else AttemptTerms()


def _safeguard(text: SafeguardText) -> Safeguard:
    groups, themes = frozenset(text.groups), frozenset(text.themes)
    return Safeguard(text.clause, groups, themes, text.least, text.keeps_search)


def _concerns(text: ConcernsText | None) -> ConcernRoutes | None:
    return ConcernRoutes(text.pupils, text.staff, text.headteacher) if text else None


def _roles(text: RolesText | None) -> Roles | None:
    if text is None:
        return None
    return Roles(text.reviews, text.decides, text.deputises, text.incidents, text.bypass)


def _entries(hosts: tuple[str, ...]) -> tuple[ListEntry, ...]:
    return tuple(ListEntry.parse(host, "", "policy") for host in hosts)
