"""Pages while the store is out of reach: a request is kept and said so, the others say to come back."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import OperationalError

from schoolgate.core.approvals import Actor, Role
from schoolgate.portal.house import House
from schoolgate.services.kept_requests import Delivery
from tests.portal import conftest
from tests.portal.asking import Asking
from tests.portal.requested import FORM, URL, stands_in

type Somebody = Callable[..., Any]
HEAD = Actor("head@hill.example", frozenset({Role.HEADTEACHER}))


@pytest.fixture
def lose(monkeypatch: pytest.MonkeyPatch, here: House) -> Iterator[Callable[[str], None]]:
    """Take the store away: it fails at once, or it would be waited for."""

    def lost(how: str) -> None:
        def fails(*_: object, **__: object) -> None:
            raise OperationalError("the server is gone")

        # Whatever asks Django's database fails in both cases: nothing may ask it.
        monkeypatch.setattr("django.db.backends.utils.CursorWrapper.execute", fails)
        conftest.NEAR[0] = how == "fails"

    yield lost
    monkeypatch.undo()
    for kept in here.kept.waiting():
        here.kept.forget(kept)


@pytest.mark.parametrize("how", ["fails", "hangs"])
def test_a_request_is_kept_said_to_be_and_sent_once_when_the_store_is_back(
    here: House, somebody: Somebody, lose: Callable[[str], None], how: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    from schoolgate.portal.accounts.register import actor_with

    browser = Asking(somebody(Role.TEACHER))
    hidden = re.search(r'name="submission" value="([^"]+)"', stands_in(browser, "/ask/"))
    assert hidden
    lose(how)
    assert "is kept on this gateway" in stands_in(browser, "/ask/")
    for _ in range(2):
        answer = browser.post("/ask/", **FORM, submission=hidden[1])
        assert answer.status_code == 202
        assert f"Your request for {URL} is kept" in answer.content.decode()
    assert "schoolgate" not in answer.cookies, "the session stays as it is"
    monkeypatch.undo()
    conftest.NEAR[0] = True
    assert here.approvals.requests(HEAD) == []
    sender = Delivery(here.kept, here.approvals, actor_with, here.now)
    assert (sender.round(), sender.round()) == (1, 0)
    [request] = here.approvals.requests(HEAD)
    assert (request.requester, request.form.url) == ("somebody@hill.example", URL)
    assert "games.example" in stands_in(browser, "/requests/")


def test_a_form_with_faults_is_shown_again_and_not_kept(
    here: House, somebody: Somebody, lose: Callable[[str], None]
) -> None:
    browser = Asking(somebody(Role.TEACHER))
    stands_in(browser, "/ask/")
    lose("fails")
    for changed, said in (({"reasons": ""}, "required"), ({"url": "no address"}, "Error")):
        answer = browser.post("/ask/", **(FORM | changed))
        assert (answer.status_code, said in answer.content.decode()) == (200, True)
    assert list(here.kept.waiting()) == []


def test_who_was_not_seen_signed_in_before_is_told_to_come_back(
    here: House, somebody: Somebody, lose: Callable[[str], None]
) -> None:
    seen, stranger = (
        Asking(somebody(Role.TEACHER)),
        Asking(somebody(Role.TEACHER, email="b@x.example")),
    )
    stands_in(seen, "/ask/")
    lose("fails")
    assert stranger.post("/ask/", **FORM).status_code == 503
    assert list(here.kept.waiting()) == []


@pytest.mark.parametrize("path", ["/requests/", "/grants/", "/account/"])
def test_every_other_page_says_that_it_needs_the_store(
    here: House, somebody: Somebody, lose: Callable[[str], None], path: str
) -> None:
    browser = Asking(somebody(Role.HEADTEACHER))
    stands_in(browser, path)
    lose("fails")
    answer = browser.get(path)
    assert answer.status_code == 503
    assert "cannot be reached at the moment" in answer.content.decode()


def test_what_everybody_may_read_stays_readable(
    here: House, somebody: Somebody, lose: Callable[[str], None]
) -> None:
    lose("hangs")
    assert Asking().get("/policy/").status_code == 200


def test_who_signed_out_is_forgotten(
    here: House, somebody: Somebody, lose: Callable[[str], None]
) -> None:
    browser = Asking(somebody(Role.TEACHER))
    stands_in(browser, "/ask/")
    session = browser.cookies["schoolgate"].value
    assert here.memory.of(session) is not None
    browser.post("/account/sign-out/")
    browser.cookies["schoolgate"] = session
    browser.get("/")
    assert here.memory.of(session) is None
