"""Whether a policy does what its cases say, and whether every clause has its cases."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from schoolgate.core.approvals import Grant, Overlay, Signed, Subject, SubjectKind, Suspension
from schoolgate.core.catalogue import Catalogue
from schoolgate.core.categories import ListEntry
from schoolgate.core.clients import Client
from schoolgate.core.media import LIVE, ended
from schoolgate.core.policy import (
    Case,
    Content,
    HostDecision,
    Policy,
    PolicyEngine,
    UntilSigned,
    WebRequest,
    stricter_inside,
)
from schoolgate.core.policy.decision import Decision
from schoolgate.core.policy.rows import LOCAL_ALLOW, LOCAL_BLOCK
from schoolgate.core.urls import parse_web_url

_ADDRESS = "192.0.2.1"
_A_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Casebook:
    """The cases of one policy.

    Attributes:
        file: where they stand.
        policy: whose they are.
        catalogue: the sites.
        cases: in the order of the file.
    """

    file: Path
    policy: Policy
    catalogue: Catalogue
    cases: tuple[Case, ...]

    def outcomes(self) -> Iterator["Outcome"]:
        """Give what comes of each."""
        # Compiled once; only the school's own lists are compiled into it.
        plain = PolicyEngine(self.policy, self.catalogue)
        return (
            run_case(self.policy, self.catalogue, case, None if _local(case) else plain)
            for case in self.cases
        )

    def uncovered(self) -> Iterator[tuple[str, str]]:
        """Give each clause that rules carry out and that lacks a case, and which."""
        return uncovered(self.policy, self.cases)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a case.

    Attributes:
        case: which.
        decision: what the policy answered.
        connection: what a connection to the host meets.
        problem: what is wrong; empty when nothing is.
    """

    case: Case
    decision: Decision
    connection: HostDecision
    problem: str


def run_case(
    policy: Policy, catalogue: Catalogue, case: Case, engine: PolicyEngine | None = None
) -> Outcome:
    """Ask the policy what a case asks.

    Args:
        policy: whose case it is.
        catalogue: the sites.
        case: which.
        engine: of both, for a case without lists of the school; made where it is None.
    """
    engine = engine or PolicyEngine(policy, catalogue, _local(case))
    engine = engine.with_overlay(_overlay(case))
    client = Client(
        _ADDRESS,
        case.group or policy.default_group,
        case.user,
        network=case.network,
        device_kind=case.device,
        also=case.also,
    )
    request = WebRequest(parse_web_url(case.url), client, case.method)
    decision = engine.decide(request, case.at)
    decision, _ = stricter_inside(engine, decision, engine.inside(request), case.at)
    decision = _on_answer(engine, case, request, decision)
    connection = engine.decide_host(request.url.host, client, case.at)
    return Outcome(case, decision, connection, _problem(case, decision, connection))


def _on_answer(
    engine: PolicyEngine, case: Case, request: WebRequest, decision: Decision
) -> Decision:
    """Give the decision on what the site answers, where the case says what that is."""
    if not decision.verdict.is_open:
        return decision
    rules = engine.contents_of(request, decision, case.at)
    found = rules.on(case.content) if case.content else None
    if case.content is Content.LIVE:
        found = rules.on_length(LIVE)
    if case.clip_seconds is not None:
        found = rules.on_length(ended(case.clip_seconds))
    if case.text:
        found = engine.on_text(request, decision, case.text, case.at)
    return found or decision


def uncovered(policy: Policy, cases: Iterable[Case]) -> Iterator[tuple[str, str]]:
    """Give each clause of a policy that its rules carry out and that lacks a case, and which.

    Every such clause has one case that bites and one near miss at least.
    """
    made: dict[str, set[bool]] = {}
    for case in cases:
        made.setdefault(case.clause, set()).add(case.near_miss)
    carried = {rule.clause for rule in policy.all_rules if rule.level == 0}
    carried |= {rule.need.clause for rule in policy.contents}
    if policy.declaration and policy.declaration.until_signed is not UntilSigned.OFF:
        carried.add(policy.declaration.clause)
    for clause in policy.clauses.values():
        if clause.level or clause.id not in carried:
            continue
        for near_miss, kind in ((False, "case in which it decides"), (True, "near miss")):
            if near_miss not in made.get(clause.id, set()):
                yield clause.id, kind


def _problem(case: Case, decision: Decision, connection: HostDecision) -> str:
    got = f"{decision.verdict} under {decision.clause} (rule {decision.rule})"
    if decision.verdict is not case.want:
        return f"wanted {case.want}, got {got}"
    if case.under and decision.clause != case.under:
        return f"wanted it under {case.under}, got {got}"
    if case.near_miss and decision.clause == case.clause:
        return f"wanted it under another clause, got {got}"
    obliges = {obligation.name for obligation in decision.obligations}
    if case.obliges is not None and case.obliges != obliges:
        wanted, found = (", ".join(sorted(names)) or "none" for names in (case.obliges, obliges))
        return f"wanted the obligations {wanted}, got {found}"
    if case.tls is not None and connection.action is not case.tls:
        return f"wanted the connection to {case.tls}, got {connection.action}: {connection.because}"
    return ""


def _local(case: Case) -> Sequence[ListEntry]:
    given = case.given
    return [
        *(ListEntry.parse(text, LOCAL_ALLOW, "allow.txt") for text in given.local_allow),
        *(ListEntry.parse(text, LOCAL_BLOCK, "block.txt") for text in given.local_block),
    ]


def _overlay(case: Case) -> Overlay:
    given = case.given
    starts, ends = case.at - _A_DAY, case.at + _A_DAY
    who = Subject(SubjectKind.CLIENT, _ADDRESS)
    grants = (
        (
            Grant(
                1, ListEntry.parse(given.granted, "grant", "grant"), who, starts, ends, given.by, ""
            ),
        )
        if given.granted
        else ()
    )
    stops = (Suspension(1, who, starts, ends, "As the case has it."),) if given.suspended else ()
    signed = frozenset({Signed(case.user, given.signed)} if given.signed else ())
    return Overlay(1, grants, stops, signed=signed)
