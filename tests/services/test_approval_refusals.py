"""What is refused of a request is said and changes nothing; what the clauses ask for first is asked for."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from schoolgate.core.approvals import (
    AccessRequest,
    Action,
    Actor,
    Answer,
    Approve,
    AskBack,
    Notify,
    State,
    Subject,
    Withdraw,
)
from schoolgate.core.errors import RefusedError
from schoolgate.core.locked import LockedLists
from schoolgate.services.approvals import Approvals
from schoolgate.services.scopes import Extent, scope_of
from schoolgate.storage import ApprovalStore, AuditTrail
from tests.core.locked.test_lists import locked
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
    PEOPLE,
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
