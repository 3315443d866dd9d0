"""The register of exceptions: searched, saved without formulas, printed, closed with a reason."""

import csv
import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from schoolgate.core.approvals import Actor, Role, State, Subject
from schoolgate.core.categories import ListEntry
from schoolgate.portal.house import House
from tests.portal import printed
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
    narrowed = stands_in(technician, "/grants/?words=chess")
    assert "chess.example" in narrowed
    assert "play.example" not in narrowed
    assert [row[1] for row in table(technician, "?words=chess")] == ["Site", "chess.example"]


@pytest.mark.parametrize(
    ("query", "want"),
    [
        ("", {"play.example", "chess.example"}),
        ("?words=CHESS+hand", {"chess.example"}),
        ("?words=chess+lesson", set()),
        ("?who=staff", {"play.example", "chess.example"}),
        ("?who=headteacher", {"play.example", "chess.example"}),
        ("?who=pupils", set()),
        ("?category=games", {"chess.example"}),
        ("?standing=soon", {"play.example", "chess.example"}),
        ("?standing=ended", set()),
        ("?since=2026-11-24", {"play.example", "chess.example"}),
        ("?since=2026-11-25", set()),
        ("?until=2026-11-23&standing=all", {"play.example", "chess.example"}),
        ("?until=2026-11-22&standing=all", set()),
        # What is no choice or no day is said to be a fault, and not looked for.
        ("?category=nowhere&standing=nowhen&since=yesterday", {"play.example", "chess.example"}),
    ],
)
def test_the_register_is_searched(
    here: House, somebody: Somebody, query: str, want: set[str]
) -> None:
    opened(here)
    opened(here, "chess.example")
    technician = Asking(somebody(Role.TECHNICIAN))
    assert {row[1] for row in table(technician, query)[1:]} == want
    page = read(technician.get(f"/grants/{query}"))
    assert page.title.startswith("Error: ") is ("nowhere" in query)
    assert page.labelled >= {field["id"] for field in page.inputs}


def test_it_is_found_by_who_asked_and_what_they_wrote(here: House, somebody: Somebody) -> None:
    path = asked(Asking(somebody(Role.TEACHER)), staff_name="Ada Asker")
    head = Asking(somebody(Role.HEADTEACHER, email=HEAD.id))
    signed(head, f"{path}approve/", version="1", **DECISION)
    for query in ("who=ada", "who=somebody@hill", "words=times+tables", "words=adverts"):
        assert path in read(head.get(f"/grants/?{query}")).links, query
    assert "Nothing is opened" in stands_in(head, "/grants/?who=ben")


def test_the_register_is_a_tagged_pdf_and_a_page(here: House, somebody: Somebody) -> None:
    printed.needs_pango()
    opened(here, reason="a\u202eb <b>c")
    opened(here, "chess.example")
    technician = Asking(somebody(Role.TECHNICIAN))
    pdf = printed.opened(technician.get("/grants/file/pdf/?words=play"))
    printed.check(pdf, "Register of exceptions – Hill School")
    text = printed.text_of(pdf)
    assert "play.example" in text
    assert "a\ufffdb <b>c" in text
    assert "chess.example" not in text
    cells = [headers for kind, headers in printed.tags(pdf) if kind == "/TD"]
    assert cells == [1] * 8
    page = stands_in(technician, "/grants/file/page/")
    assert "chess.example" in page
    assert "&lt;b&gt;c" in page


def test_paper_holds_the_newest_of_many(
    here: House, somebody: Somebody, monkeypatch: pytest.MonkeyPatch
) -> None:
    from schoolgate.portal.views import register

    monkeypatch.setattr(register, "_MOST_ON_PAPER", 1)
    monkeypatch.setattr(register, "_MOST_SHOWN", 1)
    opened(here)
    opened(here, "chess.example")
    technician = Asking(somebody(Role.TECHNICIAN))
    for path, words in (("/grants/file/page/", "1 more are in"), ("/grants/", "1 more are not")):
        page = stands_in(technician, path)
        assert words in page
        assert "chess.example" in page
        assert "play.example" not in page


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
    assert "play.example" in stands_in(technician, "/grants/?standing=ended")
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
