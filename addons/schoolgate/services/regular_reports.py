"""The figures of a week and of a term as a mail says them: no name, no address, no site."""

from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum

from schoolgate.core.safeguarding.incidents import OUTCOME_WORDS, Outcome
from schoolgate.services.evidence import Facts
from schoolgate.services.evidence.answers import NOT_KNOWN, many, number
from schoolgate.services.evidence.facts import TestState
from schoolgate.services.safeguarding_figures import Count


class Kind(StrEnum):
    """Which report: of a week, for the safeguarding lead; of a term, for governors."""

    WEEKLY = "weekly"
    TERMLY = "termly"


def text_of(kind: Kind, title: str, facts: Facts) -> str:
    """Give a report as plain text.

    Args:
        kind: which.
        title: of its days.
        facts: of these days.
    """
    sections = [
        ("Safeguarding, about pupils", _safeguarding(facts)),
        ("Ways round the filter", _ways(facts)),
        ("Requests for access", _access(facts)),
        ("Is it filtering?", _filtering(facts)),
    ]
    if kind is Kind.TERMLY:
        sections.append(("Policy and reviews", _policy(facts)))
    body = "\n\n".join(f"{name}\n{_lines(said)}" for name, said in sections)
    return (
        f"{facts.school}: {title}\n\n{body}\n\nNobody is named here; what concerns staff is not counted. "
        "Sign in to the portal for each matter that is routed to you."
    )


def _lines(said: Iterable[str]) -> str:
    return "\n".join(f"- {one}" for one in said)


def _safeguarding(facts: Facts) -> Iterator[str]:
    found = facts.safeguarding
    if found is None:
        yield f"alerts and incidents: {NOT_KNOWN}"
        return
    yield f"alerts: {number(found.alerts)}{_of(found.severities)}"
    if found.themes:
        yield f"by theme: {_counts(found.themes)}"
    closed = [Count(_outcome(one.name), one.number) for one in found.closed]
    yield f"incidents opened: {number(found.opened)}"
    yield f"incidents closed: {number(found.closed_number)}{_of(closed)}"
    unassigned = number(found.unassigned)
    yield f"incidents open now: {number(found.open_now)}, of them with nobody yet: {unassigned}"


def _of(counts: Sequence[Count]) -> str:
    return f" ({_counts(counts)})" if counts else ""


def _counts(counts: Iterable[Count]) -> str:
    return ", ".join(f"{one.name.replace('-', ' ')} {number(one.number)}" for one in counts)


def _outcome(name: str) -> str:
    words = OUTCOME_WORDS.get(Outcome(name), name)
    return words[:1].lower() + words[1:]


def _ways(facts: Facts) -> Iterator[str]:
    if facts.figures is None:
        yield f"attempts that were stopped: {NOT_KNOWN}"
        return
    total = facts.figures.total
    blocked = total.blocked if total.events else 0
    yield f"requests: {number(total.events)}, blocked: {number(blocked)}"
    for row in facts.figures.ways:
        yield f"stopped, {row.name.replace('-', ' ')}: {number(row.events)}"
    hidden = facts.figures.hidden.get("ways", 0)
    if hidden:
        yield f"ways of which there were few people: {hidden}"
    elif not facts.figures.ways:
        yield "no attempt was seen"


def _access(facts: Facts) -> Iterator[str]:
    found = facts.access
    if found is None:
        yield f"requests: {NOT_KNOWN}"
        return
    yield (
        f"asked {found.submitted}, approved {found.approved}, declined {found.declined}, waiting now "
        f"{found.waiting}"
    )
    if found.hours is not None:
        yield f"half of them were decided within {found.hours:.1f} hours"
    in_force = NOT_KNOWN if facts.opened is None else f"{sum(one.in_force for one in facts.opened)}"
    yield f"exceptions in force: {in_force}"


def _filtering(facts: Facts) -> Iterator[str]:
    tests = facts.tests
    wrong = [one for one in tests.results if not one.ok]
    words = {
        TestState.OFF: "the self-test is switched off",
        TestState.NEVER: "the self-test has never ended a round",
        TestState.LATE: "the self-test has stopped",
    }
    yield words.get(
        tests.state, f"{len(tests.results) - len(wrong)} of {len(tests.results)} checks well"
    )
    failed = NOT_KNOWN if tests.failed is None else many(tests.failed, "time")
    yield f"checks began to fail: {failed}"
    old = [one for one in facts.feeds or () if one.failed or one.held]
    yield f"lists of others: {len(facts.feeds or ())}, of them waiting for a person or failing: {len(old)}"
    faults = sum(bool(one.fault) for one in facts.locked)
    yield f"lists that nobody can lift: {len(facts.locked)}, with a fault: {faults}"


def _policy(facts: Facts) -> Iterator[str]:
    yield (
        f"clauses: {len(facts.clauses)}, carried out in part or not yet: {len(facts.limits)} "
        f"(version {facts.policy_version})"
    )
    for one in facts.reviews:
        yield f"{one.title}: due {one.due:%d.%m.%Y}{', overdue' if one.is_overdue else ''}"
    blocked = NOT_KNOWN if facts.figures is None else str(len(facts.figures.over_blocks))
    yield f"sites that were blocked and then approved: {blocked}"
