"""What a review wants to know is found out from rules, database and files; what fails is noted."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from schoolgate import bootstrap
from schoolgate.core.approvals import Role
from schoolgate.core.errors import RefusedError, UnavailableError
from schoolgate.core.policy.model import Review
from schoolgate.services.evidence import Facts, Sources, gather
from schoolgate.services.evidence.facts import TestState
from schoolgate.services.evidence.gathering import review_due
from schoolgate.settings import load_settings
from tests.school import NOON
from tests.services.evidence.gathered import SINCE, UNTIL, school_in


def test_of_the_policy_it_says_what_is_carried_out_and_what_is_due(facts: Facts) -> None:
    states = {one.id: one.state for one in facts.clauses}
    assert (states["C-1"], states["C-4"], states["C-5"]) == ("yes", "not yet", "partly")
    assert [one.id for one in facts.limits] == ["C-4", "C-5"]
    due = {one.title: (one.due, one.is_overdue) for one in facts.reviews}
    assert due == {"The policy": (date(2025, 2, 28), True), "The board": (date(2027, 2, 28), False)}


def test_of_roles_it_says_how_many_hold_them_and_what_for(facts: Facts) -> None:
    held = {one.role: one for one in facts.roles}
    assert held["governor"].accounts == 2
    assert "owns: The policy" in held["governor"].duties
    assert "decides requests" in held["headteacher"].duties
    assert "teacher" not in held


def test_of_kinds_it_says_to_whom_they_are_closed(facts: Facts) -> None:
    games = next(one for one in facts.kinds if one.id == "games")
    assert (games.closed_to, games.open_to) == (("Pupils",), ("Staff",))
    assert games.sites > 0


def test_what_was_never_there_is_none_and_not_unknown(facts: Facts) -> None:
    assert facts.unknown == ()
    assert (facts.opened, facts.feeds, facts.changes) == ((), (), {})
    assert facts.tests.state is TestState.NEVER
    assert facts.tests.failed == 0


def test_what_cannot_be_found_out_is_noted(tmp_path: Path) -> None:
    settings = load_settings(school_in(tmp_path).config, {})
    engine = bootstrap.load_engine(settings)

    def broken() -> Mapping[Role, int]:
        raise UnavailableError("the accounts are away")

    sources = Sources(settings, engine, None, bootstrap.open_journal(settings), broken)
    found = gather(sources, SINCE, UNTIL, NOON)
    assert found.unknown == ("accounts: the accounts are away",)
    assert {one.accounts for one in found.roles} == {None}
    with pytest.raises(RefusedError, match="no span of days"):
        gather(replace(sources), UNTIL, SINCE, NOON)


@pytest.mark.parametrize(
    ("last", "months", "due"),
    [
        (date(2026, 9, 14), 12, date(2027, 9, 14)),
        (date(2024, 2, 29), 12, date(2025, 2, 28)),
        (date(2026, 12, 31), 2, date(2027, 2, 28)),
        (date(2026, 1, 1), 24, date(2028, 1, 1)),
    ],
)
def test_a_review_is_due_so_many_months_later(last: date, months: int, due: date) -> None:
    review = Review("x", "C-1", Role.GOVERNOR, last, months)
    assert review_due(review, due).due == due
    assert not review_due(review, due).is_overdue
    assert review_due(review, date.fromordinal(due.toordinal() + 1)).is_overdue
