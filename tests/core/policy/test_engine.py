"""Every request is answered by the policy, in one fixed order of precedence, with its evidence."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from itertools import combinations
from typing import Any

import pytest

from schoolgate.core.approvals import OPENING, Grant, Overlay, Role
from schoolgate.core.categories import ListEntry
from schoolgate.core.clients import Client
from schoolgate.core.policy import PolicyEngine, Reason, Roles, Rule, Verdict, explain
from tests.core.policy.example import (
    ENDS,
    NOON,
    PUPIL,
    STARTS,
    TEACHER,
    ask,
    engine,
    grant,
    hosts,
    listed,
    local_allow,
    local_block,
    suspension,
)

INSTANT = timedelta(microseconds=1)


def rule(id_: str, verdict: Verdict = Verdict.BLOCK, **conditions: Any) -> Rule:
    return Rule(id_, "C-8", verdict, **conditions)


# -- the order of precedence ---------------------------------------------------------------------

# What makes each step answer for example.com, in the order of precedence. Each answers
# the opposite of its neighbour where it can, so that a wrong order shows in the verdict too.
_EXAMPLE = hosts("example.com")
_STEPS: dict[Reason, dict[str, Any]] = {
    Reason.LOCKED: {"locked": (rule("locked", hosts=_EXAMPLE),)},
    Reason.ALWAYS_REACHABLE: {
        "always_reachable": (rule("help", Verdict.ALLOW, hosts=_EXAMPLE),)
    },
    Reason.SUSPENDED: {"suspensions": (suspension(),)},
    Reason.GRANT: {"grants": (grant(decided_by=Role.HEADTEACHER),)},
    Reason.CIRCUMVENTION: {"circumvention": (rule("vpn", hosts=_EXAMPLE),)},
    Reason.LOCAL_BLOCK: {"block": (local_block("example.com"),)},
    Reason.LOCAL_ALLOW: {"allow": (local_allow("example.com"),)},
    Reason.HOST: {"rules": (rule("named", hosts=_EXAMPLE),)},
    Reason.DEFAULT: {},
}  # fmt: skip


def engine_with(*steps: Reason) -> PolicyEngine:
    """Build an engine in which just these steps, and the default, answer for example.com."""
    changes = {key: value for step in steps for key, value in _STEPS[step].items()}
    overlay = Overlay(1, changes.pop("grants", ()), changes.pop("suspensions", ()))
    local = (*changes.pop("allow", ()), *changes.pop("block", ()))
    return engine(local=local, overlay=overlay, **changes)


@pytest.mark.parametrize(
    ("earlier", "later"),
    [pytest.param(a, b, id=f"{a.value} before {b.value}") for a, b in combinations(_STEPS, 2)],
)
def test_each_step_beats_every_later_one(earlier: Reason, later: Reason) -> None:
    assert engine_with(later).decide(ask(), NOON).reason is later
    assert engine_with(later, earlier).decide(ask(), NOON).reason is earlier


@pytest.mark.parametrize(
    ("step", "verdict", "clause", "deciding"),
    [
        (Reason.LOCKED, Verdict.BLOCK, "C-8", "locked"),
        (Reason.ALWAYS_REACHABLE, Verdict.ALLOW, "C-8", "help"),
        (Reason.SUSPENDED, Verdict.BLOCK, "C-3", "suspension"),
        (Reason.GRANT, Verdict.ALLOW, "C-5", "grant"),
        (Reason.CIRCUMVENTION, Verdict.BLOCK, "C-8", "vpn"),
        (Reason.LOCAL_BLOCK, Verdict.BLOCK, "C-7", "local-block"),
        (Reason.LOCAL_ALLOW, Verdict.ALLOW, "C-7", "local-allow"),
        (Reason.HOST, Verdict.BLOCK, "C-8", "named"),
        (Reason.DEFAULT, Verdict.ALLOW, "C-9", "otherwise"),
    ],
)
def test_each_step_answers_under_its_own_clause(
    step: Reason, verdict: Verdict, clause: str, deciding: str
) -> None:
    decision = engine_with(step).decide(ask(), NOON)
    assert (decision.verdict, decision.clause, decision.rule) == (verdict, clause, deciding)


def test_with_every_step_at_once_taking_away_the_first_lets_the_next_decide() -> None:
    steps = list(_STEPS)
    decided = [engine_with(*steps[n:]).decide(ask(), NOON).reason for n in range(len(steps))]
    assert decided == steps


@pytest.mark.parametrize("verdict", list(Verdict))
@pytest.mark.parametrize("step", ["locked", "always_reachable", "circumvention", "rules"])
def test_a_rule_of_any_step_may_give_any_verdict(step: str, verdict: Verdict) -> None:
    changes: dict[str, Any] = {step: (rule("r", verdict, categories=("games",)),)}
    built = engine([listed("example.com")], **changes)
    assert built.decide(ask(), NOON).verdict is verdict


# -- rules ---------------------------------------------------------------------------------------


def test_the_first_rule_that_matches_wins() -> None:
    rules = (
        rule("no match", categories=("adult",)),
        rule("first", Verdict.WARN, categories=("games",)),
        rule("second", Verdict.BLOCK, categories=("games",)),
    )
    assert engine([listed("example.com")], rules=rules).decide(ask(), NOON).rule == "first"


@pytest.mark.parametrize(
    ("conditions", "want"),
    [
        ({}, True),
        ({"categories": ("games",)}, True),
        ({"categories": ("adult", "games")}, True),
        ({"categories": ("adult",)}, False),
        ({"hosts": hosts("example.com")}, True),
        ({"hosts": hosts("com")}, True),
        ({"hosts": hosts("www.example.com")}, False),
        ({"hosts": hosts("notexample.com", "example.com")}, True),
        ({"hosts": hosts("example.com/a")}, False),
        ({"categories": ("adult",), "hosts": hosts("example.com")}, True),
        ({"categories": ("games",), "hosts": hosts("other.example")}, True),
        ({"categories": ("adult",), "hosts": hosts("other.example")}, False),
        ({"groups": frozenset({"pupils"})}, True),
        ({"groups": frozenset({"staff", "pupils"})}, True),
        ({"groups": frozenset({"staff"})}, False),
        ({"categories": ("games",), "groups": frozenset({"staff"})}, False),
        ({"hosts": hosts("example.com"), "groups": frozenset({"staff"})}, False),
    ],
)
def test_a_rule_matches_by_any_category_or_host_and_only_for_its_groups(
    conditions: dict[str, Any], want: bool
) -> None:
    built = engine([listed("example.com")], rules=(rule("r", **conditions),))
    assert (built.decide(ask(), NOON).rule == "r") is want


def test_a_group_has_its_own_answer_to_the_same_page() -> None:
    rules = (
        rule("staff games", Verdict.WARN, categories=("games",), groups=frozenset({"staff"})),
        rule("games", categories=("games",)),
    )
    built = engine([listed("example.com")], rules=rules)
    assert built.decide(ask(client=PUPIL), NOON).rule == "games"
    assert built.decide(ask(client=TEACHER), NOON).rule == "staff games"
    assert built.decide(ask(client=Client("10.0.0.9", "unheard-of")), NOON).rule == "games"


def test_a_locked_rule_for_one_group_leaves_the_others_alone() -> None:
    built = engine(locked=(rule("locked", hosts=_EXAMPLE, groups=frozenset({"pupils"})),))
    assert built.decide(ask(client=PUPIL), NOON).reason is Reason.LOCKED
    assert built.decide(ask(client=TEACHER), NOON).reason is Reason.DEFAULT


def test_the_category_named_is_the_first_of_the_rule_that_the_page_is_in() -> None:
    entries = [listed("example.com", c) for c in ("adult", "games", "news")]
    rules = (rule("r", categories=("shopping", "news", "adult"), note="Ask the office."),)
    decision = engine(entries, rules=rules).decide(ask(), NOON)
    assert (decision.reason, decision.category) == (Reason.CATEGORY, "news")
    assert decision.categories == ("adult", "games", "news")
    assert decision.note == "Ask the office."


@pytest.mark.parametrize("step", ["locked", "always_reachable", "circumvention", "rules"])
def test_a_rule_that_names_the_host_names_no_category_as_its_ground(step: str) -> None:
    changes: dict[str, Any] = {step: (rule("r", hosts=_EXAMPLE),)}
    built = engine([listed("example.com")], **changes)
    decision = built.decide(ask(), NOON)
    assert (decision.rule, decision.category, decision.categories) == ("r", None, ("games",))


def test_the_default_names_what_the_page_is_mainly_in() -> None:
    entries = [listed("example.com", "news"), listed("example.com", "games")]
    decision = engine(entries).decide(ask(), NOON)
    assert (decision.category, decision.categories) == ("games", ("games", "news"))
    assert engine().decide(ask(), NOON).category is None


# -- the school's own lists ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("local", "url", "want"),
    [
        ([local_block("example.com")], "https://www.example.com/", Reason.LOCAL_BLOCK),
        ([local_block("example.com/a")], "https://example.com/A/b", Reason.LOCAL_BLOCK),
        ([local_block("example.com/a")], "https://example.com/ab", Reason.CATEGORY),
        ([local_allow("example.com")], "https://www.example.com/", Reason.LOCAL_ALLOW),
        ([local_allow("www.example.com")], "https://example.com/", Reason.CATEGORY),
        ([local_allow("example.com"), local_block("example.com")],
         "https://example.com/", Reason.LOCAL_BLOCK),
        # The block wins even where the allowed entry is the more specific one.
        ([local_allow("www.example.com/a"), local_block("example.com")],
         "https://www.example.com/a", Reason.LOCAL_BLOCK),
        ([local_allow("example.com"), local_block("example.com/a")],
         "https://example.com/b", Reason.LOCAL_ALLOW),
    ],
)  # fmt: skip
def test_the_schools_own_lists_are_final_and_block_beats_allow(
    local: list[ListEntry], url: str, want: Reason
) -> None:
    rules = (rule("games", categories=("games",)),)
    built = engine([listed("example.com")], local, rules=rules)
    assert built.decide(ask(url), NOON).reason is want


def test_a_local_entry_puts_a_page_in_no_category() -> None:
    decision = engine(local=[local_block("example.com")]).decide(ask(), NOON)
    assert (decision.category, decision.categories) == (None, ())


# -- grants and suspensions ----------------------------------------------------------------------

_TIMES = pytest.mark.parametrize(
    ("now", "want"),
    [
        (STARTS - INSTANT, False),
        (STARTS, True),
        (ENDS - INSTANT, True),
        (ENDS, False),
        (STARTS.astimezone(timezone(timedelta(hours=1))), True),
    ],
)
_BLOCKED = (rule("games", hosts=hosts("com")),)


@_TIMES
def test_a_grant_opens_from_its_start_until_just_before_its_end(now: datetime, want: bool) -> None:
    built = engine(overlay=Overlay(1, grants=(grant(),)), rules=_BLOCKED)
    assert (built.decide(ask(), now).reason is Reason.GRANT) is want


@_TIMES
def test_a_suspension_stops_from_its_start_until_just_before_its_end(
    now: datetime, want: bool
) -> None:
    built = engine(overlay=Overlay(1, suspensions=(suspension(),)))
    assert (built.decide(ask(), now).reason is Reason.SUSPENDED) is want


@pytest.mark.parametrize(
    ("made", "url", "want"),
    [
        (grant(), "https://example.com/", True),
        (grant(), "https://www.example.com/a?b", True),
        (grant(), "https://notexample.com/", False),
        (grant("example.com/a"), "https://example.com/a/b", True),
        (grant("example.com/a"), "https://example.com/%41", True),
        (grant("example.com/a"), "https://example.com/b", False),
        (grant("example.com/a"), "https://example.com/a%2f..%2fb", False),
        (grant(subject="user:abc"), "https://example.com/", True),
        (grant(subject="group:pupils"), "https://example.com/", True),
        (grant(subject="10.0.0.7"), "https://example.com/", True),
        (grant(subject="group:staff"), "https://example.com/", False),
        (grant(subject="user:xyz"), "https://example.com/", False),
    ],
)
def test_a_grant_opens_its_entry_for_its_subject_and_nothing_more(
    made: Grant, url: str, want: bool
) -> None:
    built = engine(overlay=Overlay(1, grants=(made,)), rules=_BLOCKED)
    decision = built.decide(ask(url), NOON)
    assert (decision.reason is Reason.GRANT) is want
    assert decision.verdict is (Verdict.ALLOW if want else Verdict.BLOCK)


def test_a_grant_says_which_it_is_and_why_it_was_given() -> None:
    built = engine(overlay=Overlay(1, grants=(grant(number=17),)), rules=_BLOCKED)
    decision = built.decide(ask(), NOON)
    assert (decision.grant, decision.note) == (17, "For the lesson.")


@pytest.mark.parametrize(
    ("roles", "want"),
    [
        ([Role.HEADTEACHER], 1),
        ([Role.SLT], None),
        ([Role.TECHNICIAN], None),
        ([Role.ONLINE_SAFETY_LEAD], None),
        ([Role.TECHNICIAN, Role.HEADTEACHER], 2),
        ([Role.HEADTEACHER, Role.TECHNICIAN], 1),
    ],
)
def test_circumvention_is_opened_only_by_the_headteacher(
    roles: list[Role], want: int | None
) -> None:
    grants = tuple(grant(decided_by=role, number=n) for n, role in enumerate(roles, start=1))
    built = engine(
        [listed("example.com", "circumvention")],
        overlay=Overlay(1, grants=grants),
        circumvention=(rule("vpn", categories=("circumvention",)),),
    )
    decision = built.decide(ask(), NOON)
    assert decision.grant == want
    assert decision.reason is (Reason.GRANT if want else Reason.CIRCUMVENTION)


@pytest.mark.parametrize("role", OPENING)
def test_circumvention_is_opened_by_those_alone_whom_the_policy_names_for_it(role: Role) -> None:
    built = engine(
        [listed("example.com", "circumvention")],
        overlay=Overlay(1, (grant(decided_by=role),)),
        circumvention=(rule("vpn", categories=("circumvention",)),),
        roles=Roles(decides=(Role.HEADTEACHER,), bypass=(Role.SLT, Role.DEPUTY)),
    )
    opened = built.decide(ask(), NOON).reason is Reason.GRANT
    assert opened is (role in (Role.SLT, Role.DEPUTY))


@pytest.mark.parametrize("role", OPENING)
def test_what_does_not_get_round_the_filter_is_opened_by_those_who_may_open(role: Role) -> None:
    built = engine(overlay=Overlay(1, grants=(grant(decided_by=role),)), rules=_BLOCKED)
    assert built.decide(ask(), NOON).reason is Reason.GRANT


@pytest.mark.parametrize(
    ("subject", "want"),
    [("everyone", True), ("user:abc", True), ("group:staff", False), ("10.0.0.8", False)],
)
def test_a_suspension_stops_its_subject_on_every_site(subject: str, want: bool) -> None:
    built = engine(overlay=Overlay(1, suspensions=(suspension(subject),)))
    decisions = {built.decide(ask(f"https://{h}/"), NOON) for h in ("example.com", "a.example")}
    assert {decision.reason is Reason.SUSPENDED for decision in decisions} == {want}


def test_a_suspension_says_until_when_and_why() -> None:
    built = engine(overlay=Overlay(1, suspensions=(suspension(),)))
    note = built.decide(ask(), NOON).note
    assert note == "It is withdrawn until 23 November 2026, 15:00. Reason: misuse"


def test_the_end_of_a_suspension_is_told_in_utc_whatever_clock_it_was_set_by() -> None:
    ends = ENDS.astimezone(timezone(timedelta(hours=1)))
    built = engine(overlay=Overlay(1, suspensions=(replace(suspension(), ends=ends),)))
    assert "15:00." in built.decide(ask(), NOON).note


# -- swapping the overlay ------------------------------------------------------------------------


def test_another_overlay_changes_the_answer_of_the_new_engine_only() -> None:
    before = engine(rules=_BLOCKED)
    after = before.with_overlay(Overlay(2, grants=(grant(),)))
    without = after.with_overlay(Overlay(3))
    decided = [built.decide(ask(), NOON).reason for built in (before, after, without)]
    assert decided == [Reason.HOST, Reason.GRANT, Reason.HOST]
    assert [built.overlay.version for built in (before, after, without)] == [0, 2, 3]


def test_another_overlay_keeps_what_was_compiled() -> None:
    before = engine([listed("example.com")], [local_block("a.example")], rules=_BLOCKED)
    for url in ("https://example.com/", "https://a.example/", "https://b.example/"):
        decision = before.decide(ask(url), NOON)
        after = before.with_overlay(Overlay(2, grants=(grant("other.com"),)))
        assert after.decide(ask(url), NOON) is decision
        assert after.evidence(ask(url), decision) == before.evidence(ask(url), decision)
    assert (after.policy, after.catalogue) == (before.policy, before.catalogue)


@pytest.mark.parametrize("step", list(_STEPS))
def test_a_repeated_request_is_answered_with_the_same_object(step: Reason) -> None:
    built = engine_with(step)
    decision = built.decide(ask(), NOON)
    assert built.decide(ask(), NOON) is decision
    assert built.decide(ask(), NOON + timedelta(minutes=1)) is decision


def test_pages_in_the_same_categories_share_one_answer_for_all_with_the_same_rules() -> None:
    rules = (rule("games", categories=("games",)),)
    built = engine([listed("example.com"), listed("other.example")], rules=rules)
    decision = built.decide(ask(), NOON)
    assert built.decide(ask("https://www.other.example/a"), NOON) is decision
    assert built.decide(ask(client=TEACHER), NOON) is decision


# -- evidence ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "want"),
    [
        pytest.param(
            lambda: engine([listed("example.com", feed="ut1")], rules=(
                rule("r", categories=("games",)),)),
            listed("example.com", feed="ut1"), id="category: the entry of the feed"),
        pytest.param(
            lambda: engine([listed("com"), listed("example.com")], rules=(
                rule("r", categories=("games",)),)),
            listed("example.com"), id="category: the most specific entry"),
        pytest.param(
            lambda: engine([listed("com", "games"), listed("example.com", "news")], rules=(
                rule("r", categories=("games",)),)),
            listed("com"), id="category: an entry of the category that decided"),
        pytest.param(
            lambda: engine([listed("example.com", "illegal")], locked=(
                rule("r", categories=("illegal",)),)),
            listed("example.com", "illegal"), id="locked"),
        pytest.param(
            lambda: engine(always_reachable=(rule("r", Verdict.ALLOW, hosts=hosts("com")),)),
            listed("com", "rule:r", "policy"), id="always reachable: the host in the policy"),
        pytest.param(
            lambda: engine(circumvention=(rule("r", hosts=hosts("com", "example.com")),)),
            listed("example.com", "rule:r", "policy"), id="circumvention: the longest host"),
        pytest.param(
            lambda: engine(rules=(rule("r", hosts=hosts("example.com")),)),
            listed("example.com", "rule:r", "policy"), id="host"),
        pytest.param(
            lambda: engine(rules=(
                rule("staff", hosts=hosts("example.com"), groups=frozenset({"staff"})),
                rule("r", hosts=hosts("com")))),
            listed("com", "rule:r", "policy"), id="host: of the rule that decided"),
        pytest.param(
            lambda: engine([listed("example.com")], [local_allow("com"), local_block("com")]),
            local_block("com"), id="local block"),
        pytest.param(
            lambda: engine([listed("example.com")], [local_allow("example.com")]),
            local_allow("example.com"), id="local allow"),
        pytest.param(
            lambda: engine(overlay=Overlay(1, grants=(
                grant("example.com", "user:xyz", number=1), grant("com", number=2)))),
            grant("com").entry, id="grant"),
        pytest.param(
            lambda: engine(overlay=Overlay(1, suspensions=(suspension(),))),
            None, id="suspension: no list"),
        pytest.param(engine, None, id="default: no list"),
        pytest.param(
            lambda: engine([listed("example.com")]),
            listed("example.com"), id="default: what the page is mainly in"),
    ],
)  # fmt: skip
def test_a_decision_shows_the_entry_that_it_rests_on(
    make: Callable[[], PolicyEngine], want: ListEntry | None
) -> None:
    built = make()
    assert built.evidence(ask(), built.decide(ask(), NOON)) == want


def test_a_suspension_rests_on_no_list_even_where_a_rule_bears_its_name() -> None:
    built = engine(
        overlay=Overlay(1, suspensions=(suspension(),)),
        rules=(rule("suspension", hosts=_EXAMPLE),),
    )
    decision = built.decide(ask(), NOON)
    assert decision.reason is Reason.SUSPENDED
    assert built.evidence(ask(), decision) is None


# -- explaining ----------------------------------------------------------------------------------


def test_an_explanation_asks_the_steps_in_order_until_one_decides() -> None:
    rules = (rule("games", categories=("games",), note="Ask the office."),)
    steps = explain(engine([listed("example.com")], rules=rules), ask(), NOON)
    assert [step.number for step in steps] == [0, 1, 2, 3, 5, 6, 7, 8]
    assert steps[0].answer == (
        "example.com is listed under: Games (entry example.com, list curated)."
    )
    assert {step.answer for step in steps[1:-1]} == {"No."}
    assert steps[-1].answer == (
        "Block under C-8, “No games in lessons” (rule games)."
        " The entry example.com of the list curated matched. Ask the office."
    )


@pytest.mark.parametrize(
    ("step", "numbers"),
    [
        (Reason.LOCKED, [0, 1]),
        (Reason.ALWAYS_REACHABLE, [0, 1, 2]),
        (Reason.SUSPENDED, [0, 1, 2, 3]),
        (Reason.GRANT, [0, 1, 2, 3, 5]),
        (Reason.CIRCUMVENTION, [0, 1, 2, 3, 5, 6]),
        (Reason.LOCAL_BLOCK, [0, 1, 2, 3, 5, 6, 7]),
        (Reason.LOCAL_ALLOW, [0, 1, 2, 3, 5, 6, 7]),
        (Reason.HOST, [0, 1, 2, 3, 5, 6, 7, 8]),
        (Reason.DEFAULT, [0, 1, 2, 3, 5, 6, 7, 8, 9]),
    ],
)
def test_an_explanation_stops_at_the_step_that_decides(step: Reason, numbers: list[int]) -> None:
    steps = explain(engine_with(step), ask(), NOON)
    assert [step.number for step in steps] == numbers
    assert steps[0].answer == "example.com is in no category."
