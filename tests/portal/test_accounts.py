"""The first account, links, roles, the end of an account, and signing in with a second factor."""

import base64
import hashlib
import hmac
import re
import struct
import time
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine

from schoolgate.core.approvals import Role
from schoolgate.core.errors import RefusedError
from schoolgate.portal.house import House
from schoolgate.storage import AuditTrail
from tests.portal.asking import PASSWORD, Asking, read
from tests.school import NOON

type Somebody = Callable[..., Any]
FIRST = {
    "name": "Tess Technician",
    "email": "Tess@hill.example",
    "role": "technician",
    "password": PASSWORD,
    "again": PASSWORD,
}


def recorded(database: tuple[House, Engine]) -> list[tuple[str, str, str]]:
    """Give the audit trail, without what other tests wrote."""
    told = AuditTrail(database[1]).told()
    return [(beside["actor"], entry.action, beside["subject"]) for entry, beside in told]


def sign_in(browser: Asking, email: str = "somebody@hill.example", password: str = PASSWORD) -> Any:
    return browser.post("/account/sign-in/", login=email, password=password)


# -- the first account ---------------------------------------------------------------------------


def test_the_first_account_is_made_by_whoever_has_the_link_once(
    here: House, database: tuple[House, Engine]
) -> None:
    from schoolgate.portal.application import first_link

    link = first_link(here.settings, "127.0.0.1:8000")
    assert link == first_link(here.settings, "127.0.0.1:8000"), "it stays until it is used"
    file = here.settings.first_link_file
    assert file.stat().st_mode & 0o777 == 0o600
    path = link.removeprefix("http://127.0.0.1:8000")
    browser = Asking()
    assert read(browser.get(path)).headings == ["Make the first account"]
    assert browser.post(path, **FIRST)["location"] == "/account/sign-in/"
    assert recorded(database)[-1] == ("first-run", "account.added", "account:Tess@hill.example")
    assert browser.get(path).status_code == browser.post(path, **FIRST).status_code == 404
    assert not file.exists()
    assert first_link(here.settings, "127.0.0.1:8000") == ""
    assert sign_in(browser, "tess@hill.example")["location"] == "/"
    assert "/sign-ins/" in read(browser.get("/")).links


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"password": "short", "again": "short"}, "too short"),
        ({"password": "telechargement", "again": "telechargement"}, "too common"),
        ({"again": "something else entirely"}, "not the same"),
        ({"email": "nobody"}, "valid email address"),
        ({"role": "governor"}, "valid choice"),
        ({"name": ""}, "required"),
    ],
)
def test_a_first_account_with_faults_is_not_made(
    here: House, changed: dict[str, str], fault: str
) -> None:
    from schoolgate.portal.accounts.models import Person
    from schoolgate.portal.application import first_link

    path = first_link(here.settings, "a").removeprefix("http://a")
    answer = Asking().post(path, **(FIRST | changed))
    assert fault in answer.content.decode()
    assert read(answer).title.startswith("Error: ")
    assert not Person.objects.exists()


def test_who_guesses_at_the_link_is_held_up(here: House) -> None:
    statuses = [Asking().post("/first/guess/", **FIRST).status_code for _ in range(12)]
    assert statuses[0] == 404
    assert statuses[-1] == 429


# -- accounts that others make --------------------------------------------------------------------


def test_the_owner_of_a_link_chooses_a_password_once(
    here: House, database: tuple[House, Engine]
) -> None:
    from schoolgate.portal.accounts import register

    person = register.add(
        here.trail, "Ann@hill.example", "Ann", [Role.TEACHER], "system:root", NOON
    )
    assert recorded(database)[-1] == ("system:root", "account.added", "account:ann@hill.example")
    path = register.password_link(person)
    browser = Asking()
    assert sign_in(browser, "ann@hill.example").status_code == 200, "it has no password"
    weak = browser.post(path, new_password1="ann", new_password2="ann")
    assert "too short" in weak.content.decode()
    done = browser.post(path, new_password1=PASSWORD, new_password2=PASSWORD)
    assert done["location"] == "/account/sign-in/"
    assert browser.get(path).status_code == 410
    assert sign_in(browser, "ann@hill.example")["location"] == "/"


def test_links_of_others_open_nothing(here: House, somebody: Somebody) -> None:
    from schoolgate.portal.accounts import register

    ann, ben = somebody(email="ann@hill.example"), somebody(email="ben@hill.example")
    token = register.password_link(ann).split("/")[3]
    key = register.password_link(ben).split("/")[2]
    for path in (f"/password/{key}/{token}/", "/password/%F0%9F/x/", "/password/AAAA/x/"):
        assert Asking().get(path).status_code == 410, path


def test_roles_are_changed_with_a_record(
    here: House, somebody: Somebody, database: tuple[House, Engine]
) -> None:
    from schoolgate.portal.accounts import register

    somebody(Role.TEACHER)
    register.set_roles(
        here.trail, "Somebody@hill.example ", [Role.DSL, Role.HEADTEACHER], "system:root", NOON
    )
    assert register.find("somebody@hill.example").roles == ["dsl", "headteacher"]
    entry, beside = AuditTrail(database[1]).told()[-1]
    assert (entry.action, beside["detail"]) == (
        "account.roles", {"before": ["teacher"], "after": ["dsl", "headteacher"]},
    )  # fmt: skip


