"""The forms about a site: filled in from a ticket, sent once, refused with a sentence, kept within bounds."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from schoolgate.core.approvals import Actor, Role, State
from schoolgate.portal.house import House
from schoolgate.services.tickets import Ticket, Tickets
from tests.portal.asking import Asking, read
from tests.portal.conftest import TICKETS
from tests.portal.requested import FORM, URL, asked, stands_in
from tests.school import NOON

type Somebody = Callable[..., Any]
TICKET = Ticket(URL, "no-play", "C-1", "pupils", NOON)
OLD = Ticket(URL, "no-play", "C-1", "pupils", NOON - timedelta(days=2))
HEAD = Actor("head@hill.example", frozenset({Role.HEADTEACHER}))


def given(answer: Any) -> dict[str, str]:
    """Give what stands in the fields of one line."""
    return {field["name"]: field.get("value", "") for field in read(answer).inputs}


def test_a_ticket_fills_the_form_in(here: House, somebody: Somebody) -> None:
    browser = Asking(somebody(Role.TEACHER))
    answer = browser.get(f"/ask/?ticket={TICKETS.write(TICKET)}")
    assert (given(answer)["url"], given(answer)["staff_name"]) == (URL, "Sam Body")
    text = answer.content.decode()
    for shown in ("C-1, by the rule no-play", "23 November 2026, 12:00", "Identified risks"):
        assert shown in text
    assert re.search(r'value="group:pupils" (checked|selected)', text)


@pytest.mark.parametrize("path", ["/ask/", "/accident/", "/report/"])
@pytest.mark.parametrize(
    ("ticket", "problem"),
    [
        ("made-up.ticket", "not made by this school"),
        (Tickets(b"x" * 32).write(TICKET), "not made by this school"),
        (TICKETS.write(OLD), "more than a day old"),
    ],
)
def test_other_tickets_are_shown_as_such_and_fill_nothing_in(
    here: House, somebody: Somebody, path: str, ticket: str, problem: str
) -> None:
    answer = Asking(somebody(Role.TEACHER)).get(f"{path}?ticket={ticket}")
    assert problem in answer.content.decode().replace("&#39;", "'")
    assert given(answer)["url"] == ""
    assert "games.example" not in answer.content.decode()


def test_who_has_not_signed_in_comes_back_to_the_form(here: House) -> None:
    answer = Asking().get("/ask/?ticket=a.b")
    assert answer["location"] == "/account/sign-in/?next=/ask/%3Fticket%3Da.b"


def test_the_form_is_kept_as_it_was_sent(here: House, somebody: Somebody) -> None:
    browser = Asking(somebody(Role.TEACHER))
    path = asked(browser, pupils_meant="on", minimum_age="7", parents_informed="on")
    [request] = here.approvals.requests(HEAD)
    assert request.state is State.SUBMITTED
    assert request.requester == "somebody@hill.example"
    assert (request.form.minimum_age, request.form.parents_informed) == (7, True)
    assert request.scope.site == "games.example"
    text = stands_in(browser, path)
    for shown in ("Times tables.", "submitted", "The whole site", "Withdraw the request"):
        assert shown in text


def test_a_form_that_is_sent_twice_is_one_request(here: House, somebody: Somebody) -> None:
    browser = Asking(somebody(Role.TEACHER))
    hidden = re.search(r'name="submission" value="([^"]+)"', stands_in(browser, "/ask/"))
    assert hidden
    paths = {asked(browser, submission=hidden[1]) for _ in range(2)}
    assert len(paths) == len(here.approvals.requests(HEAD)) == 1
    other = Asking(somebody(Role.TEACHER, email="other@hill.example"))
    assert asked(other, submission=hidden[1]) not in paths, "a key is the account's own"


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"staff_name": ""}, "required"),
        ({"reasons": " "}, "required"),
        ({"reasons": "exe.\u202eslx"}, "text alone"),
        ({"reasons": "x" * 4001}, "4000 characters"),
        ({"url": "javascript:alert(1)"}, ""),
        ({"url": "no address"}, ""),
        ({"url": "https://games.example/" + "a" * 5000}, "4096 characters"),
        ({"url": "https://com/"}, ""),
        ({"days": "0"}, "greater than or equal to 1"),
        ({"days": "401"}, "400 days at most"),
        ({"days": "9" * 30}, "400 days at most"),
        ({"subject": "group:nobody"}, "valid choice"),
        ({"extent": "internet"}, "valid choice"),
        ({"minimum_age": "99"}, "less than or equal to 21"),
        ({"submission": "s" * 41}, "40 characters"),
    ],
)
def test_what_is_not_complete_is_refused_with_a_sentence(
    here: House, somebody: Somebody, changed: dict[str, str], problem: str
) -> None:
    answer = Asking(somebody(Role.TEACHER)).post("/ask/", **(FORM | changed))
    assert answer.status_code == 200
    assert read(answer).title.startswith("Error: ")
    assert problem in answer.content.decode()
    assert here.approvals.requests(HEAD) == []


def test_what_is_locked_cannot_be_asked_for(here: House, somebody: Somebody) -> None:
    url = "https://locked.example/"
    answer = Asking(somebody(Role.TEACHER)).post("/ask/", **(FORM | {"url": url}))
    assert "Locked.example is locked: nobody here can open it (C-2)." in answer.content.decode()


def test_what_was_typed_is_shown_inert(here: House, somebody: Somebody) -> None:
    browser = Asking(somebody(Role.TEACHER))
    path = asked(browser, reasons="<script>alert(1)</script>", staff_name="{{ 7*7 }}<b>")
    text = stands_in(browser, path)
    assert "<script>alert" not in text
    assert "<b>" not in text
    assert "{{ 7*7 }}" in text


def test_nobody_sends_forms_without_end(here: House, somebody: Somebody) -> None:
    browser = Asking(somebody(Role.TEACHER))
    statuses = [browser.post("/ask/", **FORM).status_code for _ in range(21)]
    assert statuses == [302] * 20 + [429]


def test_an_accident_is_recorded_for_who_says_so(here: House, somebody: Somebody) -> None:
    assert Asking().post("/accident/", url=URL, words="").status_code == 302
    Asking(somebody(Role.TEACHER)).post("/accident/", url=URL, words="A wrong link.")
    lead = Actor("lead", frozenset({Role.DSL}))
    kept = here.approvals.accidents(NOON - timedelta(hours=1), lead)
    assert [(one.person, one.words) for one in kept] == [
        ("client:10.9.0.7", ""),
        ("account:somebody@hill.example", "A wrong link."),
    ]


def test_anybody_reports_a_site(here: House) -> None:
    browser = Asking()
    assert browser.post("/report/", url=URL, words="Vile.").status_code == 302
    assert read(browser.post("/report/", url=URL, words="")).title.startswith("Error: ")
    assert read(browser.post("/report/", url="nothing", words="Vile.")).title.startswith("Error: ")
    [report] = here.approvals.reports(HEAD)
    assert (report.host, report.words, report.reporter) == ("games.example", "Vile.", "")


@pytest.mark.parametrize("path", ["/accident/", "/report/"])
def test_one_device_tells_of_sites_now_and_then(here: House, path: str) -> None:
    statuses = [Asking().post(path, url=URL, words="Vile.").status_code for _ in range(11)]
    assert statuses == [302] * 10 + [429]
    assert Asking(address="10.9.0.8").post(path, url=URL, words="Vile.").status_code == 302
