"""What stands in a policy file: its keys, their kinds, and where each rule is."""

import re
from collections.abc import Iterator
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationError

from schoolgate.core.approvals import PrecautionKind, Role
from schoolgate.core.policy import Content, Enforcement, InspectionMode, Lock, Shape, UntilSigned
from schoolgate.core.safeguarding import Severity, Theme
from schoolgate.documents import Document, Loc, Strict
from schoolgate.settings.timetable_text import TimetableText

Text = Annotated[str, Field(min_length=1)]


class ClauseText(Strict):
    """A clause: what it asks for, and how far it is carried out."""

    title: Text
    enforcement: Enforcement = Enforcement.ENFORCED
    by: str = ""
    missing: str = ""


class GroupText(Strict):
    """A group of people, and the group that it lies within."""

    title: Text
    within: str = ""


class WhenText(Strict):
    """The conditions of a rule: all of those given must hold."""

    categories: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    shapes: tuple[Shape, ...] = ()
    groups: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    periods: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    above_age: Annotated[int, Field(ge=1, le=25)] | None = None


class RuleText(Strict):
    """A rule: when, then, and the clause that it rests on."""

    id: Text
    clause: Text
    when: WhenText = WhenText()
    then: Literal["allow", "monitor", "warn", "limit", "block"]
    note: str = ""
    lock: Lock = Lock.NONE


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


class NamesOnlyText(Strict):
    """Whose connections are settled by name alone, and the clause that it rests on."""

    clause: Text
    groups: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()


class InspectionText(Strict):
    """Which connections are decrypted."""

    mode: InspectionMode | None = None
    never: tuple[NeverText, ...] = ()
    needs: tuple[NeedText, ...] = ()
    names_only: tuple[NamesOnlyText, ...] = ()


_LENGTH = re.compile(r"([1-9][0-9]{0,5})(s|m|h)")
_SECONDS = {"s": 1, "m": 60, "h": 3600}


def _seconds(value: object) -> object:
    """Give the seconds of a length such as ``10m``."""
    found = _LENGTH.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError("a length is a number and s, m or h, such as 10m")
    return int(found[1]) * _SECONDS[found[2]]


Seconds = Annotated[int, BeforeValidator(_seconds, json_schema_input_type=str)]


class ContentWhenText(Strict):
    """What an answer is, and to whom it goes."""

    is_: tuple[Content, ...] = Field(default=(), alias="is")
    clip_longer_than: Seconds | None = None
    says: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()


class ContentText(Strict):
    """A rule on what an answer is, the sites that it leaves alone, and the clause that it rests on."""

    id: Text
    clause: Text
    when: ContentWhenText
    then: Literal["block", "warn", "monitor", "as_listed"]
    except_: SitesText = Field(default=SitesText(), alias="except")
    category: str = ""
    note: str = ""


class RolesText(Strict):
    """Who does what, by role."""

    reviews: tuple[Role, ...]
    decides: tuple[Role, ...]
    deputises: tuple[Role, ...] = ()
    incidents: tuple[Role, ...]
    bypass: tuple[Role, ...] = (Role.HEADTEACHER,)


class ReviewText(Strict):
    """Something that is looked at again from time to time."""

    title: Text
    clause: Text
    owner: Role
    last: date
    every_months: Annotated[int, Field(gt=0, le=120)]


class LessonsText(Strict):
    """What a teacher may open for a class and a lesson."""

    clause: Text
    categories: tuple[str, ...]
    most_sites: Annotated[int, Field(gt=0)] = 5
    most_minutes: Annotated[int, Field(gt=0)] = 120


class AttemptsText(Strict):
    """How many attempts to get round the filter are an incident."""

    clause: Text
    most: Annotated[int, Field(ge=2, le=1000)] = 10
    minutes: Annotated[int, Field(gt=0, le=1440)] = 10


class KeptSearchesText(Strict):
    """Whose searches the journal keeps, and the clause that asks for it."""

    clause: Text
    groups: tuple[str, ...] = ()


class SafeguardText(Strict):
    """Whose requests are looked at for signs of harm."""

    clause: Text
    groups: tuple[str, ...] = ()
    themes: tuple[Theme, ...] = ()
    least: Severity = Severity.CAUTION
    keeps_search: bool = False


class ConcernsText(Strict):
    """Who is told of pupils, of staff and of the headteacher (T-8-concern)."""

    clause: Text
    pupils: Annotated[tuple[Role, ...], Field(min_length=1)]
    staff: Annotated[tuple[Role, ...], Field(min_length=1)]
    headteacher: Annotated[tuple[Role, ...], Field(min_length=1)]


class BudgetText(Strict):
    """How much audio and video each of some people may be given in a day."""

    id: Text
    clause: Text
    minutes: Annotated[int, Field(ge=1, le=1440)]
    megabytes: Annotated[int, Field(ge=1, le=1_000_000)]
    warn_at_percent: Annotated[int, Field(ge=1, le=100)] = 80
    groups: tuple[str, ...] = ()
    except_: SitesText = Field(default=SitesText(), alias="except")


