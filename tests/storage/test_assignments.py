"""Who of a trust has which role in which school, each change with its audit entry in one transaction."""

import pytest
from sqlalchemy import Engine

from schoolgate.core.approvals import Role
from schoolgate.core.errors import RefusedError
from schoolgate.storage import AuditTrail
from schoolgate.storage.assignments import Assignments
from tests.storage.days import at

HEAD, IT = "head@trust.example", "it@trust.example"


@pytest.fixture
def assignments(engine: Engine) -> Assignments:
    return Assignments(engine)


def test_somebody_has_roles_by_school_until_they_are_taken_back(assignments: Assignments) -> None:
    assert assignments.of(HEAD) == {}
    assignments.give(HEAD, "elm", Role.HEADTEACHER, IT, at(9))
    assignments.give(HEAD, "elm", Role.DSL, IT, at(9))
    assignments.give(HEAD, "oak", Role.DSL, IT, at(9))
    both = frozenset({Role.HEADTEACHER, Role.DSL})
    assert assignments.of(HEAD) == {"elm": both, "oak": frozenset({Role.DSL})}
    [oak] = [each for each in assignments.running() if each.school == "oak"]
    assert assignments.end(oak.id, IT, at(10)) == oak
    assert assignments.of(HEAD) == {"elm": both}


def test_each_change_stands_in_the_audit_trail(assignments: Assignments, engine: Engine) -> None:
    assignments.give(HEAD, "elm", Role.DSL, IT, at(9))
    assignments.end(assignments.running()[0].id, IT, at(10))
    told = [
        (entry.action, beside["actor"], beside["subject"], beside["detail"])
        for entry, beside in AuditTrail(engine).told(action="trust.")
    ]
    detail = {"school": "elm", "role": "dsl"}
    assert told == [
        ("trust.assigned", f"account:{IT}", f"account:{HEAD}", detail),
        ("trust.withdrawn", f"account:{IT}", f"account:{HEAD}", detail),
    ]


def test_nobody_gives_themselves_a_school(assignments: Assignments) -> None:
    with pytest.raises(RefusedError, match="nobody gives themselves"):
        assignments.give(IT, "elm", Role.HEADTEACHER, IT, at(9))
    assert assignments.running() == []


def test_what_is_had_is_not_given_twice_but_again_after_its_end(assignments: Assignments) -> None:
    assignments.give(HEAD, "elm", Role.DSL, IT, at(9))
    with pytest.raises(RefusedError, match="dsl of elm already"):
        assignments.give(HEAD, "elm", Role.DSL, IT, at(9))
    assignments.end(assignments.running()[0].id, IT, at(10))
    assignments.give(HEAD, "elm", Role.DSL, IT, at(11))
    assert len(assignments.running()) == 1


@pytest.mark.parametrize("number", [0, -1, 7, 2**31, 2**70])
def test_what_does_not_run_cannot_be_taken_back(assignments: Assignments, number: int) -> None:
    with pytest.raises(RefusedError, match="no assignment"):
        assignments.end(number, IT, at(10))


def test_the_table_is_made_once_and_its_rows_stay(engine: Engine) -> None:
    Assignments(engine).give(HEAD, "elm", Role.DSL, IT, at(9))
    assert Assignments(engine).of(HEAD) == {"elm": frozenset({Role.DSL})}
