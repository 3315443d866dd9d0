"""A school's policy as values: clauses, rules and who they bind."""

from dataclasses import dataclass, field
from enum import StrEnum

from schoolgate.core.categories import ListEntry
from schoolgate.core.policy.decision import Verdict
from schoolgate.core.policy.inspection import Inspection


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
        missing: what is not carried out yet; empty when enforced.
    """

    id: str
    title: str
    enforcement: Enforcement = Enforcement.ENFORCED
    missing: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """When something is asked for, then this happens; empty conditions hold for everything.

    Attributes:
        id: unique in the policy.
        clause: id of the clause it rests on.
        verdict: what happens.
        categories: any of these, in the order in which one is named as the reason.
        hosts: or any of these entries.
        groups: only for these groups.
        note: one sentence for the person who meets it.
    """

    id: str
    clause: str
    verdict: Verdict
    categories: tuple[str, ...] = ()
    hosts: tuple[ListEntry, ...] = ()
    groups: frozenset[str] = frozenset()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Policy:
    """One school's policy.

    Attributes:
        id: name of the pack, e.g. ``wellstead``.
        school: the school's name as pages show it.
        document: the written policy that it carries out.
        contact: whom to ask on the block page.
        default_group: group of a client that nothing is known about.
        groups: id → title.
        clauses: id → clause.
        locked: step 1, nobody can lift these.
        always_reachable: step 2.
        circumvention: step 6; a grant lifts these only when the headteacher decided it.
        rules: step 8, the first that matches wins.
        default: step 9.
        suspension_clause: clause shown when access was withdrawn.
        local_clause: clause that makes the school's own lists final.
        grant_clause: clause under which a page was opened by hand.
        inspection: which connections are decrypted.
        version: changes with the content.
    """

    id: str
    school: str
    document: str
    contact: str
    default_group: str
    groups: dict[str, str]
    clauses: dict[str, Clause]
    locked: tuple[Rule, ...]
    always_reachable: tuple[Rule, ...]
    circumvention: tuple[Rule, ...]
    rules: tuple[Rule, ...]
    default: Rule
    suspension_clause: str
    local_clause: str
    grant_clause: str
    inspection: Inspection = field(default_factory=Inspection)
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
