"""A policy that does not do what its cases say is found, and a clause without cases too."""

from datetime import UTC, datetime

import pytest

from schoolgate.core.policy import (
    Case,
    Clause,
    Declaration,
    Given,
    Rule,
    TlsAction,
    UntilSigned,
    Verdict,
)
from schoolgate.services.casebook import run_case, uncovered
from tests.core.policy.example import DEFAULT, catalogue, hosts, listed, policy

MOMENT = datetime(2026, 11, 23, 10, tzinfo=UTC)
SITES = catalogue([listed("games.example")])
POLICY = policy(
    clauses={id_: Clause(id_, id_) for id_ in ("C-3", "C-5", "C-7", "C-8", "C-9")},
    rules=(
        Rule("games", "C-8", Verdict.BLOCK, categories=("games",), groups=frozenset({"pupils"})),
    ),
)


def case(**changes: object) -> Case:
    given = {
        "clause": "C-8", "says": "", "near_miss": False, "url": "https://games.example/",
        "at": MOMENT, "want": Verdict.BLOCK, "under": "C-8", "group": "pupils", **changes,
    }  # fmt: skip
    return Case(**given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("asked", "want"),
    [
        (case(), ""),
        (case(tls=TlsAction.REFUSE), ""),
        (case(want=Verdict.WARN), "wanted warn, got block under C-8 (rule games)"),
        (case(under="C-9"), "wanted it under C-9, got block under C-8 (rule games)"),
        (case(tls=TlsAction.PASS), ("wanted the connection to pass, got refuse: It is blocked by its name"
         " under C-8, with all that is on it.")),
        (case(near_miss=True, under=""), "wanted it under another clause, got block under C-8 (rule games)"),
        (case(near_miss=True, under="", group="staff", want=Verdict.ALLOW), ""),
        (case(near_miss=True, under="C-5", want=Verdict.ALLOW, given=Given(granted="games.example")), ""),
        (case(near_miss=True, under="C-3", given=Given(suspended=True)), ""),
        (case(near_miss=True, under="C-7", want=Verdict.ALLOW, given=Given(local_allow=("games.example",))),
         ""),
        (case(clause="C-7", under="C-7", url="https://other.example/",
              given=Given(local_block=("other.example",))), ""),
    ],
)  # fmt: skip
def test_a_case_says_what_is_wrong_with_the_answer(asked: Case, want: str) -> None:
    assert run_case(POLICY, SITES, asked).problem == want


def test_a_clause_that_rules_carry_out_needs_a_case_and_a_near_miss() -> None:
    assert sorted(uncovered(POLICY, [])) == [
        ("C-8", "case in which it decides"), ("C-8", "near miss"),
        ("C-9", "case in which it decides"), ("C-9", "near miss"),
    ]  # fmt: skip
    made = [case(), case(near_miss=True), case(clause="C-9", near_miss=True)]
    assert list(uncovered(POLICY, made)) == [("C-9", "case in which it decides")]


def test_the_hosts_of_a_rule_and_the_default_count_as_rules() -> None:
    assert {rule.clause for rule in (*POLICY.rules, DEFAULT)} == {"C-8", "C-9"}
    named = policy(
        clauses={"C-1": Clause("C-1", "")},
        rules=(Rule("named", "C-1", Verdict.BLOCK, hosts=hosts("a.example")),),
    )
    assert {clause for clause, _ in uncovered(named, [])} == {"C-1"}


@pytest.mark.parametrize("until", UntilSigned)
def test_a_declaration_counts_as_a_rule_unless_nothing_comes_of_it(until: UntilSigned) -> None:
    declared = policy(
        clauses={"C-D": Clause("C-D", "")},
        declaration=Declaration("C-D", "2", until, frozenset({"staff"})),
    )
    missing = {clause for clause, _ in uncovered(declared, [])}
    assert missing == (set() if until is UntilSigned.OFF else {"C-D"})
    asked = case(clause="C-D", near_miss=True, under="C-9", want=Verdict.ALLOW, group="staff",
                 user="ann", url="https://other.example/", given=Given(signed="2"))  # fmt: skip
    assert run_case(declared, SITES, asked).problem == ""
    unsigned = case(clause="C-D", under="C-D", want=Verdict.WARN, group="staff", user="ann",
                    url="https://other.example/", given=Given(signed="1"))  # fmt: skip
    assert (run_case(declared, SITES, unsigned).problem == "") is (until is UntilSigned.WARN)
