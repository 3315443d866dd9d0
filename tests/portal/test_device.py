"""The sign-in of a device: who proves who they are is known there, for a time, until they sign out."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from schoolgate.core.approvals import Role
from schoolgate.core.bindings import Binding, BindingState
from schoolgate.identity import Answer, Outcome
from schoolgate.portal.house import House
from tests.portal.asking import PASSWORD, Asking, read
from tests.portal.conftest import MACS

type Somebody = Callable[..., Any]
TABLET = "10.9.0.7"
GIVEN = {"name": "somebody@hill.example", "password": PASSWORD, "hours": "0"}


def bound(here: House) -> list[Binding]:
    return list(here.sign_ins.current())


def test_somebody_signs_in_and_out(here: House, somebody: Somebody) -> None:
    somebody(Role.TEACHER)
    browser = Asking(address=TABLET)
    assert read(browser.get("/device/")).headings == ["Sign in on this device"]
    assert browser.post("/device/", **GIVEN)["location"] == "/device/"
    [binding] = bound(here)
    assert (binding.user, binding.group, binding.address) == ("somebody", "staff", TABLET)
    assert binding.until - binding.since == 8 * 3600
    page = browser.get("/device/").content.decode()
    assert "You are signed in on this device" in page
    assert "20:00" in page
    elsewhere = Asking(address="10.9.0.8")
    assert "is used by" not in elsewhere.get("/device/").content.decode()
    elsewhere.post("/device/sign-out/")
    assert bound(here) == [binding], "only from the device itself"
    browser.post("/device/sign-out/")
    assert bound(here) == []


@pytest.mark.parametrize(("hours", "want"), [("1", 1), ("4", 4), ("0", 8)])
def test_it_lasts_as_long_as_was_asked(
    here: House, somebody: Somebody, hours: str, want: int
) -> None:
    somebody(Role.TEACHER)
    Asking(address=TABLET).post("/device/", **(GIVEN | {"hours": hours}))
    [binding] = bound(here)
    assert binding.until - binding.since == want * 3600


@pytest.mark.parametrize(
    "changed",
    [
        {"password": "wrong"},
        {"name": "nobody@hill.example"},
        {"name": ""},
        {"password": ""},
        {"hours": "24"},
        {"hours": "-1"},
        {"name": "x" * 5000},
    ],
)
def test_who_proves_nothing_is_not_signed_in(
    here: House, somebody: Somebody, changed: dict[str, str]
) -> None:
    somebody(Role.TEACHER)
    answer = Asking(address=TABLET).post("/device/", **(GIVEN | changed))
    assert answer.status_code == 200
    assert read(answer).title.startswith("Error: ")
    assert bound(here) == []


def test_a_closed_account_signs_nothing_in(here: House, somebody: Somebody) -> None:
    person = somebody(Role.TEACHER)
    person.is_active = False
    person.save()
    Asking(address=TABLET).post("/device/", **GIVEN)
    assert bound(here) == []


def test_an_account_without_a_role_gets_the_strictest_group(
    here: House, somebody: Somebody
) -> None:
    somebody()
    Asking(address=TABLET).post("/device/", **GIVEN)
    assert [binding.group for binding in bound(here)] == [""]


def test_the_device_is_known_by_its_hardware_where_that_is_known(
    here: House, somebody: Somebody
) -> None:
    somebody(Role.TEACHER)
    MACS.update({TABLET: "02:00:00:00:00:01", "10.9.0.9": "02:00:00:00:00:01"})
    Asking(address=TABLET).post("/device/", **GIVEN)
    assert [binding.mac for binding in bound(here)] == ["02:00:00:00:00:01"]
    later = Asking(address="10.9.0.9")
    assert "signed in on this device" in later.get("/device/").content.decode()
    later.post("/device/sign-out/")
    assert bound(here) == []


def test_a_banned_device_is_told_so(here: House, somebody: Somebody) -> None:
    somebody(Role.TEACHER)
    browser = Asking(address=TABLET)
    browser.post("/device/", **GIVEN)
    here.sign_ins.ban(bound(here)[0].id, here.now().timestamp() + 3600)
    assert "not allowed until" in browser.get("/device/").content.decode()
    browser.post("/device/sign-out/")
    answer = browser.post("/device/", **GIVEN)
    assert answer.status_code == 200
    assert [binding.state for binding in bound(here)] == [BindingState.BANNED]


def test_guessing_is_held_up(here: House, somebody: Somebody) -> None:
    somebody(Role.TEACHER)
    wrong = GIVEN | {"password": "wrong"}
    statuses = [Asking(address=TABLET).post("/device/", **wrong).status_code for _ in range(6)]
    assert statuses == [200] * 5 + [429]
    assert Asking(address="10.9.0.99").post("/device/", **GIVEN).status_code == 429, "the name is"
    assert bound(here) == []


def test_signing_in_often_is_no_guessing(here: House, somebody: Somebody) -> None:
    somebody(Role.TEACHER)
    for _ in range(7):
        assert Asking(address=TABLET).post("/device/", **GIVEN).status_code == 302


class Directory:
    """A school's directory that knows one person."""

    def __init__(self, outcome: Outcome) -> None:
        self._outcome = outcome

    def check(self, user: str, password: str) -> Answer:
        if self._outcome is not Outcome.ACCEPTED:
            return Answer(self._outcome, reason="the server at 10.0.0.2 said no")
        return Answer(self._outcome, "ann", "staff", frozenset({"governors"}))


@pytest.fixture(params=list(Outcome))
def outcome(here: House, request: pytest.FixtureRequest) -> Iterator[Outcome]:
    from django.test import override_settings

    directory = Directory(request.param)
    with override_settings(SCHOOLGATE_HOUSE=replace(here, directory=lambda: directory)):
        yield request.param


def test_where_there_is_a_directory_it_is_asked(here: House, outcome: Outcome) -> None:
    answer = Asking(address=TABLET).post("/device/", name="ann", password="secret", hours="1")
    assert "10.0.0.2" not in answer.content.decode(), "the reason is for the technician"
    if outcome is Outcome.ACCEPTED:
        [binding] = bound(here)
        assert (binding.user, set(binding.also)) == ("ann", {"governors"})
    else:
        assert bound(here) == []
        said = {
            Outcome.REFUSED: "do not belong together",
            Outcome.UNAVAILABLE: "directory does not answer",
        }
        assert said[outcome] in answer.content.decode()


def test_a_technician_ends_a_sign_in(here: House, somebody: Somebody) -> None:
    somebody(Role.TEACHER)
    Asking(address=TABLET).post("/device/", **GIVEN)
    technician = Asking(somebody(Role.TECHNICIAN, email="tess@hill.example"))
    page = technician.get("/sign-ins/").content.decode()
    assert "somebody" in page
    assert TABLET in page
    [binding] = bound(here)
    technician.post("/sign-ins/end/", binding="nothing")
    assert "This sign-in has ended" in technician.get("/sign-ins/").content.decode()
    technician.post("/sign-ins/end/", binding=binding.id)
    assert bound(here) == []
    assert "Nobody is signed in" in technician.get("/sign-ins/").content.decode()


def test_what_people_write_is_shown_inert(here: House, somebody: Somebody) -> None:
    name = "<script>alert(1)</script>\u202egnp.exe"
    answer = Asking(address=TABLET).post("/device/", **(GIVEN | {"name": name}))
    assert "<script>alert" not in answer.content.decode()
