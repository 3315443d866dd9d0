"""What waits, the review and the signed decision, by the pages alone; refusals are sentences there."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from schoolgate.core.approvals import Actor, Role, State
from schoolgate.portal.house import House
from tests.portal.asking import PASSWORD, Asking, read
from tests.portal.requested import DECISION, REVIEW, asked, signed, stands_in

type Somebody = Callable[..., Any]
LEAD = Actor("lead@hill.example", frozenset({Role.ONLINE_SAFETY_LEAD}))


@pytest.fixture
def teacher(somebody: Somebody) -> Asking:
    return Asking(somebody(Role.TEACHER))


@pytest.fixture
def lead(somebody: Somebody) -> Asking:
    return Asking(somebody(Role.ONLINE_SAFETY_LEAD, email=LEAD.id))


@pytest.fixture
def head(somebody: Somebody) -> Asking:
    return Asking(somebody(Role.HEADTEACHER, email="head@hill.example"))


def only_request(here: House) -> Any:
    [request] = here.approvals.requests(LEAD)
    return request


def test_from_the_form_to_the_grant(
    here: House, teacher: Asking, lead: Asking, head: Asking
) -> None:
    path = asked(teacher)
    assert "games.example" in stands_in(lead, "/waiting/")
    page = stands_in(lead, f"{path}review/")
    assert "What would open: games.example" in page
    assert "games.example (games): opens" in page
    assert lead.post(f"{path}review/", version="1", **REVIEW)["location"] == path
    assert "Nothing waits for you" in stands_in(lead, "/waiting/")
    assert path in stands_in(head, "/waiting/")
    answer = signed(head, f"{path}approve/", version="2", **DECISION)
    assert answer["location"] == path
    request = only_request(here)
    assert request.state is State.APPROVED
    decision = request.decision
    assert (decision.role, decision.signature, decision.wider) == (
        Role.HEADTEACHER, "sam  body", ()
    )  # fmt: skip
    assert not decision.before_review
    [grant] = here.decisions.grants(here.now())
    assert (grant.entry.text, grant.request) == ("games.example", request.id)
    text = stands_in(teacher, path)
    for shown in ("active", "It is for the lesson.", "sam  body", "A teacher watches."):
        assert shown in text


def test_a_decision_asks_for_the_password_again_and_keeps_what_was_typed(
    here: House, teacher: Asking, head: Asking
) -> None:
    path = asked(teacher)
    answer = head.post(f"{path}approve/", version="1", **DECISION)
    assert answer["location"].startswith("/account/again/?next=")
    assert only_request(here).state is State.SUBMITTED
    again = answer["location"]
    assert read(head.post(again, password="wrong")).title.startswith("Error: ")
    assert only_request(here).state is State.SUBMITTED
    assert head.post(again, password=PASSWORD)["location"] == path
    request = only_request(here)
    assert request.state is State.APPROVED
    assert request.decision.before_review
    assert here.decisions.grants(here.now()) != []


def test_a_decision_against_is_signed_too(here: House, teacher: Asking, head: Asking) -> None:
    path = asked(teacher)
    wrong = {"version": "1", "reasons": "Not for lessons.", "signature": "Somebody Else"}
    answer = head.post(f"{path}decline/", **wrong)
    assert "not the name of your account" in answer.content.decode()
    answer = signed(head, f"{path}decline/", **(wrong | {"signature": "Sam Body"}))
    assert answer["location"] == path
    assert only_request(here).state is State.DECLINED
    assert head.get(f"{path}decline/").status_code == 409


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"signature": ""}, "required"),
        ({"signature": "T. Head"}, "not the name of your account"),
        ({"reasons": ""}, "required"),
        ({"subject": "everyone"}, "opens more than was asked for"),
        ({"until": "2027-06-01"}, "until a later time"),
        ({"until": "2028-06-01"}, "400 days at most"),
        ({"until": "2026-11-20"}, "the end must lie after the start"),
        ({"until": "soon"}, "valid date"),
        ({"until": "9999-12-31"}, "400 days at most"),
        ({"until": "0001-01-01"}, "the end must lie after the start"),
        ({"subject": "group:nobody"}, "valid choice"),
        ({"extent": "all"}, "valid choice"),
        ({"version": "7"}, "somebody else has changed this request"),
        ({"version": ""}, "required"),
    ],
)
def test_what_is_refused_is_said_on_the_page(
    here: House, teacher: Asking, head: Asking, changed: dict[str, str], problem: str
) -> None:
    path = asked(teacher)
    answer = signed(head, f"{path}approve/", **({"version": "1"} | DECISION | changed))
    assert answer.status_code == 200
    assert read(answer).title.startswith("Error: ")
    assert problem.casefold() in answer.content.decode().casefold()
    assert only_request(here).state is State.SUBMITTED
    assert here.decisions.grants(here.now()) == []


def test_less_is_opened_than_was_asked_for_and_more_with_a_reason(
    here: House, teacher: Asking, head: Asking
) -> None:
    path = asked(teacher)
    less = {"extent": "page", "subject": "group:staff", "until": "2026-11-25"}
    answer = signed(
        head, f"{path}approve/", version="1", wider_because="The staff need it.",
        **(DECISION | less),
    )  # fmt: skip
    assert answer["location"] == path
    request = only_request(here)
    assert request.scope.site == "games.example/play?x=1"
    assert request.scope.ends.isoformat() == "2026-11-26T00:00:00+00:00"
    assert request.decision.wider == ("for group:staff instead of group:pupils",)
    assert "The staff need it." in stands_in(teacher, path)


def test_looking_at_what_would_open_decides_nothing(
    here: House, teacher: Asking, head: Asking
) -> None:
    path = asked(teacher)
    answer = head.post(
        f"{path}approve/", preview="yes", version="1",
        **(DECISION | {"extent": "page", "signature": "", "subject": "everyone"}),
    )  # fmt: skip
    text = answer.content.decode()
    assert "What would open: games.example/play?x=1" in text
    assert "gets it too: staff" in text
    assert only_request(here).state is State.SUBMITTED


def test_nobody_decides_on_their_own_request(here: House, head: Asking, somebody: Somebody) -> None:
    path = asked(head)
    for step in ("approve", "decline", "review", "question"):
        assert head.get(f"{path}{step}/").status_code in (403, 409)
    chair = Asking(somebody(Role.CHAIR_OF_GOVERNORS, email="chair@hill.example"))
    assert path in stands_in(chair, "/waiting/")
    assert signed(chair, f"{path}approve/", version="1", **DECISION)["location"] == path
    assert only_request(here).decision.role is Role.CHAIR_OF_GOVERNORS


@pytest.mark.parametrize(
    "role", [r for r in Role if r not in (Role.HEADTEACHER, Role.CHAIR_OF_GOVERNORS)]
)
def test_nobody_else_decides(here: House, teacher: Asking, somebody: Somebody, role: Role) -> None:
    path = asked(teacher)
    other = Asking(somebody(role, email="other@hill.example"))
    for step in ("approve", "decline"):
        answer = signed(other, f"{path}{step}/", version="1", **DECISION)
        assert answer.status_code in (403, 404, 409)
    assert only_request(here).state is State.SUBMITTED


def test_a_question_goes_back_and_comes_again(here: House, teacher: Asking, lead: Asking) -> None:
    path = asked(teacher)
    lead.post(f"{path}question/", version="1", question="Which year?")
    assert only_request(here).state is State.RETURNED
    assert re.search(rf'href="{path}answer/"', stands_in(teacher, path))
    assert lead.get(f"{path}review/").status_code == 409


def test_who_reviewed_on_an_older_page_is_told(here: House, teacher: Asking, lead: Asking) -> None:
    path = asked(teacher)
    lead.post(f"{path}review/", version="1", **REVIEW)
    assert lead.post(f"{path}review/", version="1", **REVIEW).status_code == 409
    assert only_request(here).version == 2


def test_what_was_opened_is_closed_again(
    here: House, teacher: Asking, head: Asking, lead: Asking
) -> None:
    path = asked(teacher)
    signed(head, f"{path}approve/", version="1", **DECISION)
    assert read(lead.post(f"{path}revoke/", version="2", reason="")).title[:5] == "Error"
    lead.post(f"{path}revoke/", version="2", reason="The lesson is over.")
    assert only_request(here).state is State.REVOKED
    assert here.decisions.grants(here.now()) == []
    assert "The lesson is over." in stands_in(teacher, path)


def test_no_page_of_a_request_changes_anything_by_looking(
    here: House, teacher: Asking, lead: Asking, head: Asking
) -> None:
    path = asked(teacher)
    for browser in (teacher, lead, head):
        for step in ("", "review/", "question/", "approve/", "decline/", "revoke/", "answer/"):
            answer = browser.get(path + step)
            assert answer.status_code in (200, 403, 409), step
            assert len(read(answer).headings) == 1
            page = read(answer)
            assert page.labelled >= {field["id"] for field in page.inputs if "id" in field}
    assert only_request(here).version == 1
