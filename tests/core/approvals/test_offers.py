"""What is offered to whom: what the workflow takes from them, and nothing that it would refuse."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from schoolgate.core.approvals import (
    AccessRequest,
    Action,
    Actor,
    Answer,
    Approve,
    Arrangements,
    AskBack,
    Decline,
    Delegation,
    Notify,
    Revoke,
    Role,
    Standing,
    State,
    Suggest,
    Withdraw,
    offered,
    step,
)
from schoolgate.core.errors import RefusedError
from tests.services.requested import (
    APPROVE,
    CHAIR,
    DECLINE,
    DEPUTY,
    HEAD,
    LEAD,
    NINE,
    NOBODY,
    OTHER_TEACHER,
    PRECAUTIONS,
    REVIEW,
    ROLES,
    SLT,
    TEACHER,
    TECHNICIAN,
    form,
)

SCHOOL = Arrangements(ROLES)
NOTIFIED = Arrangements(ROLES, standing=Standing(precautions=PRECAUTIONS[:1]))
ABSENT = Arrangements(
    ROLES,
    delegations=(Delegation(1, DEPUTY.id, HEAD.id, NINE, NINE + timedelta(days=3), "A course."),),
)
SUBMITTED = AccessRequest(1, 1, State.SUBMITTED, TEACHER.id, TEACHER.roles, form(), NINE)
RETURNED = replace(SUBMITTED, state=State.RETURNED, question="Which year?")
REVIEWED = step(SUBMITTED, REVIEW, LEAD, NINE, SCHOOL, 1).request
ACTIVE = step(REVIEWED, APPROVE, HEAD, NINE, SCHOOL, 2).request
OF_HEAD = replace(SUBMITTED, requester=HEAD.id, requester_roles=HEAD.roles)

# One of each action, as it would be sent.
SENT: dict[type[Action], Action] = {
    AskBack: AskBack("Which year?"),
    Answer: Answer("Year 4."),
    Suggest: REVIEW,
    Notify: Notify(),
    Approve: APPROVE,
    Decline: DECLINE,
    Withdraw: Withdraw(),
    Revoke: Revoke("Over."),
}
DECIDES = {Approve, Decline, AskBack}


@pytest.mark.parametrize(
    ("request_", "actor", "want"),
    [
        (SUBMITTED, TEACHER, {Withdraw}),
        (RETURNED, TEACHER, {Withdraw, Answer}),
        (SUBMITTED, LEAD, {Suggest, AskBack}),
        (REVIEWED, LEAD, {AskBack}),
        (SUBMITTED, HEAD, DECIDES),
        (REVIEWED, HEAD, DECIDES),
        (RETURNED, HEAD, set()),
        (OF_HEAD, HEAD, {Withdraw}),
        (OF_HEAD, CHAIR, DECIDES),
        (SUBMITTED, CHAIR, set()),
        (SUBMITTED, DEPUTY, set()),
        (ACTIVE, HEAD, {Revoke}),
        (ACTIVE, TECHNICIAN, {Revoke}),
        (ACTIVE, TEACHER, set()),
        (SUBMITTED, OTHER_TEACHER, set()),
        (SUBMITTED, NOBODY, set()),
    ],
)
def test_each_is_offered_what_is_theirs(
    request_: AccessRequest, actor: Actor, want: set[Any]
) -> None:
    assert offered(request_, actor, NINE, SCHOOL).actions == want


def test_who_approves_for_somebody_absent_waits_for_the_review() -> None:
    assert offered(SUBMITTED, DEPUTY, NINE, ABSENT).actions == DECIDES - {Approve}
    found = offered(REVIEWED, DEPUTY, NINE, ABSENT)
    assert found.actions == DECIDES
    assert found.role is Role.DEPUTY


def test_a_notification_is_offered_until_it_is_confirmed() -> None:
    assert Notify in offered(SUBMITTED, SLT, NINE, NOTIFIED).actions
    confirmed = step(SUBMITTED, Notify(), SLT, NINE, NOTIFIED, 1).request
    assert Notify not in offered(confirmed, SLT, NINE, NOTIFIED).actions
    assert Notify not in offered(SUBMITTED, SLT, NINE, SCHOOL).actions


@pytest.mark.parametrize("request_", [SUBMITTED, RETURNED, REVIEWED, ACTIVE, OF_HEAD])
@pytest.mark.parametrize("school", [SCHOOL, NOTIFIED, ABSENT])
def test_what_the_workflow_takes_is_offered(request_: AccessRequest, school: Arrangements) -> None:
    everybody = (TEACHER, OTHER_TEACHER, LEAD, HEAD, DEPUTY, SLT, TECHNICIAN, CHAIR, NOBODY)
    for actor in everybody:
        found = offered(request_, actor, NINE, school).actions
        for kind, action in SENT.items():
            try:
                step(request_, action, actor, NINE, school, request_.version)
            except RefusedError:
                continue
            assert kind in found, (kind, actor)
