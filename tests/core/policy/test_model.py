"""A policy is values: clauses, and rules that rest on them."""

import pytest

from schoolgate.core.policy import Clause, Enforcement, Rule, Verdict
from tests.core.policy.example import DEFAULT, policy


@pytest.mark.parametrize(
    ("value", "want"),
    [
        ("enforced", Enforcement.ENFORCED),
        ("partly", Enforcement.PARTLY),
        ("not_yet", Enforcement.NOT_YET),
    ],
)
def test_how_far_a_clause_is_carried_out_is_written_in_one_word(
    value: str, want: Enforcement
) -> None:
    assert Enforcement(value) is want


def test_a_clause_is_carried_out_in_full_unless_it_says_what_is_missing() -> None:
    clause = Clause("C-1", "No games")
    assert (clause.enforcement, clause.missing) == (Enforcement.ENFORCED, "")


def test_a_rule_without_conditions_names_no_category_host_or_group() -> None:
    rule = Rule("all", "C-1", Verdict.BLOCK)
    assert (rule.categories, rule.hosts, rule.groups, rule.note) == ((), (), frozenset(), "")


def test_all_rules_stand_in_the_order_of_precedence() -> None:
    locked, always, around, first, second = (
        Rule(id_, "C-1", Verdict.BLOCK) for id_ in ("locked", "always", "around", "r1", "r2")
    )
    built = policy(
        rules=(first, second), circumvention=(around,), always_reachable=(always,), locked=(locked,)
    )
    assert built.all_rules == (locked, always, around, first, second, DEFAULT)
