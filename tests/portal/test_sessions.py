"""Sessions and guessing: what was known before is worth nothing, what was taken away ends at once."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from schoolgate.core.approvals import Role
from schoolgate.portal.house import House
from tests.portal.asking import PASSWORD, Asking
from tests.portal.test_accounts import code, sign_in

type Somebody = Callable[..., Any]
MAIL = "somebody@hill.example"
OTHER = "another three words"


def number(browser: Asking) -> str:
    return str(browser.cookies["schoolgate"].value)


def is_in(browser: Asking) -> bool:
    return bool(browser.get("/account/").status_code == 200)


@pytest.fixture
def inside(somebody: Somebody) -> Asking:
    somebody(Role.TECHNICIAN)
    browser = Asking()
    sign_in(browser)
    return browser


def test_the_number_changes_with_each_proof(here: House, somebody: Somebody) -> None:
    somebody(Role.TECHNICIAN)
    browser = Asking()
    browser.cookies["schoolgate"] = "x" * 32
    sign_in(browser)
    first = number(browser)
    browser.post("/account/again/", password="wrong")
    assert number(browser) == first
    browser.post("/account/again/", password=PASSWORD)
    assert number(browser) not in (first, "x" * 32)
    for old in (first, "x" * 32):
        stolen = Asking()
        stolen.cookies["schoolgate"] = old
        assert not is_in(stolen)
    assert is_in(browser)
    assert "(here)" in browser.get("/account/sessions/").content.decode()


def _password(here: House, browser: Asking) -> None:
    answer = browser.post(
        "/account/password/", oldpassword=PASSWORD, password1=OTHER, password2=OTHER
    )
    assert answer.status_code == 302


def _link(here: House, _: Asking) -> None:
    from schoolgate.portal.accounts import register

    link = register.password_link(register.find(MAIL))
    assert Asking().post(link, new_password1=OTHER, new_password2=OTHER).status_code == 302


def _roles(here: House, _: Asking) -> None:
    from schoolgate.portal.accounts import register

    register.set_roles(here.trail, MAIL, [Role.TECHNICIAN, Role.DSL], "test", here.now())


def _closed(here: House, _: Asking) -> None:
    from schoolgate.portal.accounts import register

    register.set_active(here.trail, MAIL, "test", here.now(), active=False)


def _everywhere_else(here: House, browser: Asking) -> None:
    assert browser.post("/account/sessions/").status_code == 302


@pytest.mark.parametrize("done", [_password, _link, _roles, _closed, _everywhere_else])
def test_what_was_taken_away_ends_at_once(
    here: House, inside: Asking, done: Callable[[House, Asking], None]
) -> None:
    other = Asking()
    sign_in(other)
    assert is_in(other)
    done(here, inside)
    assert not is_in(other)
    assert is_in(inside) is (done in (_password, _everywhere_else))


def test_who_signs_out_leaves_nothing(here: House, inside: Asking) -> None:
    old = number(inside)
    inside.post("/account/sign-out/")
    stolen = Asking()
    stolen.cookies["schoolgate"] = old
    assert not is_in(stolen)


def test_the_list_of_sessions_says_which_and_since_when(here: House, inside: Asking) -> None:
    other = Asking(address="10.9.0.8")
    sign_in(other)
    page = inside.get("/account/sessions/").content.decode()
    assert "10.9.0.7 (here)" in page
    assert "from 10.9.0.8:" in page
    assert page.count(f"{time.localtime().tm_year}, ") >= 2


# -- guessing ------------------------------------------------------------------------------------


def device(browser: Asking, name: str, password: str) -> Any:
    return browser.post("/device/", name=name, password=password, hours="0")


def page_of(answer: Any, name: str) -> str:
    """Give a page without what differs each time, and without the name itself."""
    lines = answer.content.decode().replace(name, "").splitlines()
    return "\n".join(line for line in lines if "csrf" not in line and "nonce" not in line)


@pytest.mark.long
@pytest.mark.parametrize("enter", [sign_in, device])
def test_a_name_that_nobody_has_is_answered_as_one_that_somebody_has(
    here: House, somebody: Somebody, enter: Callable[[Asking, str, str], Any]
) -> None:
    somebody(Role.TEACHER)
    for attempt in range(7):
        known, unknown = (
            enter(Asking(address=f"10.9.1.{attempt}"), name, "wrong words here")
            for name in (MAIL, "nobody@hill.example")
        )
        assert known.status_code == unknown.status_code
        assert page_of(known, MAIL) == page_of(unknown, "nobody@hill.example")
    held_up = enter(Asking(address="10.9.2.1"), MAIL, PASSWORD)
    assert "Too many" in held_up.content.decode() or held_up.status_code == 429


@pytest.mark.parametrize("name", [MAIL, "nobody@hill.example"])
def test_a_password_is_hashed_for_either(
    here: House, somebody: Somebody, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """How long it takes is the hash's time: there must be one for either name."""
    from schoolgate.portal.accounts.hashing import Argon2

    somebody(Role.TEACHER)
    hashed: list[str] = []
    for method in ("encode", "verify"):
        monkeypatch.setattr(Argon2, method, lambda *_: bool(hashed.append("once")))  # type: ignore[func-returns-value]
    for enter in (sign_in, device):
        enter(Asking(), name, "wrong words here")
        assert hashed == ["once"], enter.__name__
        hashed.clear()


