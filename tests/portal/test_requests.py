"""One's own requests: who sees which, an answer with the form corrected, withdrawal, an older page."""

from collections.abc import Callable
from typing import Any

import pytest

from schoolgate.core.approvals import Actor, AskBack, Role, State
from schoolgate.portal.house import House
from tests.portal.asking import Asking, read
from tests.portal.requested import FORM, asked, stands_in

type Somebody = Callable[..., Any]
HEAD = Actor("head@hill.example", frozenset({Role.HEADTEACHER}))


def only_request(here: House) -> Any:
    [request] = here.approvals.requests(HEAD)
    return request


def ask_back(here: House) -> None:
    request = only_request(here)
    here.approvals.act(request.id, request.version, AskBack("Which year?"), HEAD, here.now())


@pytest.mark.parametrize(
    ("role", "sees"),
    [
        (Role.TEACHER, False),
        (Role.STAFF, False),
        (Role.GOVERNOR, False),
        (Role.ONLINE_SAFETY_LEAD, True),
        (Role.HEADTEACHER, True),
        (Role.DEPUTY, True),
        (Role.TECHNICIAN, True),
        (Role.CHAIR_OF_GOVERNORS, True),
    ],
)
def test_others_see_a_request_where_they_have_to_do_with_it(
    here: House, somebody: Somebody, role: Role, sees: bool
) -> None:
    path = asked(Asking(somebody(Role.TEACHER)))
    other = Asking(somebody(role, email="other@hill.example"))
    assert other.get(path).status_code == (200 if sees else 404)
    assert ("games.example" in stands_in(other, "/requests/")) is sees
    for step in ("withdraw", "answer", "notify"):
        assert other.post(f"{path}{step}/", version="1").status_code == (409 if sees else 404)
    assert only_request(here).version == 1


def test_there_are_no_others(here: House, somebody: Somebody) -> None:
    browser = Asking(somebody(*Role))
    for number in ("0", "2", "9" * 30):
        assert browser.get(f"/requests/{number}/").status_code == 404


def test_a_question_is_answered_with_the_form_corrected(here: House, somebody: Somebody) -> None:
    browser = Asking(somebody(Role.TEACHER))
    path = asked(browser)
    ask_back(here)
    assert "Which year?" in stands_in(browser, f"{path}answer/")
    fields = FORM | {"answer": "Year 4.", "reasons": "Times tables of year 4.", "version": "2"}
    assert read(browser.post(f"{path}answer/", **(fields | {"answer": ""}))).title[:5] == "Error"
    assert browser.post(f"{path}answer/", **fields)["location"] == path
    request = only_request(here)
    assert (request.state, request.answer) == (State.SUBMITTED, "Year 4.")
    assert request.form.reasons == "Times tables of year 4."
    assert browser.get(f"{path}answer/").status_code == 409


def test_a_request_is_withdrawn_by_who_asked(here: House, somebody: Somebody) -> None:
    browser = Asking(somebody(Role.TEACHER))
    path = asked(browser)
    assert browser.get(f"{path}withdraw/").status_code == 405
    answer = browser.post(f"{path}withdraw/", version="7")
    assert "somebody else has changed this request" in answer.content.decode().lower()
    assert browser.post(f"{path}withdraw/", version="1").status_code == 302
    assert only_request(here).state is State.WITHDRAWN
    assert "Withdraw the request" not in stands_in(browser, path)


def test_the_list_can_be_that_of_one_host(here: House, somebody: Somebody) -> None:
    browser = Asking(somebody(Role.TEACHER))
    asked(browser)
    assert "games.example" in stands_in(browser, "/requests/?site=games.example")
    assert "You have not asked" in stands_in(browser, "/requests/?site=other.example")
