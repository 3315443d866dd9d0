"""The links of a block page to the portal's forms: only where there is something to ask, and signed."""

import re
from dataclasses import replace

import pytest

from schoolgate.core.clients import Client
from schoolgate.core.locked import LockedLists
from schoolgate.core.policy import Decision, Reason, Verdict, WebRequest
from schoolgate.core.urls import parse_web_url
from schoolgate.proxy.pages import Asked, Kind, Pages
from schoolgate.services.tickets import Ticket, Tickets
from tests.core.locked.test_lists import locked
from tests.core.policy.example import engine
from tests.school import NOON

PORTAL = "https://schoolgate.internal"
TICKETS = Tickets(b"t" * 32)
URL = parse_web_url("https://games.example/play?x=1")
ASKED = Asked(URL.host, "GET", Kind.PAGE, URL, "pupils")
BLOCKED = Decision(Verdict.BLOCK, Reason.CATEGORY, "C-8", "games")


def pages(portal: str = PORTAL, tickets: Tickets | None = TICKETS) -> Pages:
    rules = engine()
    return Pages(lambda: rules, lambda: NOON, portal, tickets)


def links(text: bytes) -> dict[str, str]:
    """Give the tickets in a page, by the form that they lead to."""
    return dict(re.findall(rf'href="{PORTAL}/(\w+)/\?ticket=([^"]+)"', text.decode()))


def test_the_forms_are_told_what_was_blocked() -> None:
    found = links(pages().page(ASKED, BLOCKED).body)
    assert set(found) == {"ask", "accident"}
    want = Ticket("https://games.example/play?x=1", "games", "C-8", "pupils", NOON)
    assert {TICKETS.read(text, NOON) for text in found.values()} == {want}


@pytest.mark.parametrize(
    ("reason", "want"),
    [
        (Reason.CIRCUMVENTION, {"ask", "accident"}),
        (Reason.LOCAL_BLOCK, {"ask", "accident"}),
        (Reason.LOCKED, {"accident"}),
        (Reason.SUSPENDED, set()),
        (Reason.DECLARATION, {"declaration"}),
        (Reason.PRIVATE_DESTINATION, set()),
        (Reason.BAD_URL, set()),
        (Reason.ERROR, set()),
    ],
)
def test_what_cannot_be_asked_for_has_no_link(reason: Reason, want: set[str]) -> None:
    decision = replace(BLOCKED, reason=reason)
    assert set(links(pages().page(ASKED, decision).body)) == want


def test_whoever_is_reminded_is_led_to_the_declaration_and_back() -> None:
    reminder = replace(BLOCKED, reason=Reason.DECLARATION, verdict=Verdict.WARN)
    made = pages()
    [ticket] = links(made.page(ASKED, reminder).body).values()
    assert TICKETS.read(ticket, NOON).url == "https://games.example/play?x=1"
    without = pages(tickets=None).page(ASKED, reminder).body.decode()
    assert f'href="{PORTAL}/declaration/"' in without
    assert "/declaration/" not in pages(portal="").page(ASKED, reminder).body.decode()


@pytest.mark.parametrize("kind", Kind)
def test_of_what_a_locked_list_names_a_page_says_nothing_but_that_it_is_closed(kind: Kind) -> None:
    rules = engine(locked_clause="C-8").with_locked(LockedLists((locked("games.example/play"),)))
    decision = rules.decide(WebRequest(URL, Client("", "pupils")), NOON)
    made = Pages(lambda: rules, lambda: NOON, PORTAL, TICKETS)
    page = made.page(ASKED._replace(kind=kind), decision)
    assert page.headers["X-Schoolgate-Clause"] == "C-8"
    assert page.headers["X-Schoolgate-Category"] == ""
    for word in (b"illegal", b"No games in lessons", b"iwf", b"/play", b"ticket"):
        assert word not in page.body


@pytest.mark.parametrize(
    ("reason", "want"),
    [
        (Reason.CATEGORY, True),
        (Reason.SUSPENDED, True),
        (Reason.DECLARATION, True),
        (Reason.ERROR, True),
        (Reason.LOCKED, False),
        (Reason.BAD_URL, False),
        (Reason.PRIVATE_DESTINATION, False),
    ],
)
def test_what_somebody_may_open_can_be_tried_again(reason: Reason, want: bool) -> None:
    page = pages().page(ASKED, replace(BLOCKED, reason=reason)).body
    assert (b'<a href="">Try again</a>' in page) is want


@pytest.mark.parametrize(
    ("made", "asked"),
    [
        (pages(tickets=None), ASKED),
        (pages(portal=""), ASKED),
        (pages(), ASKED._replace(url=None)),
        (pages(), ASKED._replace(kind=Kind.DATA)),
        (pages(), ASKED._replace(kind=Kind.IMAGE)),
    ],
)
def test_without_a_portal_or_an_address_there_are_none(made: Pages, asked: Asked) -> None:
    assert b"ticket" not in made.page(asked, BLOCKED).body


def test_a_page_is_kept_for_its_address_and_group() -> None:
    made = pages()
    page = made.page(ASKED, BLOCKED)
    assert made.page(ASKED, BLOCKED) is page
    other = ASKED._replace(url=URL._replace(query="x=2"))
    for asked in (other, ASKED._replace(group="staff")):
        assert links(made.page(asked, BLOCKED).body) != links(page.body)
    # What shows no link is made once for them all.
    data = ASKED._replace(kind=Kind.DATA)
    assert made.page(data, BLOCKED) is made.page(data._replace(url=other.url), BLOCKED)


def test_a_request_of_mitmproxy_is_told_of_as_it_was_decided() -> None:
    from mitmproxy import http

    request = http.Request.make(
        "GET", "https://games.example/play?x=1", headers=http.Headers(accept="text/html")
    )
    web = WebRequest(URL, Client("10.0.0.7", "pupils"))
    made = pages()
    assert links(made.blocked(request, BLOCKED, web).content or b"") != {}
    assert links(made.blocked(request, BLOCKED).content or b"") == {}
