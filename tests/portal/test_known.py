"""Who and what is known, and access withdrawn and given back by the pages."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Engine

from schoolgate.core.approvals import Role
from schoolgate.core.errors import Fault
from schoolgate.core.people import Device, Membership, People, SignInSettings
from schoolgate.portal.house import House
from schoolgate.storage import Outbox
from tests.portal.asking import Asking, read
from tests.portal.requested import signed, stands_in

type Somebody = Callable[..., Any]
PEOPLE = People(
    devices=(Device("tablet", "school-mobile", user="somebody", membership=Membership("pupils")),),
    people={"ann": Membership("staff")},
    sign_in=SignInSettings(domains=("hill.example",)),
)
GIVEN = {"who": "user:ann", "day": "2026-11-24", "reason": "See the office."}


@pytest.fixture
def school(here: House) -> Iterator[House]:
    from django.test import override_settings

    fault = Fault("people.yaml", 3, "unknown key 'grup'", "did you mean 'group'?")
    keeping = replace(here.keeping, people_faults=lambda: (fault,))
    made = replace(here, people=lambda: PEOPLE, keeping=keeping)
    with override_settings(SCHOOLGATE_HOUSE=made):
        yield made


def suspended(here: House) -> list[tuple[str, str, str]]:
    return [
        (str(one.subject), f"{one.ends:%d %H:%M}", one.reason)
        for one in here.decisions.suspensions(here.now())
    ]


def test_all_that_is_known_is_listed_with_what_is_wrong(school: House, somebody: Somebody) -> None:
    browser = Asking(somebody(Role.TECHNICIAN))
    text = stands_in(browser, "/known/")
    for shown in ("Line 3: unknown key", "did you mean", "tablet", "school-mobile", "ann"):
        assert shown in text
    narrowed = stands_in(browser, "/known/?words=device+pupils")
    assert "tablet" in narrowed
    assert 'href="/known/suspend/?who=device%3Atablet"' in narrowed
    assert ">ann<" not in narrowed


def test_access_is_withdrawn_and_given_back(
    school: House, somebody: Somebody, database: tuple[House, Engine]
) -> None:
    browser = Asking(somebody(Role.DSL))
    assert 'value="user:ann"' in stands_in(browser, "/known/suspend/?who=user:ann")
    assert browser.post("/known/suspend/", **GIVEN)["location"].startswith("/account/again/")
    assert suspended(school) == []
    assert signed(browser, "/known/suspend/", **GIVEN)["location"] == "/known/"
    assert suspended(school) == [("user:ann", "25 00:00", "See the office.")]
    assert "See the office." in stands_in(browser, "/known/")
    _, beside = school.trail.told(action="suspension.")[-1]
    assert beside["actor"] == "account:somebody@hill.example"
    signed(browser, "/known/unsuspend/", who="user:ann", reason="It is settled.")
    assert suspended(school) == []
    assert school.trail.told()[-1][1]["detail"]["reason"] == "It is settled."
    told = [(one.audience, one.about) for one, _ in Outbox(database[1]).unsent()]
    assert told == [("role:headteacher", "suspension:"), ("role:dsl", "suspension:")] * 2


@pytest.mark.parametrize(
    ("changed", "want"),
    [
        ({"who": "nobody"}, "names nobody"),
        ({"who": "device:none"}, "There is no device"),
        ({"who": "group:staf"}, "There is no group"),
        ({"who": "group:staff", "sure": ""}, "more than one person"),
        ({"who": "everyone", "sure": ""}, "more than one person"),
        ({"day": "2026-11-22"}, "must lie after the start"),
        ({"day": "2026-11-23", "clock": "11:59"}, "must lie after the start"),
        ({"reason": ""}, "required"),
    ],
)
def test_what_is_refused_is_said(
    school: House, somebody: Somebody, changed: dict[str, str], want: str
) -> None:
    browser = Asking(somebody(Role.TECHNICIAN))
    given = {**GIVEN, "sure": "on", **changed}
    answer = signed(browser, "/known/suspend/", **{key: given[key] for key in given if given[key]})
    assert want in answer.content.decode()
    assert read(answer).title.startswith("Error: ")
    assert suspended(school) == []


@pytest.mark.parametrize("own", ["user:somebody", "10.9.0.7", "device:tablet"])
def test_nobody_gives_themselves_their_access_back(
    school: House, somebody: Somebody, own: str
) -> None:
    browser = Asking(somebody(Role.TECHNICIAN))
    signed(browser, "/known/suspend/", **{**GIVEN, "who": own, "clock": "23:00"})
    assert [ends for _, ends, _ in suspended(school)] == ["24 23:00"]
    answer = signed(browser, "/known/unsuspend/", who=own, reason="Please.")
    assert "Somebody else must give you your access back" in answer.content.decode()
    other = Asking(somebody(Role.HEADTEACHER, email="head@hill.example"), address="10.9.0.8")
    signed(other, "/known/unsuspend/", who=own, reason="It is settled.")
    assert suspended(school) == []
