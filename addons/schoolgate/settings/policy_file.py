"""A school's policy as it stands in `config/policies/<school>.yaml`."""

import hashlib
import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from schoolgate.core.categories import ListEntry
from schoolgate.core.errors import BadAddressError, ConfigurationError, Fault
from schoolgate.core.policy import (
    Clause,
    Enforcement,
    Inspection,
    InspectionMode,
    Need,
    Never,
    Policy,
    Rule,
    Verdict,
)
from schoolgate.core.policy.inspection import DERIVED_NEEDS
from schoolgate.documents import (
    Document,
    Loc,
    Strict,
    parse_document,
    read_text,
    suggestion,
    validate,
)

_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")

Text = Annotated[str, Field(min_length=1)]


class ClauseText(Strict):
    """A clause: what it asks for, and how far it is carried out."""

    title: Text
    enforcement: Enforcement = Enforcement.ENFORCED
    by: str = ""
    missing: str = ""


class WhenText(Strict):
    """The conditions of a rule: all of those given must hold."""

    categories: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()


class RuleText(Strict):
    """A rule: when, then, and the clause that it rests on."""

    id: Text
    clause: Text
    when: WhenText = WhenText()
    # "limit" is an answer of the policy language that nothing carries out yet: refused, not ignored.
    then: Literal["allow", "monitor", "warn", "block"]
    note: str = ""


class SitesText(Strict):
    """Whole sites: those of some categories, and some hosts."""

    categories: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()


class NeverText(SitesText):
    """Sites that are not decrypted, and the clause that it rests on."""

    clause: Text


class NeedText(Strict):
    """What must be read of every site but some, and the clause that it rests on."""

    id: Text
    clause: Text
    except_: SitesText = Field(default=SitesText(), alias="except")
    groups: tuple[str, ...] = ()


class InspectionText(Strict):
    """Which connections are decrypted."""

    mode: InspectionMode = InspectionMode.NEEDED
    never: tuple[NeverText, ...] = ()
    needs: tuple[NeedText, ...] = ()


class PolicyText(Strict):
    """The whole file."""

    id: Text
    school: Text
    document: Text
    contact: Text
    default_group: Text
    groups: dict[str, Text]
    category_groups: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    clauses: dict[str, ClauseText]
    suspension_clause: Text
    local_clause: Text
    grant_clause: Text
    locked: tuple[RuleText, ...] = ()
    always_reachable: tuple[RuleText, ...] = ()
    circumvention: tuple[RuleText, ...] = ()
    rules: tuple[RuleText, ...]
    default: RuleText
    inspection: InspectionText | None = None


# Stands for a rule with faults of form, so that the others keep their places.
_UNREADABLE = RuleText(id="unreadable", clause="unreadable", then="block")

SECTIONS = ("locked", "always_reachable", "circumvention", "rules")
# What the words of a section already say; anything else would contradict its step.
_ONLY = {"locked": "block", "always_reachable": "allow"}


def load_policy(file: Path, categories: Collection[str]) -> Policy:
    """Read a school's policy.

    Args:
        file: the YAML file.
        categories: ids of the categories that exist.

    Raises:
        ConfigurationError: with every fault, each with its file and line.
    """
    text = read_text(file)
    document = parse_document(str(file), text)
    try:
        parsed = validate(document, PolicyText)
    except ConfigurationError as error:
        # A key in the wrong place must not hide a name that does not exist.
        found = _Checks(document, _readable_part(document), categories).names()
        raise ConfigurationError([*error.faults, *found]) from error
    faults = list(_Checks(document, parsed, categories).all())
    if faults:
        raise ConfigurationError(faults)
    return _compile(parsed, hashlib.sha256(text.encode()).hexdigest()[:12])


