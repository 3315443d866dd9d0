"""Whoever a request waits for is told again, once a day and no more."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine

from schoolgate.core.approvals import Action, Actor, AskBack, Revoke, Withdraw
from schoolgate.services.approvals import Approvals
from schoolgate.services.reminding import (
    BEFORE_END,
    ENDS_SOON,
    remind,
    remind_of_ends,
    remind_to_sign,
)
from schoolgate.storage import ApprovalStore, Outbox
from tests.services.requested import (
    APPROVE,
    HEAD,
    LEAD,
    NINE,
    NOBODY,
    REVIEW,
    ROLES,
    TEACHER,
    form,
    scope,
)

DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("actions", "asker", "audience", "words"),
    [
        ([], TEACHER, "role:online-safety-lead", "your review"),
        ([(REVIEW, LEAD)], TEACHER, "role:headteacher", "your decision"),
        ([(REVIEW, LEAD)], HEAD, "role:chair-of-governors", "your decision"),
        ([(AskBack("Why?"), LEAD)], TEACHER, "account:teacher", "A question"),
    ],
)
def test_who_must_act_is_told_once_a_day(
    service: Approvals,
    database: Engine,
    actions: list[tuple[Action, Actor]],
    asker: Actor,
    audience: str,
    words: str,
) -> None:
    request = service.submit(form(), asker, NINE)
    for action, actor in actions:
        request = service.act(request.id, request.version, action, actor, NINE)
    store = ApprovalStore(database)
    times = (NINE, NINE + DAY / 2, NINE + DAY, NINE + DAY * 3 / 2, NINE + 2 * DAY)
    assert [remind(store, ROLES, now) for now in times] == [0, 0, 1, 0, 1]
    waiting, _ = Outbox(database).unsent()[-1]
    assert (waiting.audience, waiting.about) == (audience, f"request:{request.id}")
    assert words in waiting.subject


@pytest.mark.parametrize(("action", "actor"), [(APPROVE, HEAD), (Withdraw(), TEACHER)])
def test_of_what_waits_for_nobody_nobody_is_told(
    service: Approvals, database: Engine, action: Action, actor: Actor
) -> None:
    request = service.submit(form(), TEACHER, NINE)
    service.act(request.id, 1, action, actor, NINE)
    assert remind(ApprovalStore(database), ROLES, NINE + DAY) == 0


def test_of_what_is_over_nobody_is_told(service: Approvals, database: Engine) -> None:
    service.submit(form(), TEACHER, NINE)
    assert remind(ApprovalStore(database), ROLES, NINE + 14 * DAY) == 0


def test_who_has_not_signed_is_told_once_a_week(database: Engine) -> None:
    store = ApprovalStore(database)
    both = ["ann@hill.example", "ben@hill.example"]
    told = [
        remind_to_sign(store, missing, NINE + days * DAY)
        for days, missing in ((0, both[:1]), (1, both), (6, both), (7, both), (8, both), (15, []))
    ]
    assert told == [1, 1, 0, 1, 1, 0]
    waiting = [one for one, _ in Outbox(database).unsent()]
    assert {one.audience for one in waiting} == {f"account:{one}" for one in both}


def ends_told(database: Engine) -> list[str]:
    return [mail.audience for mail, _ in Outbox(database).unsent() if mail.subject == ENDS_SOON]


def test_who_asked_is_told_once_that_it_ends(service: Approvals, database: Engine) -> None:
    request = service.submit(form(), TEACHER, NINE)
    service.act(request.id, 1, APPROVE, HEAD, NINE)
    store, soon = ApprovalStore(database), NINE + 14 * DAY - BEFORE_END
    times = (NINE, soon - DAY, soon, soon, soon + DAY, NINE + 14 * DAY)
    assert [remind_of_ends(store, now) for now in times] == [0, 0, 1, 0, 0, 0]
    assert ends_told(database) == ["account:teacher"]
    [mail] = [mail for mail, _ in Outbox(database).unsent() if mail.subject == ENDS_SOON]
    assert mail.about == f"request:{request.id}"


def test_of_what_is_asked_for_again_or_was_closed_nobody_is_told_that_it_ends(
    service: Approvals, database: Engine
) -> None:
    soon = NINE + 13 * DAY
    for _ in range(3):
        request = service.submit(form(), TEACHER, NINE)
        service.act(request.id, 1, APPROVE, HEAD, NINE)
    renewal = service.submit(form(scope(ends=soon + 9 * DAY)), TEACHER, soon - DAY, renews=1)
    service.act(2, 2, Revoke("Over."), HEAD, NINE)
    assert remind_of_ends(ApprovalStore(database), soon) == 1
    # A renewal that is withdrawn leaves it as it was.
    service.act(renewal.id, 1, Withdraw(), TEACHER, soon)
    assert remind_of_ends(ApprovalStore(database), soon) == 1
    assert ends_told(database) == ["account:teacher"] * 2


def test_of_what_was_short_or_nobodys_nobody_is_told_that_it_ends(
    service: Approvals, database: Engine
) -> None:
    request = service.submit(form(scope(ends=NINE + 5 * DAY)), TEACHER, NINE)
    service.act(request.id, 1, APPROVE, HEAD, NINE)
    request = service.submit(form(), NOBODY, NINE)
    service.act(request.id, 1, REVIEW, LEAD, NINE)
    service.act(request.id, 2, APPROVE, HEAD, NINE)
    for day in range(14):
        assert remind_of_ends(ApprovalStore(database), NINE + day * DAY) == 0
