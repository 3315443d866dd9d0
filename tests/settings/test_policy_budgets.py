"""A policy says how much audio and video people are given; what it gets wrong is named with its line."""

from pathlib import Path

import pytest

from schoolgate.core.errors import ConfigurationError
from schoolgate.core.media.metering import Limits
from schoolgate.core.policy import Policy, Verdict
from schoolgate.settings import load_policy
from tests.school import CATEGORIES, POLICY

BUDGETS = """\
budgets:
  - id: staff-clips
    clause: C-5
    minutes: 30
    megabytes: 1000
    groups: [staff]
    except: {categories: [advice], hosts: [bbc.example/school]}
  - id: clips
    clause: C-5
    minutes: 20
    megabytes: 600
    warn_at_percent: 50
"""


def load(directory: Path, budgets: str, then: str = "limit") -> Policy:
    file = directory / "hill.yaml"
    file.write_text(POLICY.replace("then: block\n    note", f"then: {then}\n    note") + budgets)
    return load_policy(file, CATEGORIES)


def test_budgets_are_in_seconds_and_bytes(tmp_path: Path) -> None:
    policy = load(tmp_path, BUDGETS)
    staff, everybody = policy.budgets
    assert staff.limits == Limits(1800, 1_000_000_000, 80)
    assert staff.groups == {"staff"}
    assert not everybody.groups
    assert staff.except_categories == {"advice"}
    assert [entry.text for entry in staff.except_hosts] == ["bbc.example/school"]
    assert everybody.limits == Limits(1200, 600_000_000, 50)
    assert policy.rules[0].verdict is Verdict.LIMIT


@pytest.mark.parametrize(
    ("old", "new", "want"),
    [
        ("id: staff-clips\n    clause: C-5", "id: staff-clips\n    clause: C-55", "unknown clause 'C-55'"),
        ("groups: [staff]", "groups: [stuff]", r"unknown group 'stuff' \(did you mean 'staff'\?\)"),
        ("categories: [advice]", "categories: [advise]", "unknown category 'advise'"),
        ("hosts: [bbc.example/school]", "hosts: ['a b']", "'a b' is not a host name"),
        ("id: clips", "id: staff-clips", "the budget 'staff-clips' is named twice"),
        ("id: clips", "id: My Clips", "'My Clips' is not of the form some-words"),
        ("    groups: [staff]\n", "", "the budget 'clips' is nobody's: one before it is everybody's"),
        ("minutes: 30", "minutes: 0", "greater than or equal to 1"),
        ("warn_at_percent: 50", "warn_at_percent: 101", "less than or equal to 100"),
        ("    minutes: 30\n", "", "the key 'minutes' is missing"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(tmp_path: Path, old: str, new: str, want: str) -> None:
    assert BUDGETS.count(old) == 1
    with pytest.raises(ConfigurationError, match=want):
        load(tmp_path, BUDGETS.replace(old, new))


def test_everybody_whom_a_rule_limits_has_a_budget(tmp_path: Path) -> None:
    for_staff = BUDGETS.partition("  - id: clips")[0]
    want = "the rule 'no-play' limits 'pupils', who have no budget"
    with pytest.raises(ConfigurationError, match=want):
        load(tmp_path, for_staff)
    assert load(tmp_path, for_staff, then="block").budgets


def test_a_budget_of_the_group_around_will_do(tmp_path: Path) -> None:
    for_pupils = BUDGETS.partition("  - id: clips")[0].replace("[staff]", "[pupils]")
    assert load(tmp_path, for_pupils).budgets


def test_a_budget_of_the_policy_above_will_do(tmp_path: Path) -> None:
    load(tmp_path, BUDGETS)
    (tmp_path / "vale.yaml").write_text(
        """\
id: vale
school: Vale School
document: Acceptable use
contact: office@vale.example
extends: hill
clauses: {V-1: {title: Chess}}
rules:
  - id: chess
    clause: V-1
    when: {hosts: [chess.example], groups: [pupils]}
    then: limit
"""
    )
    assert [each.id for each in load_policy(tmp_path / "vale.yaml", CATEGORIES).budgets] == [
        "staff-clips",
        "clips",
    ]
