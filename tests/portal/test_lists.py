"""The school's own lists by the pages: shown, looked at before, changed with a reason."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from schoolgate.core.approvals import Role
from schoolgate.portal.house import House
from tests.portal.asking import Asking, read
from tests.portal.requested import signed, stands_in

type Somebody = Callable[..., Any]
BLOCKED = "# ours\nb.example  # since <May>\n"


@pytest.fixture
def local(here: House) -> Iterator[Path]:
    directory = here.settings.lists.local
    (directory / "block.txt").write_text(BLOCKED)
    yield directory
    for name in ("block.txt", "allow.txt"):
        (directory / name).unlink(missing_ok=True)


@pytest.fixture
def technician(somebody: Somebody) -> Asking:
    return Asking(somebody(Role.TECHNICIAN))


def seen(browser: Asking) -> str:
    found = re.search(r'name="seen" value="([^"]+)"', stands_in(browser, "/lists/add/"))
    assert found is not None
    return found[1]


def test_both_lists_are_shown(local: Path, technician: Asking) -> None:
    text = stands_in(technician, "/lists/")
    assert "since &lt;May&gt;" in text
    assert "It is empty" in text
    (local / "allow.txt").write_text("no host\n")
    assert "until these are taken away" in stands_in(technician, "/lists/")


def test_a_site_is_looked_at_and_then_added(here: House, local: Path, technician: Asking) -> None:
    given = {"list": "allow.txt", "site": "chess.example", "seen": seen(technician)}
    looked = technician.post("/lists/add/", **given, preview="yes")
    assert not read(looked).title.startswith("Error: ")
    text = looked.content.decode()
    assert "Pupils: block (C-1) becomes allow (C-3)" in text
    assert "Staff: monitor (C-3) becomes allow (C-3)" in text
    assert not (local / "allow.txt").exists()
    answer = signed(technician, "/lists/add/", **given, reason="The club.")
    assert answer["location"] == "/lists/"
    assert (local / "allow.txt").read_text() == "chess.example  # The club. (2026-11-23)\n"
    assert "The club." in stands_in(technician, "/lists/")
    _, beside = here.trail.told(action="list.")[-1]
    assert beside["subject"] == "list:allow.txt"
    assert beside["actor"] == "account:somebody@hill.example"


def test_a_line_is_taken_away(here: House, local: Path, technician: Asking) -> None:
    [path] = [link for link in read(technician.get("/lists/")).links if "/lists/remove/" in link]
    text = stands_in(technician, path)
    assert "Pupils: monitor" in text
    fields = dict(re.findall(r'name="(list|line|seen)" value="([^"]+)"', text))
    assert read(technician.post("/lists/remove/", **fields)).title.startswith("Error: ")
    assert signed(technician, "/lists/remove/", **fields, reason="Over.")["location"] == "/lists/"
    assert (local / "block.txt").read_text() == "# ours\n"


def test_a_file_that_changed_meanwhile_is_left_as_it_is(local: Path, technician: Asking) -> None:
    given = {"list": "block.txt", "site": "x.example", "seen": seen(technician), "reason": "Y."}
    changed = BLOCKED + "c.example\n"
    (local / "block.txt").write_text(changed)
    answer = signed(technician, "/lists/add/", **given)
    assert "were changed meanwhile" in answer.content.decode()
    assert (local / "block.txt").read_text() == changed


@pytest.mark.parametrize(
    ("site", "want"),
    [
        ("com", "bare label"),
        ("https://x.example", "write only host or host/path"),
        ("b.example", "already"),
        ("", "required"),
        # What stands in a path is a path's, and neither a remark nor another line of the file.
        ("x.example/%23y", "does not fit into a line"),
        ("x.example/y%0Acom", "does not fit into a line"),
        ("x.example/y%E2%80%A8com", "does not fit into a line"),
    ],
)
def test_what_is_no_entry_is_said(local: Path, technician: Asking, site: str, want: str) -> None:
    given = {"list": "block.txt", "site": site, "seen": seen(technician), "reason": "Y."}
    answer = signed(technician, "/lists/add/", **given)
    assert want in answer.content.decode()
    assert (local / "block.txt").read_text() == BLOCKED


@pytest.mark.parametrize("query", ["", "?list=block.txt&line=1", "?list=x&line=99", "?line=x"])
def test_a_line_that_is_not_there_leads_back(local: Path, technician: Asking, query: str) -> None:
    assert technician.get(f"/lists/remove/{query}")["location"] == "/lists/"


def test_lists_that_cannot_be_read_are_said(local: Path, technician: Asking) -> None:
    (local / "block.txt").write_bytes(b"\xff")
    assert "is not UTF-8 text" in stands_in(technician, "/lists/")
    assert technician.get("/lists/add/")["location"] == "/lists/"
