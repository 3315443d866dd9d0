"""A school's policy as values: clauses, rules and who they bind."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from schoolgate.core.approvals import RequestTerms, Role, Roles
from schoolgate.core.categories import ListEntry
from schoolgate.core.clients import Client
from schoolgate.core.policy.budgets import Budget
from schoolgate.core.policy.carriers import Carrier
from schoolgate.core.policy.contents import ContentRule
from schoolgate.core.policy.decision import Verdict
from schoolgate.core.policy.inspection import Inspection
from schoolgate.core.policy.obligations import Obligation, Service
from schoolgate.core.policy.safeguards import ConcernRoutes, Safeguard
from schoolgate.core.policy.searches import KeptSearches
from schoolgate.core.policy.shapes import NOTES, Shape
from schoolgate.core.timetable import Timetable


class Enforcement(StrEnum):
    """How far the gateway carries out a clause."""

    ENFORCED = "enforced"
    PARTLY = "partly"
    NOT_YET = "not_yet"


@dataclass(frozen=True, slots=True)
class Clause:
    """One clause of the written policy, in plain words of our own.

    Attributes:
        id: as every block page and log entry shows it, e.g. ``W-6.3.1-gambling``.
        title: a few words.
        enforcement: how far it is carried out.
        by: what carries it out beside rules, in words.
        missing: what is not carried out yet; empty when enforced.
        level: 0 of the school's own policy, 1 of the one that it extends, and so on.
    """

    id: str
    title: str
    enforcement: Enforcement = Enforcement.ENFORCED
    by: str = ""
    missing: str = ""
    level: int = 0


class Lock(StrEnum):
    """How firmly a rule binds the policies that extend the one it stands in.

    Attributes:
        NONE: their own rules come first.
        RULES: none of their rules weakens it; a grant, or the school's own list, may open one site.
            It has no connection read that a school promises not to read.
        SCHOOL: nobody at the school lifts it, by a rule, a list or a grant.
    """

    NONE = "none"
    RULES = "rules"
    SCHOOL = "school"


@dataclass(frozen=True, slots=True)
class Group:
    """Some of the people: ``year-4`` within ``pupils``.

    Attributes:
        id: as rules name it.
        title: for people.
        within: id of the group around it; empty for none.
    """

    id: str
    title: str
    within: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """When something is asked for, then this happens; empty conditions hold for everything.

    Attributes:
        id: unique in the policy.
        clause: id of the clause it rests on.
        verdict: what happens.
        categories: any of these, in the order in which one is named as the reason.
        hosts: or any of these entries.
        groups: only for these groups and those within them.
        networks: only from these networks.
        devices: only for these kinds of device.
        periods: only in these periods of the timetable; `NO_PERIOD` stands for the time outside all.
        methods: only for these HTTP methods.
        note: one sentence for the person who meets it.
        lock: how firmly it binds the policies that extend this one.
        level: 0 in the school's own policy, 1 in the one that it extends, and so on.
        shapes: beside categories and hosts: anything that looks like one of these.
    """

    id: str
    clause: str
    verdict: Verdict
    categories: tuple[str, ...] = ()
    hosts: tuple[ListEntry, ...] = ()
    groups: frozenset[str] = frozenset()
    networks: frozenset[str] = frozenset()
    devices: frozenset[str] = frozenset()
    periods: frozenset[str] = frozenset()
    methods: frozenset[str] = frozenset()
    note: str = ""
    lock: Lock = Lock.NONE
    level: int = 0
    shapes: tuple[Shape, ...] = ()

    @property
    def looks_for_nothing(self) -> bool:
        """Whether it holds for every page."""
        return not (self.categories or self.hosts or self.shapes)

    def concerns(self, circumstances: "Circumstances") -> bool:
        """Ask whether it is about these people, this place, time and method, whatever the page."""
        seen = circumstances
        return (
            (not self.groups or not self.groups.isdisjoint(seen.groups))
            and (not self.networks or seen.network in self.networks)
            and (not self.devices or seen.device in self.devices)
            and (not self.periods or seen.period in self.periods)
            and (not self.methods or seen.method in self.methods)
        )


# Of what a locked list names, where no policy names a clause of its own.
LOCKED_CLAUSE = "gateway-locked"
# The time outside all periods of the timetable, as rules, journal and metrics name it.
NO_PERIOD = "none"


@dataclass(frozen=True, slots=True)
class Circumstances:
    """Who asks, from where, with what, when and how: all that rules look at beside the page.

    Attributes:
        groups: every group of the client, with those around them.
        network: id of the network; empty when unknown.
        device: kind of the device; empty when unknown.
        period: id of the period of the timetable, or `NO_PERIOD`.
        method: HTTP method; empty for one that no rule names.
    """

    groups: frozenset[str]
    network: str = ""
    device: str = ""
    period: str = NO_PERIOD
    method: str = ""


@dataclass(frozen=True, slots=True)
class Review:
    """Something that must be looked at again from time to time.

    Attributes:
        title: what.
        clause: id of the clause that asks for it.
        owner: role.
        last: day of the last one.
        every_months: how often.
    """

    title: str
    clause: str
    owner: Role
    last: date
    every_months: int


@dataclass(frozen=True, slots=True)
class MinimumAge:
    """The age from which a service admits people, and which of its terms say so."""

    entry: ListEntry
    age: int
    source: str


@dataclass(frozen=True, slots=True)
class AttemptTerms:
    """How many attempts to get round the filter are an incident (T-9-circumvent).

    Attributes:
        clause: id of the clause that it rests on.
        most: so many of one client,
        minutes: within so long.
    """

    clause: str = "gateway-attempts"
    most: int = 10
    minutes: int = 10


@dataclass(frozen=True, slots=True)
class LessonAllowance:
    """What a teacher may open for a class and a lesson, within what the headteacher set.

    Attributes:
        clause: id of the clause that it rests on.
        categories: a page that is blocked for one of these and no other reason may be opened.
        most_sites: at a time, for a class.
        most_minutes: at a time.
    """

    clause: str
    categories: frozenset[str]
    most_sites: int
    most_minutes: int


class UntilSigned(StrEnum):
    """What happens to somebody who has not signed the declaration."""

    OFF = "off"
    WARN = "warn"
    HOLD = "hold"


@dataclass(frozen=True, slots=True)
class Declaration:
    """What people read and sign (W-8, H-11.3).

    Attributes:
        clause: id of the clause that it rests on.
        version: whoever signed another one signs again.
        until_signed: what happens until then.
        groups: of the people who sign, with the groups within them.
        text: what is signed, in paragraphs; empty where the school's written policy is all there is.
    """

    clause: str
    version: str
    until_signed: UntilSigned
    groups: frozenset[str]
    text: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Policy:
    """One school's policy, with what it takes from the policies that it extends.

    Attributes:
        id: name of the pack, e.g. ``wellstead``.
        school: the school's name as pages show it.
        document: the written policy that it carries out.
        contact: whom to ask on the block page.
        default_group: group of a client that nothing is known about.
        groups: id → group.
        clauses: id → clause.
        locked: step 1, nobody can lift these.
        always_reachable: step 2.
        circumvention: step 6; a grant lifts these only when one of `bypass` decided it.
        rules: steps 4 and 8, in the order in which they are asked.
        default: step 9.
        suspension_clause: clause shown when access was withdrawn.
        locked_clause: clause of what the locked lists name.
        local_clause: clause that makes the school's own lists final.
        grant_clause: clause under which a page was opened by hand.
        inspection: which connections are decrypted.
        category_groups: name → categories, for the policies that extend it.
        networks: id → title.
        devices: kind → title.
        timetable: when periods are.
        roles: who does what; None where it does not say.
        reviews: what must be looked at again.
        lessons: what a teacher may open; None for nothing.
        attempts: how many attempts to get round the filter are an incident.
        requests: what it says of requests for access; None where it does not say.
        ages: from which age services admit people.
        services: id → service that has modes to ask for.
        obligations: which service is used in which mode, in the order in which they are asked.
        carriers: services that show pages of others under their own name.
        searches: whose searches the journal keeps.
        safeguards: whose requests are looked at for signs of harm.
        concerns: who is told of whom; None where it does not say.
        budgets: how much audio and video people may be given in a day; the first that concerns them counts.
        declaration: what people sign; None for nothing.
        contents: what an answer may not be, in the order in which they are asked.
        extends: ids of the policies it extends, the nearest first.
        version: changes with the content.
    """

    id: str
    school: str
    document: str
    contact: str
    default_group: str
    groups: dict[str, Group]
    clauses: dict[str, Clause]
    locked: tuple[Rule, ...]
    always_reachable: tuple[Rule, ...]
    circumvention: tuple[Rule, ...]
    rules: tuple[Rule, ...]
    default: Rule
    suspension_clause: str
    local_clause: str
    grant_clause: str
    locked_clause: str = LOCKED_CLAUSE
    inspection: Inspection = field(default_factory=Inspection)
    category_groups: dict[str, tuple[str, ...]] = field(default_factory=dict)
    networks: dict[str, str] = field(default_factory=dict)
    devices: dict[str, str] = field(default_factory=dict)
    timetable: Timetable | None = None
    roles: Roles | None = None
    reviews: tuple[Review, ...] = ()
    lessons: LessonAllowance | None = None
    attempts: AttemptTerms = AttemptTerms()
    requests: RequestTerms | None = None
    ages: tuple[MinimumAge, ...] = ()
    services: dict[str, Service] = field(default_factory=dict)
    obligations: tuple[Obligation, ...] = ()
    carriers: tuple[Carrier, ...] = ()
    searches: tuple[KeptSearches, ...] = ()
    safeguards: tuple[Safeguard, ...] = ()
    concerns: ConcernRoutes | None = None
    budgets: tuple[Budget, ...] = ()
    declaration: Declaration | None = None
    contents: tuple[ContentRule, ...] = ()
    extends: tuple[str, ...] = ()
    version: str = ""

    @property
    def all_rules(self) -> tuple[Rule, ...]:
        """Every rule in the order of precedence."""
        return (
            *self.locked,
            *self.always_reachable,
            *self.circumvention,
            *self.rules,
            self.default,
        )

    def closed_shapes(self, rules: Iterable[Rule]) -> tuple[Rule, ...]:
        """Give a rule for each shape of which none of some rules speaks: it is closed.

        They give way to no policy's rule, whichever extends which.
        """
        named = {shape for rule in rules for shape in rule.shapes}
        return tuple(
            Rule(
                shape.value,
                f"gateway-{shape.value}",
                Verdict.BLOCK,
                shapes=(shape,),
                note=NOTES[shape],
                level=len(self.extends) + 1,
            )
            for shape in Shape
            if shape not in named
        )

    @property
    def aliases(self) -> dict[str, str]:
        """Names in whose place another is connected to, for everybody as soon as it is for some."""
        return {
            entry.host: each.writing.dns
            for each in self.obligations
            if each.writing.dns
            for entry in each.service.hosts
        }

    def obligations_of(self, circumstances: Circumstances) -> tuple[Obligation, ...]:
        """Give the mode of each service that some people use in one only: the first that concerns them."""
        found: dict[str, Obligation] = {}
        for obligation in self.obligations:
            if obligation.concerns(circumstances.groups, circumstances.device):
                found.setdefault(obligation.service.id, obligation)
        return tuple(found.values())

    @property
    def bypass(self) -> tuple[Role, ...]:
        """Who alone may permit what gets round the filter; the headteacher where it does not say."""
        return (self.roles or Roles()).bypass

    def groups_of(self, client: Client) -> frozenset[str]:
        """Give every group of a client, with those around them."""
        return with_groups_around(self.groups, (client.group, *client.also))


def with_groups_around(groups: dict[str, Group], ids: Iterable[str]) -> frozenset[str]:
    """Give some groups and all those around them; one that does not exist has none around it."""
    found: set[str] = set()
    for id_ in ids:
        inner = id_
        while inner and inner not in found:
            found.add(inner)
            inner = groups[inner].within if inner in groups else ""
    return frozenset(found)
