"""The declaration: read, signed by whoever proves who they are, kept in a register."""

import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from schoolgate.core.approvals import Role
from schoolgate.core.people import People, SignInSettings
from schoolgate.core.policy import Declaration, PolicyEngine, UntilSigned
from schoolgate.portal.house import House
from schoolgate.services.tickets import Ticket
from tests.portal.asking import PASSWORD, Asking, read
from tests.portal.conftest import TICKETS
from tests.portal.requested import signed, stands_in
from tests.school import NOON

type Somebody = Callable[..., Any]
PATH = "/declaration/"
TYPED = {"read": "on", "signature": "sam  body"}
PEOPLE = People(sign_in=SignInSettings(domains=("hill.example",)))
BY_PASSWORD = {**TYPED, "signature": "Sam", "name": "somebody@hill.example", "password": PASSWORD}


@pytest.fixture
def wanted(here: House) -> Iterator[Callable[[str], None]]:
    """Ask for the declaration in a version; v1 to begin with."""
    from django.test import override_settings

    asked = {"engine": here.engine()}

    def want(version: str) -> None:
        rules = here.engine()
        declaration = Declaration(
            "C-4", version, UntilSigned.HOLD, frozenset({"staff"}), ("I keep to <it>.",)
        )
        policy = replace(rules.policy, declaration=declaration)
        asked["engine"] = PolicyEngine(policy, rules.catalogue)

    want("v1")
    with override_settings(
        SCHOOLGATE_HOUSE=replace(here, engine=lambda: asked["engine"], people=lambda: PEOPLE)
    ):
        yield want


def signatures(here: House) -> list[tuple[str, str]]:
    return [(each.person, each.version) for each in here.decisions.signatures()]


def test_where_none_is_asked_for_the_page_says_so(here: House, somebody: Somebody) -> None:
    assert "asks nobody" in stands_in(Asking(), PATH)
    technician = Asking(somebody(Role.TECHNICIAN))
    assert "asks nobody" in stands_in(technician, "/declaration/register/")
    assert technician.get("/declaration/register/file/").content.count(b"\n") == 1


def test_who_has_an_account_signs_with_name_and_password(
    here: House, somebody: Somebody, wanted: Callable[[str], None]
) -> None:
    browser = Asking(somebody(Role.TEACHER))
    text = stands_in(browser, PATH)
    assert "I keep to &lt;it&gt;." in text
    assert "version v1" in text
    for fields in ({"ticket": ""}, {**TYPED, "signature": "Another"}, {"signature": "Sam Body"}):
        assert read(browser.post(PATH, **fields)).title.startswith("Error: ")
    assert browser.post(PATH, **TYPED)["location"].startswith("/account/again/")
    assert signatures(here) == []
    assert signed(browser, PATH, **TYPED)["location"] == PATH
    assert signatures(here) == [("somebody", "v1")]
    assert "signed this declaration on 23 November 2026, 12:00" in stands_in(browser, PATH)
    _, beside = here.trail.told(action="declaration.")[-1]
    assert beside["actor"] == "account:somebody@hill.example"
    assert beside["detail"]["signature"] == "sam  body"
    browser.post(PATH, **TYPED)
    assert len(signatures(here)) == 1
    wanted("v2")
    assert "signed the version v1. It has changed since" in stands_in(browser, PATH)
    signed(browser, PATH, **TYPED)
    assert signatures(here) == [("somebody", "v1"), ("somebody", "v2")]


def test_others_sign_with_the_password_of_the_school(
    here: House, somebody: Somebody, wanted: Callable[[str], None]
) -> None:
    somebody(Role.TEACHER)
    browser = Asking()
    wrong = browser.post(PATH, **{**BY_PASSWORD, "password": "not this"})
    assert "do not belong together" in wrong.content.decode()
    assert signatures(here) == []
    assert browser.post(PATH, **BY_PASSWORD)["location"] == PATH
    assert signatures(here) == [("somebody", "v1")]
    again = browser.post(PATH, **BY_PASSWORD)
    assert "has signed v1 already" in again.content.decode()


def test_whoever_is_not_asked_does_not_sign(
    here: House, somebody: Somebody, wanted: Callable[[str], None]
) -> None:
    somebody()
    answer = Asking().post(PATH, **BY_PASSWORD)
    assert "The declaration is not for you" in answer.content.decode()
    assert signatures(here) == []


def test_on_a_device_of_somebody_else_they_are_the_one_who_signs(
    here: House, somebody: Somebody, wanted: Callable[[str], None]
) -> None:
    head = somebody(Role.HEADTEACHER, email="head@hill.example")
    somebody(Role.TEACHER)
    Asking().post("/device/", name="somebody@hill.example", password=PASSWORD, hours="1")
    browser = Asking(head)
    assert 'value="somebody"' in stands_in(browser, PATH)
    browser.post(PATH, **BY_PASSWORD)
    assert signatures(here) == [("somebody", "v1")]
    assert here.trail.told()[-1][1]["actor"] == "user:somebody"


@pytest.mark.parametrize("name", ["@hill.example", "HILL\\", "@", " "])
def test_a_name_that_is_none_is_no_persons(
    here: House, somebody: Somebody, wanted: Callable[[str], None], name: str
) -> None:
    answer = Asking().post(PATH, **{**BY_PASSWORD, "name": name})
    assert answer.status_code == 200
    assert signatures(here) == []


def test_guessing_is_slowed(here: House, somebody: Somebody, wanted: Callable[[str], None]) -> None:
    somebody(Role.TEACHER)
    browser = Asking()
    wrong = {**BY_PASSWORD, "password": "not this"}
    seen = [browser.post(PATH, **wrong).status_code for _ in range(6)]
    assert seen == [200] * 5 + [429]
    assert browser.post(PATH, **BY_PASSWORD).status_code == 429


def test_whoever_came_from_a_page_of_the_gateway_is_led_back(
    here: House, somebody: Somebody, wanted: Callable[[str], None]
) -> None:
    url = "https://a.example/x?y=<1>"
    ticket = TICKETS.write(Ticket(url, "declaration:v1", "C-4", "staff", NOON))
    browser = Asking(somebody(Role.TEACHER))
    assert "You came from" in stands_in(browser, f"{PATH}?ticket={ticket}")
    answer = signed(browser, PATH, **TYPED, ticket=ticket)
    assert answer["location"] == f"{PATH}?ticket={ticket}"
    page = read(browser.get(answer["location"]))
    assert url in page.links
    forged = stands_in(browser, f"{PATH}?ticket=x{ticket}")
    assert "There is a problem" in forged
    assert "a.example" not in forged


def test_the_register_shows_who_has_signed_and_who_has_not(
    here: House, somebody: Somebody, wanted: Callable[[str], None]
) -> None:
    somebody(Role.TEACHER, email="=1+1@hill.example")
    somebody(Role.TEACHER)
    Asking().post(PATH, **BY_PASSWORD)
    head = Asking(somebody(Role.HEADTEACHER, email="head@hill.example"))
    assert "23 November 2026, 12:00" in stands_in(head, "/declaration/register/")
    answer = head.get("/declaration/register/file/")
    rows = list(csv.reader(io.StringIO(answer.content.decode())))
    assert rows == [
        ["Person", "Version", "Signed", "State"],
        ["somebody", "v1", "2026-11-23 12:00", "signed"],
        ["'=1+1", "v1", "", "not signed"],
        ["head", "v1", "", "not signed"],
    ]
    missing = stands_in(head, "/declaration/register/?missing=yes")
    assert "head" in missing
    assert ">somebody<" not in missing
