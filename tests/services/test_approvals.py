"""From the form to the grant: who may do what, and what is kept of it, all or nothing."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select

from schoolgate.core.approvals import (
    AccessRequest,
    Action,
    Actor,
    Answer,
    Approve,
    AskBack,
    Notify,
    ReportState,
    Revoke,
    Role,
    State,
    Subject,
    Withdraw,
)
from schoolgate.core.clients import Client
from schoolgate.core.errors import RefusedError
from schoolgate.core.locked import LockedLists
from schoolgate.core.policy import Reason, Verdict
from schoolgate.services.approvals import Approvals
from schoolgate.services.scopes import Extent, scope_of
from schoolgate.storage import ApprovalStore, AuditTrail, DecisionStore, schema
from schoolgate.storage.connections import reading
from tests.core.locked.test_lists import locked
from tests.core.policy.example import ask
from tests.services.requested import (
    APPROVE,
    CHAIR,
    DECLINE,
    DEPUTY,
    FORTNIGHT,
    HEAD,
    LEAD,
    NINE,
    NOBODY,
    OTHER_TEACHER,
    PEOPLE,
    REVIEW,
    SLT,
    TEACHER,
    TECHNICIAN,
    approvals,
    form,
    school,
    scope,
)

MINUTE = timedelta(minutes=1)
REVOKE = Revoke("The lesson is over.")


def submitted(service: Approvals, actor: Actor = TEACHER, **changes: Any) -> AccessRequest:
    return service.submit(form(**changes), actor, NINE)


def approved(service: Approvals, actor: Actor = TEACHER, **changes: Any) -> AccessRequest:
    request = reviewed(service, actor, **changes)
    return service.act(request.id, request.version, APPROVE, HEAD, NINE)


def reviewed(service: Approvals, actor: Actor = TEACHER, **changes: Any) -> AccessRequest:
    request = submitted(service, actor, **changes)
    return service.act(request.id, request.version, REVIEW, LEAD, NINE)


def mails(database: Engine) -> list[tuple[str, str]]:
    with reading(database) as connection:
        query = select(schema.outbox).order_by(schema.outbox.c.id)
        return [(row.audience, row.subject) for row in connection.execute(query)]


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


AS: dict[str, Callable[[Approvals], AccessRequest]] = {
    "submitted": submitted,
    "reviewed": reviewed,
    "approved": approved,
    "of the head": lambda service: reviewed(service, HEAD),
    "of nobody": lambda service: submitted(service, NOBODY),
    "of nobody, reviewed": lambda service: reviewed(service, NOBODY),
    "around the filter": lambda service: reviewed(service, asked=scope("https://tunnel.example")),
    "pupils on a network": lambda service: reviewed(
        service,
        asked=scope("https://friends.example", subject="group:year-4"),
        minimum_age=9,
        parents_informed=True,
    ),
    "staff on wifi": lambda service: submitted(service, asked=scope("https://friends.example")),
    "returned": lambda service: service.act(
        submitted(service).id, 1, AskBack("Which class?"), LEAD, NINE
    ),
}
WIDER = replace(APPROVE, scope=scope(subject="everyone"))


@pytest.mark.parametrize(
    ("case", "action", "actor", "want"),
    [
        ("submitted", REVIEW, TEACHER, "your own request"),
        ("submitted", REVIEW, OTHER_TEACHER, "there is no request 1"),
        ("submitted", REVIEW, TECHNICIAN, "reviewed by the online safety lead"),
        ("reviewed", APPROVE, LEAD, "that is for the headteacher to decide"),
        ("reviewed", APPROVE, TECHNICIAN, "that is for the headteacher to decide"),
        ("reviewed", APPROVE, CHAIR, "that is for the headteacher to decide"),
        ("reviewed", APPROVE, DEPUTY, "who has not delegated it to you"),
        ("reviewed", APPROVE, NOBODY, "there is no request"),
        ("reviewed", REVIEW, LEAD, "this request is reviewed"),
        ("reviewed", Withdraw(), LEAD, "for the person who asked"),
        ("reviewed", REVOKE, HEAD, "this request is reviewed"),
        ("reviewed", Notify(), TECHNICIAN, "no clause of the policy asks"),
        ("reviewed", Approve("", "T. Head"), HEAD, "give your reasons"),
        ("reviewed", Approve("Fine.", " "), HEAD, "give your name as signature"),
        ("reviewed", Approve("Fine.\0", "T. Head"), HEAD, "text alone"),
        ("reviewed", Approve("Fine.", "T.\u202eHead"), HEAD, "text alone"),
        ("reviewed", Approve("x" * 4001, "T. Head"), HEAD, "4000 characters"),
        ("reviewed", WIDER, HEAD, "for everyone instead of group:staff"),
        ("approved", APPROVE, HEAD, "this request is active"),
        ("approved", DECLINE, HEAD, "this request is active"),
        ("approved", Withdraw(), TEACHER, "this request is active"),
        ("approved", REVOKE, OTHER_TEACHER, "there is no request"),
        ("returned", APPROVE, HEAD, "this request is returned"),
        ("returned", Answer("4B"), OTHER_TEACHER, "there is no request"),
        ("of the head", APPROVE, HEAD, "your own request"),
        ("of the head", APPROVE, DEPUTY, "for the chair of governors"),
        ("of nobody", APPROVE, HEAD, "it must be reviewed first"),
        ("around the filter", APPROVE, DEPUTY, "the headteacher alone"),
        ("pupils on a network", APPROVE, HEAD, "the technician or the slt (K-2-notify)"),
        ("pupils on a network", Notify(), LEAD, "the technician or the slt to confirm"),
        ("staff on wifi", APPROVE, HEAD, "controls are in place (T-5-wifi)"),
    ],
)
def test_what_is_refused_is_said_in_a_sentence_and_changes_nothing(
    service: Approvals, database: Engine, case: str, action: Action, actor: Actor, want: str
) -> None:
    request = AS[case](service)
    before = service.request(request.id, HEAD), mails(database), AuditTrail(database).verify()
    with pytest.raises(RefusedError) as refusal:
        service.act(request.id, request.version, action, actor, NINE)
    assert want in str(refusal.value)
    after = service.request(request.id, HEAD), mails(database), AuditTrail(database).verify()
    assert after == before


@pytest.mark.parametrize(
    ("changes", "want"),
    [
        ({"reasons": " "}, "give your reasons"),
        ({"site_content": "x" * 1_000_000}, "4000 characters, not 1000000"),
        ({"staff_name": "A\nB"}, "text alone"),
        ({"asked": scope("https://vile.example")}, "vile.example is locked"),
        ({"asked": scope(ends=NINE + timedelta(days=500))}, "400 days at most"),
        ({"asked": scope(ends=NINE)}, "the end must lie after the start"),
        ({"asked": scope(subject="group:year-4")}, "minimum age"),
        ({"pupils_meant": True}, "(W-6.2.1-age)"),
        ({"pupils_meant": True, "minimum_age": 9}, "inform their parents"),
        ({"minimum_age": 99}, "99 is no minimum age"),
    ],
)
def test_a_form_that_is_not_taken(service: Approvals, changes: dict[str, Any], want: str) -> None:
    with pytest.raises(RefusedError) as refusal:
        submitted(service, **changes)
    assert want in str(refusal.value)
    assert service.requests(HEAD) == []


@pytest.mark.parametrize(
    ("url", "extent", "more", "want"),
    [
        ("co.uk", Extent.DOMAIN, {}, "no single site"),
        ("javascript:alert(1)", Extent.PAGE, {}, "not the address of a web page"),
        ("https://games.example/" + "x" * 5000, Extent.PAGE, {}, "4096 characters"),
        ("https://games.example", Extent.HOST, {"subject": "group:none"}, "no group 'none'"),
        ("https://games.example", Extent.HOST, {"periods": ["tea"]}, "no period 'tea'"),
        ("https://games.example", Extent.HOST, {"networks": ["lan"]}, "no network 'lan'"),
        ("https://games.example", Extent.HOST, {"subject": "device:x"}, "no device 'x'"),
    ],
)
def test_what_cannot_be_asked_for(
    url: str, extent: Extent, more: dict[str, Any], want: str
) -> None:
    with pytest.raises(RefusedError, match=want):
        scope(url, extent, **more)


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


def test_pupils_social_media_waits_for_the_notification(service: Approvals) -> None:
    request = AS["pupils on a network"](service)
    assert service.waiting_for(SLT, NINE) == service.waiting_for(TECHNICIAN, NINE) == [request]
    request = service.act(request.id, request.version, Notify(), SLT, NINE)
    assert request.notification is not None
    assert service.waiting_for(SLT, NINE) == []
    assert service.act(request.id, request.version, APPROVE, HEAD, NINE).state is State.APPROVED


@pytest.mark.parametrize(("networks", "in_place", "want"), [
    (["wifi"], True, None), (["wifi"], False, "T-5-wifi"), ([], False, "T-5-wifi"),
    (["wired"], False, None),
])  # fmt: skip
def test_personal_accounts_on_wifi_take_both_steps(
    service: Approvals, networks: list[str], in_place: bool, want: str | None
) -> None:
    request = submitted(service, asked=scope("https://friends.example", networks=networks))
    review = replace(REVIEW, controls_in_place=in_place)
    request = service.act(request.id, request.version, review, LEAD, NINE)
    if want:
        with pytest.raises(RefusedError, match=want):
            service.act(request.id, request.version, APPROVE, HEAD, NINE)
    else:
        service.act(request.id, request.version, APPROVE, HEAD, NINE)


def test_more_than_was_asked_for_is_opened_when_it_is_said_and_kept(service: Approvals) -> None:
    request = reviewed(service)
    wider = replace(WIDER, wider_because="All classes use it.")
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


def test_a_reported_site_is_blocked_at_once_by_the_lead_and_once(
    service: Approvals, database: Engine
) -> None:
    report = service.report_site("https://new.example/a", "It is vile.", TEACHER, NINE)
    with pytest.raises(RefusedError, match="blocked by the online safety lead"):
        service.handle_report(report.id, ReportState.BLOCKED, "Vile.", TEACHER, NINE)
    service.handle_report(report.id, ReportState.BLOCKED, "Vile.", LEAD, NINE)
    with pytest.raises(RefusedError, match="handled already: blocked"):
        service.handle_report(report.id, ReportState.DISMISSED, "Not vile.", LEAD, NINE)
    store = DecisionStore(database)
    rules = school().with_overlay(store.overlay(NINE))
    decision = rules.decide(ask("https://www.new.example/b"), NINE)
    assert (decision.verdict, decision.reason, decision.rule) == (
        Verdict.BLOCK, Reason.LOCAL_BLOCK, "site-block",
    )  # fmt: skip
    assert rules.decide_host("new.example", Client("10.0.0.7", "pupils"), NINE).decision is decision
    [block] = store.overlay(NINE).blocks
    with pytest.raises(RefusedError, match="give a reason"):
        service.unblock(block.id, " ", LEAD, NINE)
    assert [one.lifted_at for one in service.blocks(LEAD)] == [None]
    service.unblock(block.id, "Another site.", LEAD, NINE)
    [lifted] = service.blocks(LEAD)
    assert (lifted.report, lifted.lifted_at, lifted.lifted_because) == (
        report.id, NINE, "Another site.",
    )  # fmt: skip
    assert service.blocks(TEACHER) == [lifted]
    assert service.blocks(OTHER_TEACHER) == []
    assert store.overlay(NINE).blocks == ()
    assert service.reports(OTHER_TEACHER) == []
    assert [r.state for r in service.reports(LEAD)] == [ReportState.BLOCKED]


def test_a_help_line_is_not_blocked_by_one_step(service: Approvals, database: Engine) -> None:
    report = service.report_site("https://help.example", "I do not like it.", TEACHER, NINE)
    with pytest.raises(RefusedError, match=r"always reachable by the policy \(C-2\)"):
        service.handle_report(report.id, ReportState.BLOCKED, "Why not.", LEAD, NINE)
    assert DecisionStore(database).overlay(NINE).blocks == ()
    service.handle_report(report.id, ReportState.DISMISSED, "It helps.", LEAD, NINE)


def test_an_accident_is_recorded_and_told_to_who_must_know(
    service: Approvals, database: Engine
) -> None:
    made = service.record_accident("https://games.example/x", "", "client:10.0.0.7", NINE)
    assert service.accidents(NINE, HEAD) == [made]
    assert mails(database) == [("role:dsl", "Somebody came upon a blocked site by accident")]
    with pytest.raises(RefusedError, match="who receives incidents"):
        service.accidents(NINE, TEACHER)


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


def test_of_what_a_locked_list_names_nothing_is_asked_approved_or_kept(
    database: Engine,
) -> None:
    """Neither is what was asked for before the list had it."""
    store = ApprovalStore(database)
    url = "https://games.example/play?level=Two"
    asked_before = form(scope(url, Extent.PAGE), url=url)
    request = approvals(store).submit(asked_before, TEACHER, NINE)
    lists = LockedLists((locked(url),))
    service = approvals(store, school().with_locked(lists))
    said = "^games.example is locked there: nobody here can open it$"
    with pytest.raises(RefusedError, match=said):
        service.submit(asked_before, TEACHER, NINE)
    with pytest.raises(RefusedError, match=said):
        service.act(request.id, 1, Approve("Fine.", "A. Head"), HEAD, NINE)
    with pytest.raises(RefusedError, match=said):
        scope_of(
            school().with_locked(lists), PEOPLE, url, Extent.PAGE, Subject.parse("everyone"), NINE
        )
    for made in (
        service.report_site(url, "It is vile.", TEACHER, NINE),
        service.record_accident(url, "", "client:10.0.0.7", NINE),
    ):
        assert (made.url, made.host) == ("https://games.example", "games.example")
    assert "level" not in str(AuditTrail(database).told(limit=2))
