"""An answer is worth what the data show, and no more."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from schoolgate.services.evidence import Facts, State, answers
from schoolgate.services.evidence.answers import kinds, listed, number
from schoolgate.services.evidence.facts import FeedAge, LockedState, TestState
from schoolgate.services.selftest_results import Result
from tests.school import NOON

FEED = FeedAge("ut1", 1000, 1.0, 0, False)


def answer(facts: Facts, standard: str, which: str) -> tuple[State, str]:
    found = [o for o in answers(facts) if o.standard.startswith(standard) and o.number == which]
    return found[0].state, found[0].answer


def test_every_line_has_an_answer_of_its_own_number(facts: Facts) -> None:
    lines = answers(facts)
    assert len({(one.standard, one.number) for one in lines}) == len(lines) == 73
    assert all(one.answer.endswith((".", "”.")) for one in lines), [o.answer for o in lines]


def test_a_kind_is_shown_as_closed_only_with_lists_and_for_all(facts: Facts) -> None:
    everybody = replace(facts.kind("games")[0], closed_to=("Pupils", "Staff"), open_to=())
    closed = replace(facts, kinds=(everybody,), feeds=(FEED,))
    assert kinds(closed, "games")[0] is State.SHOWN
    assert kinds(replace(closed, feeds=()), "games")[0] is State.PARTLY
    assert kinds(replace(facts, feeds=(FEED,)), "games")[0] is State.PARTLY
    nobody = replace(everybody, closed_to=(), open_to=("Pupils", "Staff"))
    assert kinds(replace(closed, kinds=(nobody,)), "games")[0] is State.LACKING
    assert kinds(closed, "nothing")[0] is State.LACKING


@pytest.mark.parametrize("which", ["1", "2"])
def test_the_illegal_core_is_not_met_without_its_lists(facts: Facts, which: str) -> None:
    assert answer(facts, "UKSIC appropriate filtering", which)[0] is State.LACKING
    whole = replace(facts, locked=(LockedState("iwf", "7", "ab" * 32, ""),))
    assert answer(whole, "UKSIC appropriate filtering", which)[0] is State.SHOWN
    old = replace(facts, locked=(LockedState("iwf", "7", "ab" * 32, "it is of 2020"),))
    assert answer(old, "UKSIC appropriate filtering", which)[0] is State.LACKING


def test_checks_that_do_not_run_are_not_met(facts: Facts) -> None:
    assert answer(facts, "DfE filtering", "2.9")[0] is State.LACKING
    results = (Result("doh", "pupils", True), Result("https", "staff", False, "open"))
    running = replace(facts.tests, state=TestState.RUNNING, at=NOON, results=results)
    state, said = answer(replace(facts, tests=running), "DfE filtering", "2.9")
    assert state is State.PARTLY
    assert "1 of 2 checks well" in said


def test_a_review_that_is_overdue_is_not_met(facts: Facts) -> None:
    assert answer(facts, "DfE filtering", "2.6")[0] is State.LACKING
    kept = tuple(
        replace(one, is_overdue=False, due=NOON.date() + timedelta(days=9)) for one in facts.reviews
    )
    assert answer(replace(facts, reviews=kept), "DfE filtering", "2.6")[0] is State.PARTLY
    assert answer(replace(facts, reviews=()), "DfE filtering", "2.6")[0] is State.SCHOOL


@pytest.mark.parametrize(
    ("standard", "which", "without"),
    [
        ("DfE filtering", "1.4", "access"), ("DfE filtering", "2.7", "changes"),
        ("DfE filtering", "4.21", "safeguarding"), ("DfE filtering", "1.2", "opened"),
        ("UKSIC appropriate monitoring", "3", "changes"),
        ("UKSIC appropriate monitoring", "13", "safeguarding"),
    ],
)  # fmt: skip
def test_what_could_not_be_read_is_said(
    facts: Facts, standard: str, which: str, without: str
) -> None:
    missing: dict[str, Any] = {without: None}
    blind = replace(facts, **missing)
    assert answer(blind, standard, which)[0] is State.UNKNOWN


def test_nothing_breaks_where_nothing_is_known(facts: Facts) -> None:
    names = ("opened", "own_lines", "feeds", "figures", "safeguarding", "access", "changes")
    missing: dict[str, Any] = dict.fromkeys((*names, "trail_fault", "reported", "built"))
    assert len(answers(replace(facts, **missing))) == 73


def test_an_audit_trail_that_is_broken_is_not_met(facts: Facts) -> None:
    broken = replace(facts, trail_fault="entry 3 was changed")
    for standard, which in (
        ("UKSIC appropriate filtering", "20"),
        ("UKSIC appropriate monitoring", "3"),
    ):
        state, said = answer(broken, standard, which)
        assert (state, "entry 3 was changed" in said) == (State.LACKING, True)


@pytest.mark.parametrize(
    ("names", "said"), [((), "none"), (("a",), "a"), (("a", "b", "c"), "a, b and c")]
)
def test_names_in_a_sentence(names: tuple[str, ...], said: str) -> None:
    assert listed(names) == said
    assert (number(None), number(12345)) == ("few", "12,345")