class _Checks:
    """What a schema cannot say: every name that is used must be one that exists."""

    def __init__(self, document: Document, policy: PolicyText, categories: Collection[str]) -> None:
        self._document = document
        self._policy = policy
        self._categories = set(categories)

    def all(self) -> Iterator[Fault]:
        """Give every fault in file order of their sections."""
        policy = self._policy
        if policy.id != Path(self._document.file).stem:
            yield self._fault(("id",), f"the id '{policy.id}' is not the file's name")
        yield from self._known(("default_group",), policy.default_group, policy.groups, "group")
        for key in ("suspension_clause", "local_clause", "grant_clause"):
            yield from self._known((key,), getattr(policy, key), policy.clauses, "clause")
        yield from self.names()
        yield from self._clauses()

    def names(self) -> Iterator[Fault]:
        """Give the faults in the names that groups of categories, rules and inspection use."""
        yield from self._category_groups()
        yield from self._rules()
        if self._policy.inspection is not None:
            yield from self._inspection(self._policy.inspection)

    def _category_groups(self) -> Iterator[Fault]:
        for name, members in self._policy.category_groups.items():
            loc = ("category_groups", name)
            if name in self._categories:
                yield self._fault(loc, f"'{name}' is a category already")
            for i, member in enumerate(members):
                yield from self._known((*loc, i), member, self._categories, "category")

    def _rules(self) -> Iterator[Fault]:
        seen: set[str] = set()
        for loc, section, rule in _rules_of(self._policy):
            if rule.id in seen:
                yield self._fault((*loc, "id"), f"the rule id '{rule.id}' is used twice")
            seen.add(rule.id)
            if not _NAME.fullmatch(rule.id):
                yield self._fault((*loc, "id"), f"'{rule.id}' is not of the form some-words")
            yield from self._known((*loc, "clause"), rule.clause, self._policy.clauses, "clause")
            yield from self._when((*loc, "when"), rule.when)
            only = _ONLY.get(section)
            if only and rule.then != only:
                yield self._fault((*loc, "then"), f"a rule under '{section}' can only {only}")
            empty = not (rule.when.categories or rule.when.hosts or rule.when.groups)
            if empty and section != "default":
                message = f"the rule '{rule.id}' has no condition and would decide everything"
                yield self._fault(loc, message, "name categories, hosts or groups under 'when'")
            if not empty and section == "default":
                yield self._fault((*loc, "when"), "the default has no conditions")

    def _when(self, loc: Loc, when: WhenText) -> Iterator[Fault]:
        yield from self._category_names((*loc, "categories"), when.categories)
        yield from self._group_names((*loc, "groups"), when.groups)
        for i, host in enumerate(when.hosts):
            try:
                ListEntry.parse(host, "", "")
            except BadAddressError as error:
                yield self._fault((*loc, "hosts", i), str(error))

    def _inspection(self, inspection: InspectionText) -> Iterator[Fault]:
        clauses = self._policy.clauses
        for i, never in enumerate(inspection.never):
            loc: Loc = ("inspection", "never", i)
            yield from self._known((*loc, "clause"), never.clause, clauses, "clause")
            yield from self._whole_sites(loc, never)
            if not (never.categories or never.hosts):
                yield self._fault(loc, "names no site", "name categories or hosts")
        seen: set[str] = set()
        for i, need in enumerate(inspection.needs):
            loc = ("inspection", "needs", i)
            if need.id in seen:
                yield self._fault((*loc, "id"), f"the need '{need.id}' is named twice")
            seen.add(need.id)
            if not _NAME.fullmatch(need.id):
                yield self._fault((*loc, "id"), f"'{need.id}' is not of the form some-words")
            if need.id in DERIVED_NEEDS:
                message = f"the need '{need.id}' follows from the rest of the policy"
                yield self._fault((*loc, "id"), message, "give it another id")
            yield from self._known((*loc, "clause"), need.clause, clauses, "clause")
            yield from self._whole_sites((*loc, "except"), need.except_)
            yield from self._group_names((*loc, "groups"), need.groups)

    def _whole_sites(self, loc: Loc, sites: SitesText) -> Iterator[Fault]:
        yield from self._category_names((*loc, "categories"), sites.categories)
        for i, host in enumerate(sites.hosts):
            try:
                entry = ListEntry.parse(host, "", "")
            except BadAddressError as error:
                yield self._fault((*loc, "hosts", i), str(error))
                continue
            if entry.path != "/":
                message = (
                    f"'{host}' is a part of a site: a connection is decrypted or not as a whole"
                )
                yield self._fault((*loc, "hosts", i), message, f"write '{host.partition('/')[0]}'")

    def _category_names(self, loc: Loc, names: tuple[str, ...]) -> Iterator[Fault]:
        known = self._categories | set(self._policy.category_groups)
        for i, name in enumerate(names):
            yield from self._known((*loc, i), name, known, "category")

    def _group_names(self, loc: Loc, names: tuple[str, ...]) -> Iterator[Fault]:
        for i, name in enumerate(names):
            yield from self._known((*loc, i), name, self._policy.groups, "group")

    def _clauses(self) -> Iterator[Fault]:
        used = {rule.clause for _, _, rule in _rules_of(self._policy)}
        if self._policy.inspection is not None:
            # A need is what a clause waits for; that some sites are not read is all of a clause.
            used |= {never.clause for never in self._policy.inspection.never}
        for id_, clause in self._policy.clauses.items():
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


