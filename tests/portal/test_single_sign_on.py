"""Signing in at a provider: who is of the school comes in, in the roles that they have; nobody else does."""

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from html import unescape
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from joserfc.jwk import RSAKey
from sqlalchemy import Engine

from schoolgate.core.approvals import Role
from schoolgate.portal.house import House
from schoolgate.settings.single_sign_on import ProviderSettings
from tests import oidc_provider
from tests.oidc_provider import CLIENT, SECRET, Provider
from tests.portal.asking import PASSWORD, Asking, read
from tests.portal.requested import DECISION, asked
from tests.portal.test_accounts import recorded

type Somebody = Callable[..., Any]
TENANT = "11111111-2222-3333-4444-555555555555"
GOOGLE = {"kind": "google"}
ENTRA = {"kind": "entra", "tenant": TENANT}
MEMBER = {"tid": TENANT, "email": None, "preferred_username": "ann@hill.example"}
GROUPS = {"teachers": ["teacher"], "heads": ["headteacher", "slt"]}
ANN = "ann@hill.example"


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    with oidc_provider.running(tmp_path_factory.mktemp("provider")) as provider:
        yield provider


@pytest.fixture
def provider(there: Provider) -> Provider:
    """The provider, which says again what is usual."""
    there.claims, there.document, there.codes = {}, {}, {}
    there.algorithm, there.key, there.broken = "RS256", None, False
    return there


