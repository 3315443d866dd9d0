"""A rule that can never decide anything is found, and which rules hide it."""

from typing import Any

import pytest
from hypothesis import given, settings

from schoolgate.core.policy import Group, Rule, Verdict, dead_rules, extend
from schoolgate.core.policy.model import Lock
from tests.core.policy.example import hosts, policy
from tests.core.policy.test_twin import WORLDS, World

GROUPS = {
    "pupils": Group("pupils", "Pupils"),
    "year-4": Group("year-4", "Year 4", "pupils"),
    "staff": Group("staff", "Staff"),
}


def rule(id_: str, verdict: Verdict = Verdict.BLOCK, **conditions: Any) -> Rule:
    named: dict[str, Any] = {
        key: value if key in ("categories", "hosts") else frozenset(value)
        for key, value in conditions.items()
    }
    return Rule(id_, "C-8", verdict, **named)


@pytest.mark.parametrize(
    ("rules", "want"),
    [
        pytest.param([rule("a", categories=("games",)), rule("b", categories=("games",))], {"b": "'a'"},
                     id="the same category"),
        pytest.param([rule("a", categories=("games", "news")), rule("b", categories=("news", "games"))],
                     {"b": "'a'"}, id="the same categories"),
        pytest.param([rule("a", categories=("games",)), rule("b", categories=("games", "news"))], {},
                     id="one more category"),
        pytest.param([rule("a", categories=("games",)), rule("b", categories=("news",)),
                      rule("c", categories=("games", "news"))], {"c": "'a' and 'b'"}, id="two between them"),
        pytest.param([rule("a", categories=("games",), groups=("pupils",)), rule("b", categories=("games",))],
                     {}, id="others are left"),
        pytest.param([rule("a", categories=("games",), groups=("pupils",)),
                      rule("b", categories=("games",), groups=("year-4",))], {"b": "'a'"},
                     id="a group within"),
        pytest.param([rule("a", categories=("games",), groups=("year-4",)),
                      rule("b", categories=("games",), groups=("pupils",))], {}, id="a group around"),
        pytest.param([rule("a", categories=("games",), groups=("pupils",)),
                      rule("b", categories=("games",), groups=("staff",)),
                      rule("c", categories=("games",))], {"c": "'a' and 'b'"}, id="every group between them"),
        pytest.param([rule("a", groups=("pupils",)), rule("b", categories=("games",), groups=("pupils",))],
                     {"b": "'a'"}, id="everything of a group"),
        pytest.param([rule("a", categories=("games",), periods=("lessons",)),
                      rule("b", categories=("games",))], {}, id="only in lessons"),
        pytest.param([rule("a", categories=("games",)),
                      rule("b", categories=("games",), periods=("lessons",), networks=("wifi",))],
                     {"b": "'a'"}, id="always, so in lessons too"),
        pytest.param([rule("a", categories=("games",), devices=("tablet", "phone")),
                      rule("b", categories=("games",), devices=("phone",))], {"b": "'a'"},
                     id="one device of two"),
        pytest.param([rule("a", categories=("games",), methods=("POST",)),
                      rule("b", categories=("games",), methods=("GET", "POST"))], {}, id="one method more"),
        pytest.param([rule("a", hosts=hosts("example.com")), rule("b", hosts=hosts("www.example.com/a"))],
                     {"b": "'a'"}, id="a page of the site"),
        pytest.param([rule("a", hosts=hosts("www.example.com/a")), rule("b", hosts=hosts("example.com"))],
                     {}, id="the site of the page"),
        pytest.param([rule("a", hosts=hosts("=example.com")), rule("b", hosts=hosts("example.com"))], {},
                     id="the host, and the site"),
        pytest.param([rule("a", hosts=hosts("*.example.com")), rule("b", hosts=hosts("=www.example.com"))],
                     {"b": "'a'"}, id="below, and a host below"),
        pytest.param([rule("a", hosts=hosts("example.com")), rule("b", hosts=hosts("notexample.com"))], {},
                     id="another site"),
        pytest.param([rule("a", categories=("games",)), rule("b", hosts=hosts("example.com"))], {},
                     id="what lists say is not known"),
    ],
)  # fmt: skip
def test_a_rule_is_dead_when_those_before_it_always_decide(
    rules: list[Rule], want: dict[str, str]
) -> None:
    found = {
        dead.id: because for dead, because in dead_rules(policy(groups=GROUPS, rules=tuple(rules)))
    }
    assert {id_: because.partition(" always")[0] for id_, because in found.items()} == want


def test_a_rule_is_hidden_by_the_sections_before_the_rules() -> None:
    help_ = rule("help", Verdict.ALLOW, categories=("advice",))
    found = dead_rules(
        policy(always_reachable=(help_,), rules=(rule("b", categories=("advice",)),))
    )
    assert [dead.id for dead, _ in found] == ["b"]


@pytest.mark.parametrize(("verdict", "want"), [(Verdict.BLOCK, []), (Verdict.WARN, ["own"])])
def test_a_locked_rule_above_that_says_the_same_hides_nothing(
    verdict: Verdict, want: list[str]
) -> None:
    """The school's own words are shown in its place."""
    locked = Rule("top", "C-8", Verdict.BLOCK, categories=("games",), lock=Lock.RULES)
    own = policy(rules=(rule("own", verdict, categories=("games",)),))
    found = dead_rules(extend(own, policy(id="trust", rules=(locked,))))
    assert [dead.id for dead, _ in found] == want


def test_what_is_shown_in_the_place_of_a_locked_rule_above_is_hidden_by_nothing_that_says_another() -> (
    None
):
    top = Rule("top", "C-8", Verdict.BLOCK, categories=("games",), lock=Lock.RULES)
    open_ = Rule("open", "C-8", Verdict.ALLOW, lock=Lock.RULES)
    help_ = rule("help", Verdict.ALLOW, categories=("games",))
    own = policy(always_reachable=(help_,), rules=(rule("own", categories=("games",)),))
    assert [dead.id for dead, _ in dead_rules(own)] == ["own"]
    for above in ((top,), (top, open_)):
        assert not list(dead_rules(extend(own, policy(id="trust", rules=above))))


def test_help_that_a_policy_above_counts_as_a_way_round_hides_nothing_of_what_the_school_does() -> (
    None
):
    help_ = rule("help", Verdict.ALLOW, categories=("games",))
    own = policy(always_reachable=(help_,), circumvention=(rule("round", categories=("games",)),))
    assert [dead.id for dead, _ in dead_rules(own)] == ["round"]
    above = policy(id="trust", circumvention=(rule("top", hosts=hosts("example.com")),))
    assert not list(dead_rules(extend(own, above)))


@settings(max_examples=500)
@given(WORLDS)
def test_a_dead_rule_decides_nothing(world: World) -> None:
    dead = {rule.id for rule, _ in dead_rules(world.policy())}
    assert world.engine().decide(world.request, world.now).rule not in dead