class ObligationText(Strict):
    """Services that some people use in one mode only, and the clause that it rests on."""

    id: Text
    clause: Text
    services: Annotated[dict[str, Text], Field(min_length=1)]
    values: dict[str, Text] = Field(default_factory=dict)
    groups: tuple[str, ...] = ()
    except_devices: tuple[str, ...] = ()
    locked: bool = False


def _word(value: object) -> object:
    """Give the word that somebody wrote: an unquoted ``off`` is a truth value in YAML."""
    return "off" if value is False else value


class DeclarationText(Strict):
    """What people read and sign, and what happens until they have."""

    clause: Text
    version: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,40}$")]
    until_signed: Annotated[UntilSigned, BeforeValidator(_word)]
    groups: Annotated[tuple[str, ...], Field(min_length=1)]
    text: tuple[Text, ...] = ()


class PrecautionWhenText(Strict):
    """Of which requests a precaution is asked; what is left out holds for all."""

    categories: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()


class PrecautionText(Strict):
    """What a clause asks for before some requests may be approved."""

    clause: Text
    needs: PrecautionKind
    when: PrecautionWhenText = PrecautionWhenText()
    by: tuple[Role, ...] = ()


class RequestsText(Strict):
    """What is asked of requests for access."""

    usual_days: Annotated[int, Field(gt=0, le=400)] = 14
    longest_days: Annotated[int, Field(gt=0, le=400)] = 400
    precautions: tuple[PrecautionText, ...] = ()


class PolicyText(Strict):
    """The whole file; what may be absent is taken over from the policy that it extends."""

    id: Text
    school: Text
    document: Text
    contact: Text
    extends: str = ""
    default_group: Text | None = None
    groups: dict[str, Text | GroupText] = Field(default_factory=dict)
    networks: dict[str, Text] = Field(default_factory=dict)
    devices: dict[str, Text] = Field(default_factory=dict)
    category_groups: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    clauses: dict[str, ClauseText] = Field(default_factory=dict)
    timetable: TimetableText | None = None
    roles: RolesText | None = None
    reviews: tuple[ReviewText, ...] = ()
    lessons: LessonsText | None = None
    attempts: AttemptsText | None = None
    declaration: DeclarationText | None = None
    requests: RequestsText | None = None
    minimum_ages: str = ""
    services: str = ""
    unfolding: str = ""
    obligations: tuple[ObligationText, ...] = ()
    searches: tuple[KeptSearchesText, ...] = ()
    safeguarding: tuple[SafeguardText, ...] = ()
    concerns: ConcernsText | None = None
    budgets: tuple[BudgetText, ...] = ()
    suspension_clause: Text | None = None
    local_clause: Text | None = None
    grant_clause: Text | None = None
    locked_clause: Text | None = None
    locked: tuple[RuleText, ...] = ()
    always_reachable: tuple[RuleText, ...] = ()
    circumvention: tuple[RuleText, ...] = ()
    rules: tuple[RuleText, ...] = ()
    default: RuleText | None = None
    contents: tuple[ContentText, ...] = ()
    inspection: InspectionText | None = None


# What a policy that extends no other must say itself.
WHOLE = (
    "default_group",
    "groups",
    "clauses",
    "suspension_clause",
    "local_clause",
    "grant_clause",
    "default",
)
# Before the id of a service where a rule names hosts.
SERVICE = "service:"
SECTIONS = ("locked", "always_reachable", "circumvention", "rules")

# Stands for a rule with faults of form, so that the others keep their places.
_UNREADABLE = RuleText(id="unreadable", clause="unreadable", then="block")


def rules_of(policy: PolicyText) -> Iterator[tuple[Loc, str, RuleText]]:
    """Give every rule with its place in the file and its section."""
    for section in SECTIONS:
        for i, rule in enumerate(getattr(policy, section)):
            if rule is not _UNREADABLE:
                yield (section, i), section, rule
    if policy.default is not None and policy.default is not _UNREADABLE:
        yield ("default",), "default", policy.default


def groups_of(policy: PolicyText) -> dict[str, GroupText]:
    """Give the groups, each written out."""
    return {
        id_: group if isinstance(group, GroupText) else GroupText(title=group)
        for id_, group in policy.groups.items()
    }


def readable_part(document: Document) -> PolicyText:
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
        extends="",
        groups=names("groups"),
        networks=names("networks"),
        devices=names("devices"),
        clauses=names("clauses"),
        category_groups={
            name: tuple(str(member) for member in members)
            for name, members in groups
            if isinstance(members, list)
        },
        default=rule(data["default"]) if "default" in data else None,
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


def schema_of_policies() -> dict[str, Any]:
    """Give the JSON Schema (2020-12) of a policy file."""
    schema = PolicyText.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
