"""From the form to the grant: who decides, and what is kept of it, all or nothing."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Engine

from schoolgate.core.approvals import (
    Actor,
    Answer,
    AskBack,
    Role,
    State,
    Subject,
)
from schoolgate.core.clients import Client
from schoolgate.core.errors import RefusedError
from schoolgate.core.policy import Reason, Verdict
from schoolgate.services.approvals import Approvals
from schoolgate.services.scopes import Extent
from schoolgate.storage import ApprovalStore, AuditTrail, DecisionStore
from tests.core.policy.example import ask
from tests.services.requested import (
    APPROVE,
    CHAIR,
    DEPUTY,
    FORTNIGHT,
    HEAD,
    LEAD,
    MINUTE,
    NINE,
    NOBODY,
    OTHER_TEACHER,
    REVIEW,
    REVOKE,
    SLT,
    TEACHER,
    TECHNICIAN,
    approvals,
    approved,
    form,
    mails,
    reviewed,
    school,
    scope,
    submitted,
)


def test_a_request_goes_from_the_form_to_the_grant_and_back(
    service: Approvals, database: Engine
) -> None:
    store = DecisionStore(database)
    request = approved(service)
    [grant] = store.grants(NINE)
    assert (grant.request, grant.decided_by, grant.reason) == (
        request.id,
        Role.HEADTEACHER,
        "Times tables.",
    )
    assert (grant.entry.text, grant.starts, grant.ends) == ("games.example", NINE, NINE + FORTNIGHT)
    assert request.state_at(NINE) is State.ACTIVE
    assert request.state_at(NINE + FORTNIGHT) is State.EXPIRED
    assert store.overlay(NINE).version == 1
    revoked = service.act(request.id, request.version, REVOKE, TECHNICIAN, NINE + MINUTE)
    assert revoked.state is State.REVOKED
    assert store.grants(NINE + MINUTE) == []
    assert store.overlay(NINE).version == 2
    lines = service.history(request.id, HEAD)
    assert [(line.action, line.actor, line.role, line.after) for line in lines] == [
        ("submitted", "teacher", None, "submitted"),
        ("reviewed", "lead", "online-safety-lead", "reviewed"),
        ("approved", "head", "headteacher", "approved"),
        ("revoked", "technician", "technician", "revoked"),
    ]
    assert mails(database) == [
        ("role:online-safety-lead", "A site is asked for"),
        ("role:headteacher", "A request waits for your decision"),
        ("account:teacher", "Your request is approved"),
        ("role:online-safety-lead", "A request was approved"),
        ("account:teacher", "A site that you asked for is closed again"),
    ]
    trail = AuditTrail(database)
    assert (trail.verify().entries, trail.verify().fault) == (4, None)


def test_what_is_kept_of_a_request_is_what_was_given(service: Approvals) -> None:
    page = scope("https://games.example/play?level=2", Extent.PAGE, periods=["lessons"])
    request = approved(service, asked=page, pupils_meant=False)
    assert service.request(request.id, TEACHER) == request
    assert request.scope.page == "/play?level=2"
    assert request.decision is not None
    assert request.decision.review_on == (NINE + FORTNIGHT).date()


def test_the_grant_opens_for_whom_and_what_was_approved(
    service: Approvals, database: Engine
) -> None:
    approved(service, asked=scope("https://games.example/play?level=2", Extent.PAGE))
    rules = school().with_overlay(DecisionStore(database).overlay(NINE))
    staff, pupil = Client("10.0.0.8", "staff"), Client("10.0.0.7", "year-4")
    asked = [
        ("https://games.example/play?level=2", staff, Verdict.ALLOW),
        ("https://games.example/play?level=3", staff, Verdict.BLOCK),
        ("https://www.games.example/play?level=2", staff, Verdict.BLOCK),
        ("https://games.example/play?level=2", pupil, Verdict.BLOCK),
    ]
    got = [(url, client, rules.decide(ask(url, client), NINE).verdict) for url, client, _ in asked]
    assert got == asked


def test_the_headteachers_own_request_is_decided_by_the_chair(
    service: Approvals, database: Engine
) -> None:
    request = reviewed(service, HEAD)
    assert service.waiting_for(CHAIR, NINE) == [request]
    service.act(request.id, request.version, APPROVE, CHAIR, NINE)
    [grant] = DecisionStore(database).grants(NINE)
    assert grant.decided_by is Role.CHAIR_OF_GOVERNORS
    rules = school().with_overlay(DecisionStore(database).overlay(NINE))
    staff = Client("10.0.0.8", "staff")
    assert rules.decide(ask("https://games.example", staff), NINE).reason is Reason.GRANT


def test_the_headteacher_decides_before_the_review_and_that_is_recorded(service: Approvals) -> None:
    request = submitted(service)
    decided = service.act(request.id, request.version, APPROVE, HEAD, NINE)
    assert decided.decision is not None
    assert decided.decision.before_review


def test_a_delegate_decides_in_the_time_of_the_absence_and_not_what_they_reviewed(
    service: Approvals, database: Engine
) -> None:
    with pytest.raises(RefusedError, match="only who decides"):
        service.delegate(DEPUTY, NINE, NINE + FORTNIGHT, "Leave", LEAD, NINE)
    with pytest.raises(RefusedError, match="deputy may deputise"):
        service.delegate(TECHNICIAN, NINE, NINE + FORTNIGHT, "Leave", HEAD, NINE)
    made = service.delegate(DEPUTY, NINE + MINUTE, NINE + FORTNIGHT, "Leave", HEAD, NINE)
    assert service.delegations(NINE) == [made]
    urgent = submitted(service)
    with pytest.raises(RefusedError, match="waits for the review"):
        service.act(urgent.id, urgent.version, APPROVE, DEPUTY, NINE + MINUTE)
    request = reviewed(service)
    for now in (NINE, NINE + FORTNIGHT):
        with pytest.raises(RefusedError, match="has not delegated"):
            service.act(request.id, request.version, APPROVE, DEPUTY, now)
    assert service.waiting_for(DEPUTY, NINE + MINUTE) == [request]
    decided = service.act(request.id, request.version, APPROVE, DEPUTY, NINE + MINUTE)
    assert decided.decision is not None
    assert decided.decision.delegated
    own = replace(DEPUTY, roles=DEPUTY.roles | {Role.ONLINE_SAFETY_LEAD})
    other = submitted(service)
    other = service.act(other.id, other.version, REVIEW, own, NINE + MINUTE)
    with pytest.raises(RefusedError, match="you reviewed this request"):
        service.act(other.id, other.version, APPROVE, own, NINE + MINUTE)
    service.end_delegation(made.id, HEAD, NINE + 2 * MINUTE)
    with pytest.raises(RefusedError, match="has not delegated"):
        service.act(other.id, other.version, APPROVE, DEPUTY, NINE + 3 * MINUTE)


def test_more_than_was_asked_for_is_opened_when_it_is_said_and_kept(service: Approvals) -> None:
    request = reviewed(service)
    wider = replace(APPROVE, scope=scope(subject="everyone"), wider_because="All classes use it.")
    with pytest.raises(RefusedError, match="minimum age"):
        service.act(request.id, request.version, wider, HEAD, NINE)
    wider = replace(APPROVE, scope=scope(ends=NINE + 2 * FORTNIGHT), wider_because="A project.")
    decided = service.act(request.id, request.version, wider, HEAD, NINE)
    assert decided.decision is not None
    assert decided.decision.wider == ("until a later time",)
    assert decided.scope.ends == NINE + 2 * FORTNIGHT


def test_less_than_was_asked_for_needs_no_word(service: Approvals, database: Engine) -> None:
    request = reviewed(service)
    less = scope("https://games.example/play", Extent.PATH, ends=NINE + MINUTE)
    service.act(request.id, request.version, replace(APPROVE, scope=less), HEAD, NINE)
    [grant] = DecisionStore(database).grants(NINE)
    assert grant.entry.text == "=games.example/play"
    assert DecisionStore(database).grants(NINE + MINUTE) == []


def test_a_question_is_answered_and_the_request_is_reviewed_anew(service: Approvals) -> None:
    request = reviewed(service)
    request = service.act(request.id, request.version, AskBack("Which class?"), HEAD, NINE)
    assert service.waiting_for(TEACHER, NINE) == [request]
    request = service.act(request.id, request.version, Answer("4B"), TEACHER, NINE)
    assert (request.state, request.review, request.answer) == (State.SUBMITTED, None, "4B")
    assert service.waiting_for(LEAD, NINE) == service.waiting_for(HEAD, NINE) == [request]


def test_a_renewed_request_takes_the_place_of_the_old_one(
    service: Approvals, database: Engine
) -> None:
    old = approved(service)
    later = NINE + timedelta(days=13)
    asked = form(scope(now=later))
    with pytest.raises(RefusedError, match="for the person who asked"):
        service.submit(asked, OTHER_TEACHER, later, renews=old.id)
    new = service.submit(asked, TEACHER, later, renews=old.id)
    new = service.act(new.id, new.version, APPROVE, HEAD, later)
    assert service.request(old.id, HEAD).state is State.RENEWED
    assert [g.request for g in DecisionStore(database).grants(later)] == [new.id]
    service.act(new.id, new.version, REVOKE, LEAD, later)
    assert DecisionStore(database).grants(later) == []


def test_a_form_sent_twice_makes_one_request(service: Approvals) -> None:
    one, two = (service.submit(form(), TEACHER, NINE, submission="s1") for _ in range(2))
    assert one == two
    assert service.requests(HEAD) == [one]
    with pytest.raises(RefusedError, match="by somebody else"):
        service.submit(form(), OTHER_TEACHER, NINE, submission="s1")


def test_a_grant_revoked_by_its_number_shows_on_its_request(
    service: Approvals, database: Engine
) -> None:
    request = approved(service)
    [grant] = DecisionStore(database).grants(NINE)
    DecisionStore(database).revoke_grant(grant.id, NINE + MINUTE, "cli:root", "mistake")
    assert service.request(request.id, HEAD).state is State.REVOKED
    assert AuditTrail(database).verify().fault is None


def test_of_fifty_who_decide_at_once_exactly_one_wins(service: Approvals, database: Engine) -> None:
    request = reviewed(service)

    def decide(number: int) -> bool:
        head = Actor(f"head-{number}", frozenset({Role.HEADTEACHER}))
        try:
            service.act(request.id, request.version, APPROVE, head, NINE)
        except RefusedError as refusal:
            return "somebody else has changed" not in str(refusal)
        return True

    with ThreadPoolExecutor(50) as pool:
        won = sum(pool.map(decide, range(50)))
    assert won == 1
    assert len(DecisionStore(database).grants(NINE)) == 1
    assert [line.action for line in service.history(request.id, HEAD)] == [
        "submitted", "reviewed", "approved",
    ]  # fmt: skip
    assert AuditTrail(database).verify().entries == 3


def test_nobody_sees_what_others_asked_for(service: Approvals) -> None:
    request = submitted(service)
    for actor in (OTHER_TEACHER, NOBODY):
        assert service.requests(actor) == service.waiting_for(actor, NINE) == []
        for look in (service.request, service.history):
            with pytest.raises(RefusedError, match=f"there is no request {request.id}"):
                look(request.id, actor)
    for number in (0, -1, 2, 10**30):
        with pytest.raises(RefusedError, match="there is no request"):
            service.request(number, HEAD)


def test_the_clause_of_the_usual_policy_stands_in_where_it_says_nothing(database: Engine) -> None:
    plain = approvals(ApprovalStore(database), school(roles=None, requests=None))
    request = plain.submit(form(), TEACHER, NINE)
    assert plain.act(request.id, request.version, REVIEW, SLT, NINE).state is State.REVIEWED


def test_a_subject_is_known_by_its_sign_in_name() -> None:
    assert scope(subject="user:Staff-User").subject == Subject.parse("user:staff-user")
