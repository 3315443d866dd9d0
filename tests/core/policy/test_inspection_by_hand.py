"""What was decided by hand counts for a connection as it does for pages: grants, suspensions, pass.txt."""

from dataclasses import replace
from datetime import timedelta

import pytest

from schoolgate.core.approvals import Grant, Overlay, Role
from schoolgate.core.policy import (
    Inspection,
    InspectionMode,
    TlsAction,
)
from schoolgate.core.policy.rows import LOCAL_PASS
from tests.core.policy.example import (
    ENDS,
    NOON,
    PUPIL,
    STARTS,
    engine,
    grant,
    listed,
    suspension,
)
from tests.core.policy.inspected import MAIL, NEEDED, RULES, action, ask, school

HEAD = Role.HEADTEACHER


@pytest.mark.parametrize(
    ("lines", "grants", "want"),
    [
        (["games a.example"], [grant("a.example")], ("pass", ())),
        (["games a.example"], [grant("example")], ("pass", ())),
        (["games a.example"], [grant("b.example")], ("refuse", ())),
        (["games a.example"], [grant("www.a.example")], ("refuse", ())),
        (["games a.example"], [grant("a.example/p")], ("decrypt", ("grants",))),
        (["games a.example"], [grant("example/p")], ("decrypt", ("grants",))),
        (["games a.example"], [grant("a.example/p", "group:staff")], ("refuse", ())),
        (["games a.example"], [grant("a.example"), grant("a.example/p", number=2)], ("pass", ())),
        (["cloud a.example"], [grant("a.example/p")], ("decrypt", ("warning", "grants"))),
        (["news a.example"], [grant("a.example/p")], ("pass", ())),
        (["mail a.example"], [grant("a.example/p")], ("pass", ())),
        (["mail a.example", "games a.example"], [grant("a.example/p")], ("decrypt", ("grants",))),
        (["mail a.example", "games a.example"], [grant("a.example")], ("pass", ())),
        # circumvention is opened by the headteacher alone
        (["vpn a.example"], [grant("a.example/p")], ("refuse", ())),
        (["vpn a.example"], [grant("a.example/p", decided_by=HEAD)], ("decrypt", ("grants",))),
        (["vpn a.example/p"], [grant("a.example")], ("decrypt", ("paths",))),
        (["vpn a.example/p"], [grant("a.example", decided_by=HEAD)], ("pass", ())),
        # a site opened whole is open in its parts
        (["games a.example", "adult a.example/p"], [grant("a.example")], ("pass", ())),
        (["games a.example/p"], [grant("a.example")], ("pass", ())),
    ],
)
def test_grants_count_as_they_do_on_pages(
    lines: list[str], grants: list[Grant], want: tuple[str, tuple[str, ...]]
) -> None:
    built = school(*lines, inspection=replace(NEEDED, never=(MAIL,)))
    assert action(built.with_overlay(Overlay(1, tuple(grants)))) == want


@pytest.mark.parametrize(
    ("lines", "want"),
    [
        ([], ("refuse", ())),
        (["mail a.example"], ("refuse", ())),
        (["cloud a.example"], ("refuse", ())),
        (["forum a.example/p"], ("refuse", ())),
        (["help a.example"], ("pass", ())),
        (["help a.example/p"], ("decrypt", ("paths",))),
    ],
)
def test_who_is_suspended_reaches_what_is_always_reachable(
    lines: list[str], want: tuple[str, tuple[str, ...]]
) -> None:
    built = school(*lines, inspection=replace(NEEDED, never=(MAIL,)))
    assert action(built.with_overlay(Overlay(1, (), (suspension("client:10.0.0.7"),)))) == want
    assert ask(built.with_overlay(Overlay(1, (), (suspension("group:staff"),)))) is ask(built)


def test_what_was_decided_by_hand_begins_and_ends_on_time() -> None:
    built = school("games a.example").with_overlay(Overlay(1, (grant("a.example"),)))
    instant = timedelta(microseconds=1)
    answers = [
        built.decide_host("a.example", PUPIL, now).action
        for now in (STARTS - instant, STARTS, ENDS - instant, ENDS)
    ]
    assert answers == ["refuse", "pass", "pass", "refuse"]


def test_an_answer_under_one_overlay_is_not_given_under_another() -> None:
    built = school("games a.example")
    opened = built.with_overlay(Overlay(1, (grant("a.example"),)))
    closed = opened.with_overlay(Overlay(2, (grant("a.example/p"),)))
    actions = [ask(opened).action, ask(closed).action, ask(built).action, ask(opened).action]
    assert actions == ["pass", "decrypt", "refuse", "pass"]
    assert ask(opened) is ask(opened)


@pytest.mark.parametrize(
    ("local", "want"),
    [
        ([], TlsAction.DECRYPT),
        (["=unknown.example"], TlsAction.PASS),
        (["example"], TlsAction.PASS),
        (["=other.example"], TlsAction.DECRYPT),
    ],
)
def test_what_the_school_passes_unread_passes(local: list[str], want: TlsAction) -> None:
    passed = [listed(text, LOCAL_PASS, "pass.txt") for text in local]
    built = engine(rules=RULES, local=passed, inspection=Inspection(InspectionMode.ALL))
    assert built.decide_host("unknown.example", PUPIL, NOON).action is want
    assert [entry.text for entry in built.passed] == local


def test_what_is_blocked_is_not_opened_by_passing_it() -> None:
    passed = [listed("games.example", LOCAL_PASS, "pass.txt")]
    built = engine([listed("games.example")], passed, rules=RULES)
    assert built.decide_host("games.example", PUPIL, NOON).action is TlsAction.REFUSE