def _readable_part(document: Document) -> PolicyText:
    """Give what can be read of a policy that has faults of form; the rest is empty."""
    data = document.data if isinstance(document.data, dict) else {}

    def rule(raw: object) -> RuleText:
        try:
            return RuleText.model_validate(raw)
        except ValidationError:
            return _UNREADABLE

    def rules(section: str) -> tuple[RuleText, ...]:
        raw = data.get(section)
        return tuple(rule(item) for item in raw) if isinstance(raw, list) else ()

    def names(key: str) -> dict[str, Any]:
        raw = data.get(key)
        return raw if isinstance(raw, dict) else {}

    groups = names("category_groups").items()
    return PolicyText.model_construct(  # type: ignore[call-arg]
        groups=names("groups"),
        clauses=names("clauses"),
        category_groups={
            name: tuple(str(member) for member in members)
            for name, members in groups
            if isinstance(members, list)
        },
        default=rule(data.get("default")),
        locked=rules("locked"),
        always_reachable=rules("always_reachable"),
        circumvention=rules("circumvention"),
        rules=rules("rules"),
        inspection=_readable_inspection(data.get("inspection")),
    )


def _readable_inspection(raw: object) -> InspectionText | None:
    try:
        return InspectionText.model_validate(raw)
    except ValidationError:
        return None


def _rules_of(policy: PolicyText) -> Iterator[tuple[Loc, str, RuleText]]:
    """Give every rule with its place in the file and its section."""
    for section in SECTIONS:
        for i, rule in enumerate(getattr(policy, section)):
            if rule is not _UNREADABLE:
                yield (section, i), section, rule
    if policy.default is not _UNREADABLE:
        yield ("default",), "default", policy.default


def _compile(policy: PolicyText, version: str) -> Policy:
    def rules(section: tuple[RuleText, ...]) -> tuple[Rule, ...]:
        return tuple(_rule(text, policy.category_groups) for text in section)

    return Policy(
        id=policy.id,
        school=policy.school,
        document=policy.document,
        contact=policy.contact,
        default_group=policy.default_group,
        groups=dict(policy.groups),
        clauses={
            id_: Clause(id_, text.title, text.enforcement, text.missing)
            for id_, text in policy.clauses.items()
        },
        locked=rules(policy.locked),
        always_reachable=rules(policy.always_reachable),
        circumvention=rules(policy.circumvention),
        rules=rules(policy.rules),
        default=_rule(policy.default, {}),
        suspension_clause=policy.suspension_clause,
        local_clause=policy.local_clause,
        grant_clause=policy.grant_clause,
        inspection=_compile_inspection(policy.inspection, policy.category_groups),
        version=version,
    )


def _compile_inspection(
    text: InspectionText | None, category_groups: dict[str, tuple[str, ...]]
) -> Inspection:
    if text is None:
        return Inspection()
    return Inspection(
        text.mode,
        never=tuple(
            Never(
                never.clause,
                frozenset(_categories(never.categories, category_groups)),
                _entries(never.hosts),
            )
            for never in text.never
        ),
        needs=tuple(
            Need(
                need.id,
                need.clause,
                frozenset(_categories(need.except_.categories, category_groups)),
                _entries(need.except_.hosts),
                frozenset(need.groups),
            )
            for need in text.needs
        ),
    )


def _rule(text: RuleText, category_groups: dict[str, tuple[str, ...]]) -> Rule:
    return Rule(
        id=text.id,
        clause=text.clause,
        verdict=Verdict(text.then),
        categories=_categories(text.when.categories, category_groups),
        hosts=_entries(text.when.hosts),
        groups=frozenset(text.when.groups),
        note=text.note,
    )


def _categories(
    names: tuple[str, ...], category_groups: dict[str, tuple[str, ...]]
) -> tuple[str, ...]:
    """Give categories with the groups among them spelt out, each once."""
    spelt = (category for name in names for category in category_groups.get(name, (name,)))
    return tuple(dict.fromkeys(spelt))


def _entries(hosts: tuple[str, ...]) -> tuple[ListEntry, ...]:
    return tuple(ListEntry.parse(host, "", "policy") for host in hosts)