@pytest.mark.parametrize(
    "email",
    [
        "", "nobody", "a@b@c.example", "x" * 300 + "@hill.example", "a@hill.example\r\nBcc: b@c.example",
        "a@hill.example\nb@c.example", '"a@hill.example" <b@c.example>', "A <a@hill.example>",
        "a@hill.example, b@c.example", "a@hill.example;b@c.example", "\u202ea@hill.example",
    ],
)  # fmt: skip
def test_what_is_no_address_gets_no_account(here: House, email: str) -> None:
    from schoolgate.portal.accounts import register

    with pytest.raises(RefusedError, match="not an email address"):
        register.add(here.trail, email, "X", [], "system:root", NOON)


def test_an_address_has_one_account(here: House, somebody: Somebody) -> None:
    from schoolgate.portal.accounts import register

    somebody()
    with pytest.raises(RefusedError, match="already"):
        register.add(here.trail, "SOMEBODY@hill.example", "X", [], "system:root", NOON)


def test_a_closed_account_is_signed_out_at_once(here: House, somebody: Somebody) -> None:
    from schoolgate.portal.accounts import register

    somebody(Role.TECHNICIAN)
    browser = Asking()
    sign_in(browser)
    assert browser.get("/account/").status_code == 200
    register.set_active(here.trail, "somebody@hill.example", "system:root", NOON, active=False)
    assert browser.get("/account/").status_code == 302
    assert sign_in(browser)["location"] == "/account/inactive/"
    register.set_active(here.trail, "somebody@hill.example", "system:root", NOON, active=True)
    assert sign_in(browser)["location"] == "/"


# -- signing in ------------------------------------------------------------------------------------


def test_guessing_a_password_is_held_up(here: House, somebody: Somebody) -> None:
    somebody()
    for _ in range(5):
        assert "Too many" not in sign_in(Asking(), password="wrong").content.decode()
    answer = sign_in(Asking())
    assert "Too many failed login attempts" in answer.content.decode()


def test_a_sign_in_leads_nowhere_else(here: House, somebody: Somebody) -> None:
    somebody()
    for target in ("https://elsewhere.example/", "//elsewhere.example", "javascript:alert(1)"):
        answer = Asking().post(
            "/account/sign-in/", login="somebody@hill.example", password=PASSWORD, next=target
        )
        assert answer["location"] == "/", target


def test_a_sign_in_gets_a_session_of_its_own(here: House, somebody: Somebody) -> None:
    somebody()
    browser = Asking()
    browser.cookies["schoolgate"] = "chosen-by-somebody-else"
    sign_in(browser)
    assert browser.cookies["schoolgate"].value != "chosen-by-somebody-else"


def text(answer: Any) -> str:
    return str(answer.content.decode())


def code(secret: str) -> str:
    """Give what an authenticator app shows now (RFC 6238)."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    digest = hmac.new(key, struct.pack(">Q", int(time.time()) // 30), hashlib.sha1).digest()
    at = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[at : at + 4])[0] & 0x7FFFFFFF) % 1_000_000:06d}"


def test_a_second_factor_is_set_up_and_then_asked_for(here: House, somebody: Somebody) -> None:
    from allauth.mfa.models import Authenticator

    somebody()
    browser = Asking()
    sign_in(browser)
    assert browser.get("/account/app/")["location"].startswith("/account/again/?next=")
    browser.post("/account/again/", password=PASSWORD)
    page = text(browser.get("/account/app/"))
    found = re.search(r'<code class="sg-breaks">(\w+)</code>', page)
    assert found is not None, page
    secret = found[1]
    # A code holds for half a minute, which may end before it is looked at: then the next one.
    answers = (browser.post("/account/app/", code=code(secret)) for _ in range(3))
    done = next(answer for answer in answers if answer.status_code == 302)
    assert done["location"] == "/account/codes/"
    [recovery] = Authenticator.objects.filter(type="recovery_codes")
    codes = recovery.wrap().get_unused_codes()
    shown = browser.get("/account/codes/").content.decode()
    assert all(each in shown for each in codes)
    assert browser.get("/account/codes/file/").content.decode().split() == codes

    another = Asking()
    assert sign_in(another)["location"] == "/account/code/"
    assert another.get("/account/").status_code == 302, "not signed in yet"
    assert another.post("/account/code/", code="000000").status_code == 200
    assert another.post("/account/code/", code=codes[0])["location"] == "/"
    assert another.get("/account/").status_code == 200


def test_passkeys_of_others_are_not_there(here: House, somebody: Somebody) -> None:
    from allauth.mfa.models import Authenticator

    ann, ben = somebody(email="ann@hill.example"), somebody(email="ben@hill.example")
    data = {"name": "Ann's phone", "credential": {}}
    key = Authenticator.objects.create(user=ann, type="webauthn", data=data)
    browser = Asking(ben)
    browser.post("/account/again/", password=PASSWORD)
    for path in (f"/account/keys/{key.pk}/edit/", f"/account/keys/{key.pk}/remove/"):
        assert browser.get(path).status_code == 404
        assert browser.post(path, name="mine").status_code == 404
    assert "Ann&#39;s phone" not in text(browser.get("/account/keys/"))
    assert Authenticator.objects.get(pk=key.pk).data == data


def test_one_mail_a_day_is_chosen_for_ones_own_account(here: House, somebody: Somebody) -> None:
    browser = Asking(somebody(email="ann@hill.example"))
    somebody(email="ben@hill.example")
    assert "One a day, at 16:00" in text(browser.get("/account/mail/"))
    assert browser.post("/account/mail/", how="daily")["location"] == "/account/"
    assert here.digests.readers() == {"ann@hill.example"}
    assert re.search(r'value="daily"[^>]* checked', text(browser.get("/account/mail/")))
    assert browser.post("/account/mail/", how="never").status_code == 200
    browser.post("/account/mail/", how="at-once")
    assert here.digests.readers() == frozenset()
