"""A decision as numbered steps in plain English."""

from dataclasses import dataclass
from datetime import datetime

from schoolgate.core.policy.decision import Decision, Reason, Verdict
from schoolgate.core.policy.engine import PolicyEngine
from schoolgate.core.policy.request import WebRequest


@dataclass(frozen=True, slots=True)
class Step:
    """One step of an explanation: what was asked, what the answer was, whether it decided."""

    number: int
    question: str
    answer: str
    decided: bool = False


def explain(engine: PolicyEngine, request: WebRequest, now: datetime) -> list[Step]:
    """Give the steps up to the one that decided; ``now`` is aware."""
    steps = [Step(0, "What is the page?", _describe(engine, request))]
    for question in engine.questions(request, now):
        if question.answer is not None:
            because = _because(engine, request, question.answer, now)
            return [*steps, Step(question.number, question.text, because, decided=True)]
        steps.append(Step(question.number, question.text, "No."))
    raise AssertionError("a policy has a default")


def _describe(engine: PolicyEngine, request: WebRequest) -> str:
    url = request.url
    entries = engine.catalogue.sites.entries(url.host, url.path)
    if not entries:
        return f"{url.host} is in no category."
    known = engine.catalogue.categories
    named = ", ".join(f"{known[e.category].title} (entry {e.text}, list {e.feed})" for e in entries)
    return f"{url.host} is listed under: {named}."


def _because(engine: PolicyEngine, request: WebRequest, decision: Decision, now: datetime) -> str:
    clause = engine.policy.clauses.get(decision.clause)
    under = f"under {decision.clause}" + (f", “{clause.title}”" if clause else "")
    entry = engine.evidence(request, decision)
    matched = entry is not None and decision.reason is not Reason.DEFAULT
    proof = (
        f" The entry {entry.text} of the list {entry.feed} matched." if entry and matched else ""
    )
    if decision.locked_by is not None:
        by = decision.locked_by
        proof = f" The locked list {by.name} names it (version {by.version}, SHA-256 {by.digest[:12]}…)."
    note = f" {decision.note}" if decision.note else ""
    answer = f"{decision.verdict.value.capitalize()} {under} (rule {decision.rule}).{proof}{note}"
    if decision.verdict is Verdict.BLOCK:
        return answer
    budget = engine.metering(request, decision)
    if budget is not None:
        minutes, megabytes = budget.limits.seconds // 60, budget.limits.size // 1_000_000
        answer += (
            f" Audio and video are counted: {minutes} minutes and {megabytes} MB a day, under "
            f"{budget.clause} (budget {budget.id})."
        )
    lost = engine.unmet(request, now)
    answer += "".join(
        f" {each.service.title} is asked for its mode '{each.mode}', under {each.clause}."
        for each in decision.obligations
        if each not in lost
    )
    return answer + "".join(
        f" {each.service.title} is not asked for its mode '{each.mode}', as {each.clause} wants: what this"
        " client does there is not read."
        for each in lost
    )
