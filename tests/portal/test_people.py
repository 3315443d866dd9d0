"""Accounts and roles by the pages: each change recorded, what may be a slip said before, powers told."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from schoolgate.core.approvals import Role
from schoolgate.portal.house import House
from schoolgate.storage import Outbox
from tests.portal.asking import PASSWORD, Asking, read
from tests.portal.requested import signed, stands_in

type Somebody = Callable[..., Any]
TESS = "tess@hill.example"


@pytest.fixture
def technician(somebody: Somebody) -> Asking:
    return Asking(somebody(Role.TECHNICIAN, email=TESS))


def account(email: str) -> Any:
    from schoolgate.portal.accounts.register import find

    return find(email)


def path_of(email: str) -> str:
    return f"/people/{account(email).pk}/"


def told(database: tuple[House, Engine]) -> list[tuple[str, str]]:
    return [(one.audience, one.about) for one, _ in Outbox(database[1]).unsent()]


def last(here: House) -> tuple[str, str, str, Any]:
    entry, beside = here.trail.told(action="account.")[-1]
    return beside["actor"], entry.action, beside["subject"], beside["detail"]


def test_an_account_is_made_and_its_link_is_shown_once(here: House, technician: Asking) -> None:
    given = {"name": "Ann", "email": "Ann@hill.example", "roles": "teacher"}
    answer = signed(technician, "/people/add/", **given)
    page = read(answer)
    assert page.headings == ["A link for Ann"]
    [link] = [word for word in page.text.split() if "/password/" in word and "mailto" not in word]
    path = link.partition("schoolgate.internal")[2].partition("<")[0]
    done = Asking().post(path, new_password1=PASSWORD, new_password2=PASSWORD)
    assert done["location"] == "/account/sign-in/"
    assert account("ann@hill.example").roles == ["teacher"]
    assert last(here) == (
        f"account:{TESS}", "account.added", "account:ann@hill.example",
        {"name": "Ann", "roles": ["teacher"]},
    )  # fmt: skip
    listed = stands_in(technician, "/people/")
    assert "ann@hill.example" in listed
    assert f"{TESS} made the account of ann@hill.example: teacher" in listed
    again = technician.post("/people/add/", **given)
    assert "there is an account of ann@hill.example already" in again.content.decode().lower()


def test_nothing_is_done_without_the_password(here: House, technician: Asking) -> None:
    before = len(here.trail.told())
    for path, fields in (
        ("/people/add/", {"name": "Ann", "email": "ann@hill.example"}),
        (f"{path_of(TESS)}link/", {}),
        (path_of(TESS), {"roles": ["technician", "dsl"]}),
    ):
        answer = technician.post(path, **fields)
        assert answer["location"].startswith("/account/again/"), path
    assert len(here.trail.told()) == before


def test_who_has_no_password_here_is_asked_again_too(here: House, somebody: Somebody) -> None:
    person = somebody(Role.TECHNICIAN, email=TESS)
    browser = Asking(person)
    # As of somebody who signs in at a provider alone.
    person.set_unusable_password()
    person.save()
    browser = Asking(person)
    tomorrow = (here.now() + timedelta(days=1)).date().isoformat()
    before = len(here.trail.told())
    seen = {
        path: browser.post(path, **fields)["location"]
        for path, fields in (
            ("/people/add/", {"name": "Ann", "email": "ann@hill.example"}),
            (f"{path_of(TESS)}link/", {}),
            (f"{path_of(TESS)}close/", {"sure": "yes"}),
            ("/known/suspend/", {"who": "client:10.9.9.9", "day": tomorrow, "reason": "X."}),
        )
    }
    asking = ("/account/again/", "/account/sign-in/")
    assert {path: to for path, to in seen.items() if not to.startswith(asking)} == {}
    assert len(here.trail.told()) == before


def test_roles_are_changed_and_powers_are_told_to_the_headteacher(
    here: House, somebody: Somebody, technician: Asking, database: tuple[House, Engine]
) -> None:
    somebody(Role.TEACHER, email="ann@hill.example")
    path = path_of("ann@hill.example")
    signed(technician, path, roles="dsl")
    assert told(database) == []
    assert signed(technician, path, roles="headteacher")["location"] == "/people/"
    assert last(here) == (
        f"account:{TESS}", "account.roles", "account:ann@hill.example",
        {"before": ["dsl"], "after": ["headteacher"]},
    )  # fmt: skip
    assert told(database) == [("role:headteacher", "account:ann@hill.example")]
    head = Asking(account("ann@hill.example"))
    assert f"{TESS} changed the roles of ann@hill.example: dsl → headteacher" in stands_in(
        head, "/people/"
    )


def test_the_owner_is_told_of_a_link(
    here: House, somebody: Somebody, technician: Asking, database: tuple[House, Engine]
) -> None:
    somebody(Role.HEADTEACHER, email="head@hill.example")
    answer = signed(technician, f"{path_of('head@hill.example')}link/")
    assert "/password/" in answer.content.decode()
    assert told(database) == [("account:head@hill.example", "")]
    assert last(here)[1] == "account.link"


def test_one_is_told_before_one_takes_the_last_role_from_oneself(
    here: House, somebody: Somebody, technician: Asking
) -> None:
    path = path_of(TESS)
    answer = technician.post(path, roles="teacher")
    text = answer.content.decode()
    assert "You take the role of technician from yourself" in text
    assert "Nobody else is technician here" in text
    assert account(TESS).roles == ["technician"]
    assert signed(technician, path, roles="teacher", sure="on")["location"] == "/"
    assert account(TESS).roles == ["teacher"]


def test_one_is_told_before_one_closes_ones_own_account(here: House, technician: Asking) -> None:
    path = f"{path_of(TESS)}close/"
    assert "This is your own account" in stands_in(technician, path)
    assert read(technician.post(path, sure="")).title.startswith("Error: ")
    assert account(TESS).is_active
    signed(technician, path, sure="on")
    assert not account(TESS).is_active


def test_accounts_are_closed_and_opened_again(
    here: House, somebody: Somebody, technician: Asking
) -> None:
    head, path = "head@hill.example", ""
    somebody(Role.HEADTEACHER, email=head)
    path = path_of(head)
    assert (
        "Nobody else is headteacher here"
        in technician.post(f"{path}close/", sure="").content.decode()
    )
    somebody(Role.HEADTEACHER, email="other@hill.example")
    assert signed(technician, f"{path}close/")["location"] == "/people/"
    assert not account(head).is_active
    assert "closed" in stands_in(technician, path)
    signed(technician, f"{path}open/")
    assert account(head).is_active
    assert last(here)[1] == "account.enabled"


def test_nobody_is_found_under_a_number_that_nobody_has(technician: Asking) -> None:
    for path in ("/people/999999/", "/people/999999/close/"):
        assert technician.get(path).status_code == 404
