"""The filled form on paper: as the appendix lays it out, tagged, and inert whatever was typed."""

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import pytest

from schoolgate.core.approvals import Role
from schoolgate.portal import paper
from schoolgate.portal.house import House
from schoolgate.portal.words import legible
from tests.portal import printed
from tests.portal.asking import Asking, read
from tests.portal.requested import DECISION, FORM, REVIEW, asked, signed, stands_in

type Somebody = Callable[..., Any]
TITLE = "Blocked content access request form – Hill School"
# The labels of the appendix, in its order.
APPENDIX = (
    "Requester", "Staff name:", "Date:", "Full URL:", "Site content:", "Reasons for access:",
    "Identified risks and control measures:", "Authoriser", "Approved?", "Reasons:", "Staff name:",
    "Date:", "Signature:",
)  # fmt: skip


def in_order(text: str, wanted: tuple[str, ...]) -> bool:
    place = 0
    for one in wanted:
        place = text.find(one, place) + 1
        if not place:
            return False
    return True


def approved(somebody: Somebody) -> tuple[Asking, str]:
    teacher = Asking(somebody(Role.TEACHER))
    path = asked(teacher)
    lead = Asking(somebody(Role.ONLINE_SAFETY_LEAD, email="lead@hill.example"))
    lead.post(f"{path}review/", version="1", **REVIEW)
    head = Asking(somebody(Role.HEADTEACHER, email="head@hill.example"))
    signed(head, f"{path}approve/", version="2", **DECISION)
    return teacher, path


def test_a_signed_form_is_a_tagged_pdf_as_the_appendix_lays_it_out(
    here: House, somebody: Somebody
) -> None:
    printed.needs_pango()
    teacher, path = approved(somebody)
    pdf = printed.opened(teacher.get(f"{path}form/"))
    printed.check(pdf, TITLE)
    text = printed.text_of(pdf)
    assert in_order(text, APPENDIX)
    for typed in (FORM["url"], FORM["reasons"], DECISION["reasons"], "✓", "sam body, headteacher"):
        assert typed in text, typed
    assert in_order(text, ("Reviewed by:", "Risks found:", "A teacher watches."))
    tags = printed.tags(pdf)
    assert [kind for kind, _ in tags if kind in ("/H1", "/H2")] == ["/H1", "/H2", "/H2", "/H2"]
    cells = [headers for kind, headers in tags if kind == "/TD"]
    assert len(cells) > len(APPENDIX) - 3
    assert set(cells) == {1}


def test_the_page_to_print_says_the_same(here: House, somebody: Somebody) -> None:
    teacher, path = approved(somebody)
    page = stands_in(teacher, f"{path}form/page/")
    assert in_order(page, APPENDIX)
    assert f"{path}form/page/" in read(teacher.get(path)).links
    assert f"{path}form/" in read(teacher.get(path)).links
    assert path in read(teacher.get(f"{path}form/page/")).links


def test_what_is_not_decided_yet_leaves_room_for_a_pen(here: House, somebody: Somebody) -> None:
    teacher = Asking(somebody(Role.TEACHER))
    page = stands_in(teacher, f"{asked(teacher)}form/page/")
    assert "✓ / X" in page
    assert "typed in the portal" not in page


@pytest.mark.parametrize("place", ["form/", "form/page/"])
def test_it_is_for_those_who_see_the_request(here: House, somebody: Somebody, place: str) -> None:
    path = asked(Asking(somebody(Role.TEACHER)))
    other = Asking(somebody(Role.TEACHER, email="other@hill.example"))
    assert other.get(f"{path}{place}").status_code == 404


def test_what_was_typed_is_inert(here: House, somebody: Somebody) -> None:
    printed.needs_pango()
    teacher = Asking(somebody(Role.TEACHER))
    markup = '<img src="http://127.0.0.1:9/x"><script>alert(1)</script>{{ 7*7 }}'
    path = asked(teacher, site_content=markup, reasons="x" * 4000, risks_and_controls="ж\n" * 300)
    pdf = printed.opened(teacher.get(f"{path}form/"))
    printed.check(pdf, TITLE)
    text = printed.text_of(pdf)
    assert markup.replace(" ", "") in text.replace(" ", "")
    # Between pages stand their numbers.
    assert text.count("x") >= 4000
    assert text.count("ж") == 300
    assert "/Figure" not in {kind for kind, _ in printed.tags(pdf)}


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("plain – ✓ żółw مرحبا", "plain – ✓ żółw مرحبا"),
        ("two\nlines\tand a tab", "two\nlines\tand a tab"),
        ("a\0b\x1bc\r", "a\ufffdb\ufffdc\ufffd"),
        ("evil\u202etxt.exe", "evil\ufffdtxt.exe"),
        ("half \ud800 pair", "half \ufffd pair"),
        ("x" * 5001, "x" * 5000 + "…"),
        (7, "7"),
    ],
)
def test_what_is_no_text_is_a_mark_on_paper(text: object, want: str) -> None:
    assert legible(text) == want


def test_without_pango_the_page_to_print_stands_in(
    here: House, somebody: Somebody, monkeypatch: pytest.MonkeyPatch
) -> None:
    teacher = Asking(somebody(Role.TEACHER))
    path = asked(teacher)
    # As Python has it where a module cannot be loaded.
    monkeypatch.setitem(__import__("sys").modules, "weasyprint", None)
    answer = teacher.get(f"{path}form/")
    assert answer["location"] == f"{path}form/page/?pdf=missing"
    page = stands_in(teacher, answer["location"])
    assert "A technician can put that right" in page
    assert paper.PACKAGES in page
    assert "can put that right" not in stands_in(teacher, f"{path}form/page/?pdf=<script>")


@pytest.mark.parametrize("waiting", [1, 4])
def test_who_would_wait_too_long_is_shown_the_page(
    here: House, somebody: Somebody, monkeypatch: pytest.MonkeyPatch, waiting: int
) -> None:
    teacher = Asking(somebody(Role.TEACHER))
    path = asked(teacher)
    monkeypatch.setattr(paper, "_LONGEST_WAIT_SECONDS", 0.01)
    with ExitStack() as others:
        others.enter_context(paper._press)
        for _ in range(waiting):
            others.enter_context(paper._at_once)
        answer = teacher.get(f"{path}form/")
    assert "Others are having a PDF made" in stands_in(teacher, answer["location"])
