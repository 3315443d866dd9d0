"""A grant asked for again: by who asked for it, with the form filled in, and by who keeps the register."""

from collections.abc import Callable
from typing import Any

import pytest

from schoolgate.core.approvals import Actor, Revoke, Role, State
from schoolgate.portal.house import House
from tests.portal.asking import Asking, read
from tests.portal.requested import DECISION, FORM, asked, signed, stands_in
from tests.portal.test_register import opened

type Somebody = Callable[..., Any]
HEAD = Actor("head@hill.example", frozenset({Role.HEADTEACHER}))


def granted(somebody: Somebody) -> tuple[Asking, Asking, str]:
    teacher = Asking(somebody(Role.TEACHER))
    head = Asking(somebody(Role.HEADTEACHER, email=HEAD.id))
    path = asked(teacher)
    signed(head, f"{path}approve/", version="1", **DECISION)
    return teacher, head, path


def test_who_asked_renews_with_the_old_form(here: House, somebody: Somebody) -> None:
    teacher, head, path = granted(somebody)
    assert f"{path}renew/" in read(teacher.get(path)).links
    page = stands_in(teacher, f"{path}renew/")
    for typed in (FORM["url"], FORM["reasons"], FORM["risks_and_controls"]):
        assert typed in page
    answer = teacher.post(f"{path}renew/", **FORM)
    new = answer["location"]
    assert new != path
    old, renewing = here.approvals.requests(HEAD)
    assert (old.state, renewing.renews) == (State.APPROVED, old.id)
    signed(head, f"{new}approve/", version="1", **DECISION)
    old, renewing = here.approvals.requests(HEAD)
    assert (old.state, renewing.state) == (State.RENEWED, State.APPROVED)
    # In place of the old one, and nothing is asked for twice.
    [grant] = here.decisions.grants(here.now())
    assert grant.request == renewing.id
    assert teacher.get(f"{path}renew/").status_code == 409


def test_sent_twice_it_is_one_request(here: House, somebody: Somebody) -> None:
    teacher, _, path = granted(somebody)
    fields = FORM | {"submission": "the-same"}
    answers = [teacher.post(f"{path}renew/", **fields)["location"] for _ in range(2)]
    assert answers[0] == answers[1]
    assert len(here.approvals.requests(HEAD)) == 2


def test_what_is_refused_stands_above_the_form(here: House, somebody: Somebody) -> None:
    teacher, _, path = granted(somebody)
    answer = teacher.post(f"{path}renew/", **(FORM | {"days": "9999"}))
    assert read(answer).title.startswith("Error: Ask to renew")
    assert len(here.approvals.requests(HEAD)) == 1


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_nobody_renews_what_is_not_theirs_or_was_closed(
    here: House, somebody: Somebody, method: str
) -> None:
    teacher, head, path = granted(somebody)
    stranger = Asking(somebody(Role.TEACHER, email="other@hill.example"))
    assert head.ask(method, f"{path}renew/").status_code == 409
    assert stranger.ask(method, f"{path}renew/").status_code == 404
    here.approvals.act(1, 2, Revoke("Over."), HEAD, here.now())
    assert teacher.ask(method, f"{path}renew/").status_code == 409
    assert len(here.approvals.requests(HEAD)) == 1


def test_the_register_leads_to_the_form(here: House, somebody: Somebody) -> None:
    lead = Asking(somebody(Role.ONLINE_SAFETY_LEAD, Role.TEACHER))
    number = opened(here, reason="For the club.")
    assert f"/grants/{number}/renew/" in read(lead.get("/grants/")).links
    page = stands_in(lead, f"/grants/{number}/renew/")
    assert "https://play.example/" in page
    assert "For the club." in page
    new = lead.post(f"/grants/{number}/renew/", **FORM)["location"]
    [request] = here.approvals.requests(HEAD)
    assert (new, request.renews) == (f"/requests/{request.id}/", None)
    assert lead.get("/grants/99/renew/").status_code == 404


def test_of_ones_own_request_it_is_the_renewal(here: House, somebody: Somebody) -> None:
    technician = Asking(somebody(Role.TECHNICIAN))
    head = Asking(somebody(Role.HEADTEACHER, email=HEAD.id))
    path = asked(technician)
    signed(head, f"{path}approve/", version="1", **DECISION)
    [grant] = here.decisions.grants(here.now())
    answer = technician.get(f"/grants/{grant.id}/renew/")
    assert answer["location"] == f"{path}renew/"
    assert head.get(f"/grants/{grant.id}/renew/").status_code == 200