@pytest.fixture
def offer(here: House, provider: Provider, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Put a provider into the settings."""
    from django.conf import settings as django_settings

    def put(**changed: Any) -> None:
        given = {
            "id": "hill", "name": "Hill accounts", "issuer": provider.issuer, "client_id": CLIENT,
            "client_secret": SECRET, "domains": ["hill.example"], "ca_file": provider.ca_file,
            "roles": GROUPS, "default_role": "staff",
        }  # fmt: skip
        one = ProviderSettings.model_validate(given | changed)
        portal = here.settings.portal.model_copy(update={"oidc": (one,)})
        settings = here.settings.model_copy(update={"portal": portal})
        monkeypatch.setattr(django_settings, "SCHOOLGATE_HOUSE", replace(here, settings=settings))

    put()
    return put


def go(browser: Asking, path: str = "/account/with/hill/", **fields: str) -> str:
    """Send the form that leads to the provider, and give where it leads."""
    answer = browser.post(path, **fields)
    assert answer.status_code == 200, answer.get("location")
    page = answer.content.decode()
    found = re.search(r'http-equiv="refresh" content="0; url=([^"]+)"', page)
    assert found is not None, page
    url = unescape(found[1])
    assert read(answer).links.count(url) == 1
    return url


def back(provider: Provider, url: str) -> str:
    """Sign in at the provider, and give where that leads."""
    answer = httpx.get(url, verify=_trusting(provider))
    home = urlsplit(answer.headers["location"])
    assert home.netloc == "schoolgate.internal"
    return f"{home.path}?{home.query}"


def _trusting(provider: Provider) -> Any:
    import ssl

    return ssl.create_default_context(cafile=str(provider.ca_file))


def signed_in(provider: Provider, browser: Asking, **fields: str) -> Any:
    return browser.get(back(provider, go(browser, **fields)))


def is_in(browser: Asking) -> bool:
    return bool(browser.get("/account/").status_code == 200)


def roles(email: str = ANN) -> list[str]:
    from schoolgate.portal.accounts import register

    return list(register.find(email).roles)


def sentence(browser: Asking) -> str:
    return str(browser.get("/account/sign-in/").content.decode())


# -- who comes in ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "claims", "want"),
    [
        ({}, {}, ["staff"]),
        ({}, {"groups": ["teachers", "others"]}, ["teacher"]),
        ({}, {"groups": "heads"}, ["headteacher", "slt"]),
        ({"roles_claim": "email", "roles": {ANN: ["dsl"]}}, {}, ["dsl"]),
        (GOOGLE, {"hd": "hill.example"}, ["staff"]),
        (ENTRA, MEMBER | {"groups": ["heads"]}, ["headteacher", "slt"]),
        (
            ENTRA,
            MEMBER | {"email": ANN, "xms_edov": True, "preferred_username": "x@y.example"},
            ["staff"],
        ),
        (ENTRA, MEMBER | {"email": "head@hill.example"}, ["staff"]),
    ],
)
def test_who_is_of_the_school_gets_an_account(
    provider: Provider, offer: Callable[..., None], database: tuple[House, Engine],
    settings: dict[str, Any], claims: dict[str, Any], want: list[str],
) -> None:  # fmt: skip
    offer(**settings)
    provider.claims = claims
    browser = Asking()
    before = str(browser.get("/account/sign-in/").content.decode())
    assert "Sign in with Hill accounts" in before
    assert signed_in(provider, browser, next="/requests/")["location"] == "/requests/"
    assert is_in(browser)
    assert roles() == want
    assert ("provider:hill", "account.added", f"account:{ANN}") in recorded(database)
    assert browser.post("/account/sign-out/").status_code == 302
    assert signed_in(provider, browser)["location"] == "/"
    assert roles() == want


@pytest.mark.parametrize(
    ("claims", "problem"),
    [
        ({"email": "ann@other.example"}, "only accounts of hill.example"),
        ({"groups": ["others"]}, "no role in the portal"),
    ],
)
def test_nobody_else_does(
    provider: Provider, offer: Callable[..., None], claims: dict[str, Any], problem: str
) -> None:
    from schoolgate.portal.accounts.models import Person

    offer(default_role=None)
    provider.claims = claims
    browser = Asking()
    assert signed_in(provider, browser)["location"] == "/account/sign-in/"
    assert problem in sentence(browser)
    assert not is_in(browser)
    assert not Person.objects.exists()


def _other_key(provider: Provider) -> None:
    provider.key = RSAKey.generate_key(2048, {"kid": "one"})


def _public_key_as_secret(provider: Provider) -> None:
    provider.algorithm = "HS256"


def _unsigned(provider: Provider) -> None:
    provider.algorithm = "none"


def _claims(**claims: Any) -> Callable[[Provider], None]:
    def say(provider: Provider) -> None:
        provider.claims = claims

    return say


@pytest.mark.parametrize(
    "forged",
    [
        _other_key,
        _claims(nonce="another"),
        *(
            pytest.param(forged, marks=pytest.mark.long)
            for forged in (
                _public_key_as_secret,
                _unsigned,
                _claims(iss="https://evil.example"),
                _claims(aud="another"),
                _claims(aud=[CLIENT, "another"]),
                _claims(aud=None),
                _claims(nonce=None),
                _claims(exp=1_000_000_000),
                _claims(exp=None),
                _claims(nbf=4_000_000_000),
                _claims(sub=None),
                _claims(sub=""),
                _claims(sub="x" * 200),
                _claims(sub=["1"]),
            )
        ),
    ],
)
def test_a_token_that_is_not_whole_opens_nothing(
    provider: Provider, offer: Callable[..., None], forged: Callable[[Provider], None]
) -> None:
    forged(provider)
    browser = Asking()
    assert signed_in(provider, browser)["location"] == "/account/sign-in/"
    assert "cannot be believed" in sentence(browser)
    assert not is_in(browser)


def test_an_answer_does_once_and_for_who_asked(
    provider: Provider, offer: Callable[..., None]
) -> None:
    browser, other = Asking(), Asking()
    path = back(provider, go(browser))
    assert other.get(path)["location"] == "/account/sign-in/"
    assert not is_in(other)
    assert browser.get(path)["location"] == "/"
    browser.post("/account/sign-out/")
    assert browser.get(path)["location"] == "/account/sign-in/"
    assert not is_in(browser)
    for query in (
        "",
        "?code=x",
        "?state=x",
        "?error=access_denied&state=x",
        "?code=x&state=" + "x" * 3000,
    ):
        answer = browser.get(f"/account/with/hill/done/{query}")
        assert answer["location"] == "/account/sign-in/", query
    assert Asking().post("/account/with/another/").status_code == 404
    assert Asking().get("/account/with/another/done/?code=x&state=x").status_code == 404


def test_who_is_sent_there_is_led_nowhere_else(
    provider: Provider, offer: Callable[..., None]
) -> None:
    for target in (
        "//evil.example",
        "https://evil.example",
        "javascript:alert(1)",
        "/\\evil.example",
    ):
        assert signed_in(provider, Asking(), next=target)["location"] == "/", target
    for name in ("process", "scope", "auth_params", "action"):
        url = go(Asking(), f"/account/with/hill/?{name}=connect", **{name: "connect"})
        assert "connect" not in url


@pytest.mark.parametrize(
    "fails",
    [
        lambda provider: setattr(provider, "broken", True),
        lambda provider: provider.document.update(issuer="https://evil.example"),
        lambda provider: provider.document.update(authorization_endpoint="http://evil.example"),
        lambda provider: provider.document.update(jwks_uri="file:///etc/passwd"),
        lambda provider: provider.document.update(token_endpoint=None),
        lambda provider: provider.document.update(more="x" * 600_000),
    ],
)
def test_a_provider_that_cannot_be_asked_is_said_to_be_so(
    provider: Provider, offer: Callable[..., None], fails: Callable[[Provider], None]
) -> None:
    fails(provider)
    browser = Asking()
    answer = browser.post("/account/with/hill/")
    assert answer["location"] == "/account/sign-in/"
    assert "Hill accounts cannot be asked at the moment" in sentence(browser)


@pytest.mark.parametrize(
    "changed",
    [
        {"issuer": "https://127.0.0.1:1"},
        {"ca_file": None},
        {"client_secret": None, "client_secret_file": "/nowhere/secret"},
    ],
)
def test_so_is_one_that_is_not_there(offer: Callable[..., None], changed: dict[str, Any]) -> None:
    offer(**changed)
    browser = Asking()
    assert browser.post("/account/with/hill/")["location"] == "/account/sign-in/"
    assert "cannot be asked at the moment" in sentence(browser)


def test_one_that_fails_between_is_said_to_be_so(
    provider: Provider, offer: Callable[..., None]
) -> None:
    browser = Asking()
    path = back(provider, go(browser))
    provider.broken = True
    assert browser.get(path)["location"] == "/account/sign-in/"
    assert "cannot be asked at the moment" in sentence(browser)


# -- accounts that are there already -----------------------------------------------------------------


def test_an_account_that_is_there_is_taken_over_only_where_that_is_said(
    provider: Provider, offer: Callable[..., None], somebody: Somebody,
    database: tuple[House, Engine],
) -> None:  # fmt: skip
    somebody(Role.TECHNICIAN, email=ANN)
    browser = Asking()
    signed_in(provider, browser)
    assert "there is an account of your address already" in sentence(browser)
    assert not is_in(browser)
    offer(auto_link=True)
    signed_in(provider, browser)
    assert is_in(browser)
    assert roles() == ["technician"], "no claim gives or takes that"
    assert ("provider:hill", "account.linked", f"account:{ANN}") in recorded(database)
    offer()
    assert signed_in(provider, Asking())["location"] == "/", "it is theirs from then on"
    provider.claims = {"sub": "2"}
    assert signed_in(provider, Asking())["location"] == "/account/sign-in/", "another person"


def test_roles_follow_the_claim(
    provider: Provider, offer: Callable[..., None], database: tuple[House, Engine]
) -> None:
    offer(default_role=None)
    provider.claims = {"groups": ["heads", "teachers"]}
    first = Asking()
    signed_in(provider, first)
    assert roles() == ["headteacher", "slt", "teacher"]
    provider.claims = {"groups": ["teachers"]}
    second = Asking()
    signed_in(provider, second)
    assert roles() == ["teacher"]
    assert is_in(second)
    assert not is_in(first), "what was open with more rights is closed"
    assert recorded(database)[-1] == ("provider:hill", "account.roles", f"account:{ANN}")
    provider.claims = {"groups": []}
    third = Asking()
    signed_in(provider, third)
    assert roles() == []
    assert "no role in the portal" in sentence(third)
    assert not any(map(is_in, (first, second, third)))


def test_a_closed_account_stays_closed(
    here: House, provider: Provider, offer: Callable[..., None]
) -> None:
    from schoolgate.portal.accounts import register

    signed_in(provider, Asking())
    register.set_active(here.trail, ANN, "test", here.now(), active=False)
    provider.claims = {"groups": ["heads"]}
    browser = Asking()
    signed_in(provider, browser)
    assert "your account is closed" in sentence(browser)
    assert not is_in(browser)
    assert roles() == ["staff"], "nor does it get other roles"


@pytest.mark.parametrize("second", [True, False])
def test_a_second_factor_here_is_asked_for_where_the_technician_says(
    provider: Provider, offer: Callable[..., None], *, second: bool
) -> None:
    from allauth.mfa.totp.internal import auth

    from schoolgate.portal.accounts.models import Person

    offer(second_factor=second)
    signed_in(provider, Asking())
    auth.TOTP.activate(Person.objects.get(email=ANN), auth.generate_totp_secret())
    browser = Asking()
    answer = signed_in(provider, browser)
    assert answer["location"] == ("/account/code/" if second else "/")
    assert is_in(browser) is not second


# -- what is important -------------------------------------------------------------------------------


@pytest.fixture
def deciding(
    provider: Provider, offer: Callable[..., None], somebody: Somebody
) -> tuple[Asking, str]:
    """A headteacher who signed in at the provider, and the page of a decision."""
    path = asked(Asking(somebody(Role.TEACHER)))
    provider.claims = {"groups": ["heads"]}
    browser = Asking()
    signed_in(provider, browser)
    return browser, f"{path}approve/"


SIGNED = DECISION | {"version": "1", "signature": "Ann Teacher"}
AGAIN = "/account/again/with/hill/"


def test_a_decision_is_signed_at_the_provider(
    here: House, provider: Provider, deciding: tuple[Asking, str]
) -> None:
    browser, path = deciding
    answer = browser.post(path, **SIGNED)
    assert answer["location"].startswith(AGAIN)
    assert here.decisions.grants(here.now()) == []
    assert read(browser.get(answer["location"])).headings == ["Show that it is you"]
    url = go(browser, answer["location"], next=path)
    there = httpx.URL(url).params
    assert (there["prompt"], there["max_age"], there["login_hint"]) == ("login", "0", ANN)
    done = browser.get(back(provider, url))
    assert done["location"] == path.replace("approve/", "")
    assert len(here.decisions.grants(here.now())) == 1


@pytest.mark.parametrize(
    ("claims", "problem"),
    [
        ({"auth_time": None}, "has not asked you again"),
        ({"auth_time": 1_000_000_000}, "has not asked you again"),
        ({"auth_time": "now"}, "has not asked you again"),
        ({"sub": "2"}, "somebody else"),
        ({"nonce": "another"}, "cannot be believed"),
        ({"email": "ann@other.example"}, "only accounts of"),
    ],
)
def test_who_was_not_asked_there_signs_nothing(
    here: House, provider: Provider, deciding: tuple[Asking, str],
    claims: dict[str, Any], problem: str,
) -> None:  # fmt: skip
    browser, path = deciding
    answer = browser.post(path, **SIGNED)
    provider.claims |= claims
    url = go(browser, answer["location"], next=path)
    assert browser.get(back(provider, url))["location"] == "/account/"
    assert problem in browser.get("/account/").content.decode()
    assert here.decisions.grants(here.now()) == []
    assert browser.post(path, **SIGNED)["location"].startswith(AGAIN)


def test_for_a_passkey_a_sign_in_of_a_moment_ago_will_do(
    provider: Provider, deciding: tuple[Asking, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    browser, _ = deciding
    assert browser.get("/account/keys/add/").status_code == 200
    assert browser.get("/account/app/").status_code == 200
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 301)
    for path in ("/account/keys/add/", "/account/app/"):
        assert browser.get(path)["location"].startswith(AGAIN)
    assert browser.get("/account/password/")["location"] == "/account/"


def test_a_password_that_is_there_too_may_be_used(
    here: House, provider: Provider, offer: Callable[..., None], somebody: Somebody
) -> None:
    path = asked(Asking(somebody(Role.TEACHER)))
    somebody(Role.HEADTEACHER, email=ANN)
    offer(auto_link=True, roles={})
    browser = Asking()
    signed_in(provider, browser)
    answer = browser.post(f"{path}approve/", **(SIGNED | {"signature": "Sam Body"}))
    assert answer["location"].startswith("/account/again/?")
    page = browser.get(answer["location"]).content.decode()
    assert AGAIN in page
    done = browser.post(answer["location"], password=PASSWORD)
    assert done["location"] == path
    assert len(here.decisions.grants(here.now())) == 1


def test_nothing_that_the_provider_says_is_kept(
    provider: Provider, offer: Callable[..., None]
) -> None:
    from allauth.socialaccount.models import SocialAccount, SocialToken

    provider.claims = {"phone": "+44 7700 900000", "picture": "x"}
    signed_in(provider, Asking())
    [account] = SocialAccount.objects.all()
    assert (account.provider, account.uid, account.extra_data) == ("hill", "1", {})
    assert not SocialToken.objects.exists()
