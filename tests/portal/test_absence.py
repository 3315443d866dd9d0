"""Absence: who decides names a deputy for some days; the deputy decides after the review, until it ends."""

from collections.abc import Callable
from typing import Any

import pytest

from schoolgate.core.approvals import Actor, Role, State
from schoolgate.portal.house import House
from tests.portal.asking import Asking, read
from tests.portal.requested import DECISION, REVIEW, asked, signed, stands_in

type Somebody = Callable[..., Any]
LEAD = Actor("lead@hill.example", frozenset({Role.ONLINE_SAFETY_LEAD}))
GIVEN = {
    "delegate": "deputy@hill.example",
    "starts": "2026-11-23",
    "ends": "2026-11-27",
    "reason": "A course.",
}


@pytest.fixture
def head(somebody: Somebody) -> Asking:
    return Asking(somebody(Role.HEADTEACHER, email="head@hill.example"))


@pytest.fixture
def deputy(somebody: Somebody) -> Asking:
    return Asking(somebody(Role.DEPUTY, email="deputy@hill.example"))


def test_a_deputy_decides_meanwhile(
    here: House, head: Asking, deputy: Asking, somebody: Somebody
) -> None:
    path = asked(Asking(somebody(Role.TEACHER)))
    lead = Asking(somebody(Role.ONLINE_SAFETY_LEAD, email=LEAD.id))
    lead.post(f"{path}review/", version="1", **REVIEW)
    assert signed(deputy, f"{path}approve/", version="2", **DECISION).status_code == 409
    assert head.post("/absence/", **GIVEN)["location"] == "/absence/"
    assert "27 November 2026" not in stands_in(head, "/absence/"), "until the end of it"
    assert "28 November 2026, 00:00" in stands_in(deputy, "/absence/")
    assert path in stands_in(deputy, "/waiting/")
    assert signed(deputy, f"{path}approve/", version="2", **DECISION)["location"] == path
    [request] = here.approvals.requests(LEAD)
    assert request.state is State.APPROVED
    assert request.decision is not None
    assert request.decision.delegated


def test_it_is_taken_back(here: House, head: Asking, deputy: Asking) -> None:
    head.post("/absence/", **GIVEN)
    [one] = here.approvals.delegations(here.now())
    assert head.post(f"/absence/{one.id}/end/")["location"] == "/absence/"
    assert here.approvals.delegations(here.now()) == []
    assert "nobody" in stands_in(head, "/absence/").casefold()


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"delegate": "nobody@hill.example"}, "valid choice"),
        ({"delegate": "head@hill.example"}, "valid choice"),
        ({"ends": "2026-11-20"}, "the end must lie after the start"),
        ({"ends": "2027-11-20"}, "92 days at most"),
        ({"ends": "9999-12-31"}, "92 days at most"),
        ({"starts": "0001-01-01", "ends": "0001-01-01"}, "the end must lie after the start"),
        ({"starts": "soon"}, "valid date"),
        ({"reason": ""}, "required"),
    ],
)
def test_what_is_refused_is_said_on_the_page(
    here: House, head: Asking, deputy: Asking, changed: dict[str, str], problem: str
) -> None:
    answer = head.post("/absence/", **(GIVEN | changed))
    assert read(answer).title.startswith("Error: ")
    assert problem in answer.content.decode().casefold()
    assert here.approvals.delegations(here.now()) == []


def test_a_deputy_names_nobody(here: House, deputy: Asking) -> None:
    answer = deputy.post("/absence/", **GIVEN)
    assert "only who decides on requests can delegate" in answer.content.decode().casefold()
    assert here.approvals.delegations(here.now()) == []
