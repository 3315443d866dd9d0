"""Audio and video burden the first budget of somebody, unless the page is excepted or was opened."""

import pytest

from schoolgate.core.approvals import Overlay, Role
from schoolgate.core.clients import Client
from schoolgate.core.media.metering import Limits
from schoolgate.core.policy import (
    NO_BUDGET,
    Budget,
    Group,
    LessonAllowance,
    PolicyEngine,
    Rule,
    Verdict,
    explain,
    extend,
)
from tests.core.policy.example import (
    LESSONS,
    NOON,
    PUPIL,
    TEACHER,
    ask,
    engine,
    grant,
    hosts,
    listed,
    local_allow,
    policy,
)

STAFF = Budget("staff-clips", "C-6", Limits(1800, 10**9), frozenset({"staff"}))
ALL = Budget(
    "clips",
    "C-6",
    Limits(600, 10**8),
    except_categories=frozenset({"learning"}),
    except_hosts=hosts("tv.example/school"),
)
ENTRIES = [
    listed("video.example", "clips"),
    listed("learning.example", "learning"),
    listed("both.example", "learning"),
    listed("both.example", "clips"),
    listed("blocked.example", "adult"),
    listed("help.example", "help"),
]
RULES = (
    Rule("adult", "C-1", Verdict.BLOCK, categories=("adult",)),
    Rule("clips", "C-6", Verdict.LIMIT, categories=("clips",)),
)
HELP = Rule("help", "C-2", Verdict.ALLOW, categories=("help",))
CHESS = Client("10.0.0.9", "visitors")


def built(*budgets: Budget, overlay: Overlay | None = None) -> PolicyEngine:
    return engine(
        ENTRIES,
        [local_allow("ours.example")],
        overlay,
        rules=RULES,
        always_reachable=(HELP,),
        budgets=budgets,
        timetable=LESSONS,
        lessons=LessonAllowance("C-4", frozenset({"clips"}), 3, 60),
    )


@pytest.mark.parametrize(
    ("url", "client", "want"),
    [
        ("https://video.example/", PUPIL, "clips"),
        ("https://video.example/", TEACHER, "staff-clips"),
        ("https://plain.example/film.mp4", PUPIL, "clips"),
        ("https://learning.example/", PUPIL, None),
        ("https://both.example/", PUPIL, "clips"),
        ("https://tv.example/school/1", PUPIL, None),
        ("https://tv.example/film", PUPIL, "clips"),
        # Nothing is counted where nothing flows, where help is, and where the school opened it.
        ("https://blocked.example/", PUPIL, None),
        ("https://help.example/", PUPIL, None),
        ("https://ours.example/", PUPIL, None),
        # What a budget of others excepts is not excepted of this one.
        ("https://learning.example/", TEACHER, "staff-clips"),
    ],
)
def test_which_budget_a_page_burdens(url: str, client: Client, want: str | None) -> None:
    rules, request = built(STAFF, ALL), ask(url, client)
    budget = rules.metering(request, rules.decide(request, NOON))
    assert (budget and budget.id) == want


@pytest.mark.parametrize("by", [Role.HEADTEACHER, Role.TEACHER])
def test_what_was_opened_by_hand_or_for_a_lesson_is_not_counted(by: Role) -> None:
    rules = built(ALL, overlay=Overlay(1, (grant("video.example", decided_by=by),)))
    request = ask("https://video.example/")
    decision = rules.decide(request, NOON)
    assert (decision.verdict, decision.grant) == (Verdict.ALLOW, 1)
    assert rules.metering(request, decision) is None


def test_who_is_limited_and_has_no_budget_has_nothing_left() -> None:
    rules = built(STAFF)
    limited, free = ask("https://video.example/", CHESS), ask("https://plain.example/", CHESS)
    assert rules.metering(limited, rules.decide(limited, NOON)) is NO_BUDGET
    assert rules.metering(free, rules.decide(free, NOON)) is None
    assert NO_BUDGET.limits == Limits(0, 0)


def test_a_policy_without_budgets_counts_nothing() -> None:
    rules, request = engine(ENTRIES), ask("https://video.example/")
    assert rules.metering(request, rules.decide(request, NOON)) is None


def test_a_school_has_its_own_budgets_before_those_that_it_takes_over() -> None:
    groups = {"pupils": Group("pupils", "Pupils")}
    both = extend(policy(budgets=(STAFF,), groups=groups), policy(budgets=(ALL,), groups=groups))
    assert [budget.id for budget in both.budgets] == ["staff-clips", "clips"]


def test_an_explanation_says_what_is_counted() -> None:
    *_, last = explain(built(ALL), ask("https://video.example/"), NOON)
    want = "Audio and video are counted: 10 minutes and 100 MB a day, under C-6 (budget clips)."
    assert last.answer.startswith("Limit under C-6")
    assert want in last.answer
