"""The table from each clause to the rules that carry it out and the cases that show it."""

from collections.abc import Iterable, Iterator

from schoolgate.core.policy import Clause, Enforcement, Policy
from schoolgate.services.casebook import Casebook

_STATES = {
    Enforcement.ENFORCED: "yes",
    Enforcement.PARTLY: "partly",
    Enforcement.NOT_YET: "not yet",
}
_HEAD = """\
# From clause to rule to case

Made by `schoolgate policy clauses`; a test compares it. Each case is asked of its policy by
`tests/contract/test_policies.py`, under the name of the policy and the line of the case, and of a
gateway by `tests/system/test_cases.py`.
"""


def clause_table(books: Iterable[Casebook]) -> str:
    """Give the table of some policies, in Markdown.

    Args:
        books: the policies with their cases.
    """
    return "\n".join([_HEAD, *(line for book in books for line in _section(book))])


def _section(book: Casebook) -> Iterator[str]:
    policy = book.policy
    yield f"## {policy.id}: {policy.school}\n"
    if policy.extends:
        yield f"Extends {', '.join(policy.extends)}.\n"
    yield "| clause | what it asks for | carried out | by | cases (line) | what is missing |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for clause in policy.clauses.values():
        if clause.level == 0:
            cells = (
                clause.id, clause.title, _STATES[clause.enforcement], _by(policy, clause),
                _cases(book, clause), clause.missing,
            )  # fmt: skip
            yield f"| {' | '.join(cell.replace('|', '\\|') for cell in cells)} |"
    yield ""


def _by(policy: Policy, clause: Clause) -> str:
    rules = [f"`{rule.id}`" for rule in policy.all_rules if rule.clause == clause.id]
    unread = ["never decrypted"] * any(
        never.clause == clause.id for never in policy.inspection.never
    )
    modes = [
        f"`{id_}` (services)"
        for id_ in dict.fromkeys(each.id for each in policy.obligations if each.clause == clause.id)
    ]
    contents = [
        f"`{rule.need.id}` (contents)" for rule in policy.contents if rule.need.clause == clause.id
    ]
    lessons = ["lesson allowance"] * (
        policy.lessons is not None and policy.lessons.clause == clause.id
    )
    declaration = policy.declaration
    signed = (
        [f"declaration ({declaration.until_signed})"]
        if declaration is not None and declaration.clause == clause.id
        else []
    )
    return ", ".join(
        [*rules, *contents, *modes, *unread, *lessons, *signed, *([clause.by] if clause.by else ())]
    )


def _cases(book: Casebook, clause: Clause) -> str:
    found = [case for case in book.cases if case.clause == clause.id]
    bites = ", ".join(str(case.line) for case in found if not case.near_miss)
    misses = ", ".join(str(case.line) for case in found if case.near_miss)
    return "; ".join(part for part in (bites, f"near misses {misses}" if misses else "") if part)
