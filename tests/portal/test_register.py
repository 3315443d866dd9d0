"""The register of exceptions: listed, narrowed, saved without formulas, closed with a reason."""

import csv
import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from schoolgate.core.approvals import Actor, Role, State, Subject
from schoolgate.core.categories import ListEntry
from schoolgate.portal.house import House
from tests.portal.asking import Asking, read
from tests.portal.requested import DECISION, asked, signed, stands_in

type Somebody = Callable[..., Any]
HEAD = Actor("head@hill.example", frozenset({Role.HEADTEACHER}))


def opened(here: House, host: str = "play.example", reason: str = "By hand.") -> int:
    now = here.now()
    entry = ListEntry.parse(host, "grant", "grant")
    ends = now + timedelta(days=1)
    subject = Subject.parse("group:staff")
    made = here.decisions.add_grant(
        entry, subject, now, ends, Role.HEADTEACHER, reason=reason, actor="test", now=now
    )
    return made.id


def table(browser: Asking, query: str = "") -> list[list[str]]:
    answer = browser.get(f"/grants/file/{query}")
    assert answer["content-type"] == "text/csv; charset=utf-8"
    assert answer["content-disposition"] == 'attachment; filename="register.csv"'
    return list(csv.reader(io.StringIO(answer.content.decode())))


def test_what_is_open_is_listed_and_narrowed(here: House, somebody: Somebody) -> None:
    opened(here)
    opened(here, "chess.example")
    technician = Asking(somebody(Role.TECHNICIAN))
    assert "play.example" in stands_in(technician, "/grants/")
    narrowed = stands_in(technician, "/grants/?site=chess")
    assert "chess.example" in narrowed
    assert "play.example" not in narrowed
    assert [row[1] for row in table(technician, "?site=chess")] == ["Site", "chess.example"]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_a_table_file_holds_no_formulas(here: House, somebody: Somebody, start: str) -> None:
    from schoolgate.portal.views.register import inert

    assert inert(f"{start}1+1") == f"'{start}1+1"
    if start.strip():
        opened(here, reason=f"{start}HYPERLINK(1)")
        row = table(Asking(somebody(Role.TECHNICIAN)))[1]
        assert not any(cell.startswith(start) for cell in row)


def test_what_was_opened_by_hand_is_closed_with_a_reason(here: House, somebody: Somebody) -> None:
    number = opened(here)
    technician = Asking(somebody(Role.TECHNICIAN))
    path = f"/grants/{number}/revoke/"
    assert "play.example" in stands_in(technician, path)
    assert read(technician.post(path, reason="")).title.startswith("Error: ")
    assert technician.post(path, reason="Over.")["location"] == "/grants/"
    assert "Nothing is opened by hand" in stands_in(technician, "/grants/")
    assert "play.example" in stands_in(technician, "/grants/?ended=yes")
    assert technician.get(path).status_code == 404


def test_the_request_of_a_grant_says_that_it_was_closed(here: House, somebody: Somebody) -> None:
    path = asked(Asking(somebody(Role.TEACHER)))
    head = Asking(somebody(Role.HEADTEACHER, email=HEAD.id))
    signed(head, f"{path}approve/", version="1", **DECISION)
    [grant] = here.decisions.grants(here.now())
    assert path in stands_in(head, "/grants/")
    head.post(f"/grants/{grant.id}/revoke/", reason="The lesson is over.")
    assert here.decisions.grants(here.now()) == []
    [request] = here.approvals.requests(HEAD)
    assert (request.state, request.ended_because) == (State.REVOKED, "The lesson is over.")
