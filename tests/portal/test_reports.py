"""Reports of sites: blocked with one step, once, by who may; accidents beside them."""

from collections.abc import Callable
from typing import Any

import pytest

from schoolgate.core.approvals import Actor, ReportState, Role
from schoolgate.portal.house import House
from tests.portal.asking import Asking, read
from tests.portal.requested import URL, stands_in

type Somebody = Callable[..., Any]
LEAD = Actor("lead", frozenset({Role.ONLINE_SAFETY_LEAD}))


def reported(here: House, url: str = URL) -> int:
    Asking().post("/report/", url=url, words="<b>Vile</b>.")
    return here.approvals.reports(LEAD)[-1].id


@pytest.mark.parametrize(
    ("state", "want"), [("blocked", ReportState.BLOCKED), ("dismissed", ReportState.DISMISSED)]
)
def test_one_step_blocks_a_site_or_leaves_it(
    here: House, somebody: Somebody, state: str, want: ReportState
) -> None:
    number = reported(here)
    lead = Asking(somebody(Role.ONLINE_SAFETY_LEAD))
    page = stands_in(lead, "/reports/")
    assert "Block games.example now" in page
    assert "<b>Vile" not in page
    fields = {"state": state, "note": "Reported as inappropriate."}
    assert lead.post(f"/reports/{number}/", **fields)["location"] == "/reports/"
    [report] = here.approvals.reports(LEAD)
    assert (report.state, report.handled_by) == (want, "somebody@hill.example")
    again = lead.post(f"/reports/{number}/", **fields)
    assert again.status_code == 409
    assert "was handled already" in again.content.decode()
    assert "No report waits" in stands_in(lead, "/reports/")


@pytest.mark.parametrize(
    ("url", "note", "problem"),
    [
        (URL, "", "Give a reason."),
        ("https://help.example/", "Reported.", "always reachable"),
    ],
)
def test_what_is_refused_is_said_on_the_page(
    here: House, somebody: Somebody, url: str, note: str, problem: str
) -> None:
    number = reported(here, url)
    lead = Asking(somebody(Role.ONLINE_SAFETY_LEAD))
    answer = lead.post(f"/reports/{number}/", state="blocked", note=note)
    assert answer.status_code == 409
    assert problem in answer.content.decode()
    page = read(answer)
    assert page.labelled >= {field["id"] for field in page.inputs}
    assert here.approvals.reports(LEAD)[-1].state is ReportState.OPEN


def test_a_report_that_is_not_there(here: House, somebody: Somebody) -> None:
    lead = Asking(somebody(Role.ONLINE_SAFETY_LEAD))
    assert lead.post("/reports/77/", state="blocked", note="It.").status_code == 409


def test_accidents_are_shown_to_who_receives_incidents(here: House, somebody: Somebody) -> None:
    Asking().post("/accident/", url=URL, words="A wrong link.")
    dsl = Asking(somebody(Role.DSL))
    assert "A wrong link." in stands_in(dsl, "/reports/")


def test_a_block_is_lifted_with_a_reason_once(here: House, somebody: Somebody) -> None:
    number = reported(here)
    lead = Asking(somebody(Role.ONLINE_SAFETY_LEAD))
    lead.post(f"/reports/{number}/", state="blocked", note="Vile.")
    [block] = here.decisions.overlay(here.now()).blocks
    path = f"/blocks/{block.id}/lift/"
    assert path in stands_in(lead, "/reports/")
    refused = lead.post(path, reason=" ")
    assert refused.status_code == 409
    assert "Give a reason." in refused.content.decode()
    assert len(here.decisions.overlay(here.now()).blocks) == 1
    assert lead.post(path, reason="It was <b>another</b> site.")["location"] == "/reports/"
    assert here.decisions.overlay(here.now()).blocks == ()
    page = stands_in(lead, "/reports/")
    assert "The block of games.example is lifted." in page
    assert "Lifted, 23 November 2026: It was &lt;b&gt;another&lt;/b&gt; site." in page
    assert path not in page
    again = lead.post(path, reason="Again.")
    assert again.status_code == 409
    assert "no block" in again.content.decode()
    [(entry, beside)] = here.trail.told(f"block:{block.id}")
    assert entry.action == "block.lifted"
    assert beside["detail"]["reason"] == "It was <b>another</b> site."
    assert beside["actor"] == "account:somebody@hill.example"


@pytest.mark.parametrize(("number", "want"), [("0", 409), ("77", 409), ("9" * 30, 404)])
def test_a_block_that_is_not_there(here: House, somebody: Somebody, number: str, want: int) -> None:
    lead = Asking(somebody(Role.ONLINE_SAFETY_LEAD))
    assert lead.post(f"/blocks/{number}/lift/", reason="It.").status_code == want