@pytest.mark.long
def test_an_address_that_tries_many_names_is_held_up(here: House) -> None:
    said = [sign_in(Asking(), f"name{n}@hill.example", "wrong").content.decode() for n in range(12)]
    assert "Too many" not in said[9]
    assert "Too many" in said[10]
    statuses = [device(Asking(), f"name{n}", "wrong").status_code for n in range(22)]
    assert (statuses[19], statuses[20]) == (200, 429)


def test_whoever_ends_the_portal_begins_nothing_anew(here: House, somebody: Somebody) -> None:
    """What is counted stands in the database, and cannot be pushed out of it."""
    from django.core.cache import cache
    from django.core.cache.backends.db import DatabaseCache
    from django.db import connection

    somebody()
    for _ in range(5):
        sign_in(Asking(), password="wrong")
    for number in range(400):
        cache.set(f"pushes:{number}", "x")
    assert isinstance(cache._connections[cache._alias], DatabaseCache)
    connection.close()
    assert "Too many" in sign_in(Asking()).content.decode()


# -- codes -----------------------------------------------------------------------------------------


@pytest.fixture
def secret(inside: Asking, monkeypatch: pytest.MonkeyPatch) -> str:
    """Give the secret of an app that was set up an hour ago."""
    from allauth.mfa.totp.internal import auth

    from schoolgate.portal.accounts.models import Person

    made = str(auth.generate_totp_secret())
    auth.TOTP.activate(Person.objects.get(email=MAIL), made)
    # A code that is made now must not be over before it is looked at.
    now = (int(time.time()) // 30) * 30 + 15
    monkeypatch.setattr(time, "time", lambda: now)
    return made


@pytest.mark.parametrize(
    ("early", "want"), [(-31, True), (0, True), (29, True), (-62, False), (62, False)]
)
def test_the_clock_of_a_phone_may_be_wrong_by_one_step(
    secret: str, monkeypatch: pytest.MonkeyPatch, early: int, want: bool
) -> None:
    shown = at(early, secret, monkeypatch)
    browser = Asking()
    sign_in(browser)
    browser.post("/account/code/", code=shown)
    assert is_in(browser) is want


def at(seconds: int, secret: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Give the code of a phone whose clock is wrong by so much."""
    now = time.time()
    with monkeypatch.context() as patch:
        patch.setattr(time, "time", lambda: now + seconds)
        shown: str = code(secret)
    return shown


@pytest.mark.parametrize("later", [0, 31, 59])
def test_a_code_does_once(secret: str, monkeypatch: pytest.MonkeyPatch, later: int) -> None:
    shown = at(29, secret, monkeypatch)
    now = time.time()
    for browser, want in ((Asking(), True), (Asking(), False)):
        sign_in(browser)
        browser.post("/account/code/", code=shown if want else f" {shown[:3]} {shown[3:]}")
        assert is_in(browser) is want
        # allauth's own note of it has gone, and it would still be right.
        monkeypatch.setattr(time, "time", lambda: now + later)
        forget_step(later)
    again = Asking()
    sign_in(again)
    again.post("/account/code/", code=shown)
    assert not is_in(again)


def forget_step(later: int) -> None:
    """Let what allauth keeps for one step be over."""
    from django.db import connection

    if later > 30:
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM portal_limits WHERE cache_key LIKE '%totp.used%'")


def test_a_code_that_was_used_signs_nothing(secret: str, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = at(0, secret, monkeypatch)
    browser = Asking()
    sign_in(browser)
    assert browser.post("/account/code/", code=shown).status_code == 302
    assert browser.post("/account/again/code/", code=shown).status_code == 200
