"""The evidence as tables and as JSON, for paper, table programs and other programs."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import chain

from schoolgate.services.evidence import dfe, filtering, monitoring
from schoolgate.services.evidence.answers import NOT_KNOWN, Line, number, role
from schoolgate.services.evidence.facts import Facts, plain
from schoolgate.services.selftest_results import Result

_YES = {True: "yes", False: "no"}


@dataclass(frozen=True, slots=True)
class Table:
    """A table.

    Attributes:
        id: as its file is called.
        title: for people.
        columns: their titles.
        rows: of cells, as text.
        without: what is said where there is no row.
    """

    id: str
    title: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    without: str = "There is none."


def answers(facts: Facts) -> list[Line]:
    """Answer every line of every standard."""
    return list(chain(dfe.lines(facts), filtering.lines(facts), monitoring.lines(facts)))


def as_json(facts: Facts) -> str:
    """Give everything as one JSON object."""
    whole = {"facts": plain(facts), "answers": plain(answers(facts))}
    return json.dumps(whole, ensure_ascii=False, indent=1)


def tables(facts: Facts) -> Iterator[Table]:
    """Give everything that is a table, but the answers."""
    yield Table(
        "roles",
        "Who holds which part",
        ("Role", "Open accounts", "Told by mail at", "Duties"),
        [
            (role(one.role), number(one.accounts, NOT_KNOWN), ", ".join(one.addresses), ", ".join(one.duties))
            for one in facts.roles
        ],
    )  # fmt: skip
    yield Table(
        "reviews",
        "Reviews and when they are due",
        ("What", "Clause", "Owner", "Last", "Due", "Overdue"),
        [
            (
                one.title,
                one.clause,
                role(one.owner),
                _day(one.last),
                _day(one.due),
                _YES[one.is_overdue],
            )
            for one in facts.reviews
        ],
        "The policy names none.",
    )
    yield Table(
        "clauses",
        "The policy, clause by clause",
        ("Clause", "What it asks for", "Carried out", "What is missing"),
        [(one.id, one.title, one.state, one.missing) for one in facts.clauses],
    )
    yield from _exceptions(facts)
    yield from _tests(facts)
    yield from _lists(facts)
    yield from _happened(facts)


def _exceptions(facts: Facts) -> Iterator[Table]:
    opened = facts.opened or ()
    yield Table(
        "exceptions",
        "Opened by hand",
        ("Site", "For", "From", "Until", "Decided by", "Reason", "Request"),
        [
            (one.site, one.whom, _day(one.starts), _day(one.ends), role(one.decided_by), one.reason,
             str(one.request or ""))
            for one in opened
        ],
        _without(facts.opened),
    )  # fmt: skip
    yield Table(
        "own-lists",
        "The school's own lists",
        ("List", "Entry", "Why"),
        [(one.file, one.entry, one.remark or "nothing is said") for one in facts.own_lines or ()],
        _without(facts.own_lines),
    )


def _tests(facts: Facts) -> Iterator[Table]:
    results = {(one.check, one.group): one for one in facts.tests.results}
    checks = tuple(dict.fromkeys(one.check for one in facts.tests.results))
    groups = dict.fromkeys(one.group for one in facts.tests.results)
    yield Table(
        "tests",
        "What the self-test found last, by group",
        ("Group", *checks),
        [(name, *(_found(results.get((check, name))) for check in checks)) for name in groups],
        "No round of it has ended.",
    )
    yield Table(
        "faults",
        "What the self-test found wrong",
        ("Check", "Group", "What came"),
        [(one.check, one.group, one.said) for one in facts.tests.results if not one.ok],
        "Nothing." if results else "No round of it has ended.",
    )


def _found(result: Result | None) -> str:
    # What does not apply to a group is not looked at.
    return "" if result is None else "well" if result.ok else "wrong"


def _lists(facts: Facts) -> Iterator[Table]:
    yield Table(
        "kinds",
        "Kinds of sites, as they were closed and open when this was made",
        ("Kind", "Sites known", "Closed to", "Open to"),
        [
            (
                one.title,
                f"{one.sites:,}",
                _groups(one.closed_to, one.open_to),
                _groups(one.open_to, one.closed_to),
            )
            for one in facts.kinds
        ],
    )
    yield Table(
        "feeds",
        "Lists of others",
        ("List", "Entries", "Days old", "Waiting for a person", "Last attempt failed"),
        [
            (one.name, f"{one.entries:,}", NOT_KNOWN if one.days is None else f"{one.days:.1f}",
             str(one.held), _YES[one.failed])
            for one in facts.feeds or ()
        ],
        "None is fetched." if facts.feeds is not None else "It could not be read.",
    )  # fmt: skip
    yield Table(
        "locked",
        "Lists that nobody can lift",
        ("List", "Version", "SHA-256", "Fault"),
        [(one.name, one.version, one.digest, one.fault) for one in facts.locked],
        "None is installed.",
    )


def _happened(facts: Facts) -> Iterator[Table]:
    found = facts.safeguarding
    rows: list[tuple[str, str]] = []
    if found is not None:
        rows += [("alerts", number(found.alerts))]
        rows += [(f"alerts: {one.name}", number(one.number)) for one in found.severities]
        rows += [(f"alerts about {one.name}", number(one.number)) for one in found.themes]
        rows += [("incidents opened", number(found.opened))]
        rows += [("incidents closed", number(found.closed_number))]
        rows += [(f"outcome {one.name}", number(one.number)) for one in found.closed]
        rows += [("incidents open now", number(found.open_now))]
        rows += [("of them with nobody", number(found.unassigned))]
    yield Table(
        "safeguarding",
        "Alerts and incidents about pupils",
        ("What", "How many"),
        rows,
        "It could not be read.",
    )
    yield Table(
        "changes",
        "What was changed and looked at, by the audit trail",
        ("What", "How often"),
        [(action, f"{count:,}") for action, count in (facts.changes or {}).items()],
        _without(facts.changes),
    )


def _groups(these: Sequence[str], others: Sequence[str]) -> str:
    return ", ".join(these) if others else "all" if these else ""


def _without(found: object) -> str:
    return "It could not be read." if found is None else "There is none."


def _day(at: datetime | date) -> str:
    return f"{at:%Y-%m-%d}"
