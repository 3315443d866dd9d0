"""OpenID Connect as allauth speaks it, with what it leaves open closed.

Tokens are verified whole, nonces are checked, what is asked is bounded, providers stand in the settings
alone, and nothing of what they say is kept but the number by which they know somebody.
"""

import json
import logging
from typing import Any

from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter, get_adapter
from allauth.socialaccount.models import SocialApp, SocialLogin, SocialToken
from allauth.socialaccount.providers.base import ProviderException
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.contrib import messages
from django.http import HttpRequest
from django.shortcuts import redirect
from django.urls import reverse
from requests import RequestException

from schoolgate.core.errors import RefusedError, UnavailableError
from schoolgate.identity.secrets import read_secret
from schoolgate.portal.accounts.admission import Admitted, admitted
from schoolgate.portal.accounts.linking import person_of
from schoolgate.portal.accounts.outgoing import BoundedSession
from schoolgate.portal.accounts.tokens import verified
from schoolgate.portal.house import house
from schoolgate.settings.single_sign_on import ProviderSettings

logger = logging.getLogger(__name__)

KIND = "openid_connect"
# Shows again who somebody is, instead of signing them in.
AGAIN = "again"
_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")


def settings_of(provider_id: str) -> ProviderSettings:
    """Give a provider.

    Raises:
        SocialApp.DoesNotExist: when there is none of that name.
    """
    for provider in house().settings.portal.oidc:
        if provider.id == provider_id:
            return provider
    raise SocialApp.DoesNotExist


class Connection(OpenIDConnectOAuth2Adapter):
    """Speaks with a provider, for one request.

    Attributes:
        state: what was kept when somebody was sent there.
    """

    state: dict[str, Any]

    @property
    def openid_config(self) -> dict[str, Any]:
        """Give where the provider is asked what (Discovery, 3).

        Raises:
            ProviderException: when it does not say so, or says that it is somebody else.
        """
        if not hasattr(self, "_openid_config"):
            wanted = settings_of(self.provider_id).issuer_url
            found: dict[str, Any] = self._asked(self.get_provider().server_url)
            places = (str(found.get(name, "")) for name in _ENDPOINTS)
            if found.get("issuer") != wanted or not all(p.startswith("https://") for p in places):
                raise ProviderException("another issuer, or one without TLS")
            self._openid_config = found
        return self._openid_config

    def get_callback_url(self, request: HttpRequest, app: SocialApp) -> str:
        """Give the address that the provider knows; never what a Host header says."""
        path = reverse("openid_connect_callback", args=(self.provider_id,))
        return house().settings.portal.public_url + str(path)

    def get_access_token_data(self, *args: Any, **more: Any) -> dict[str, Any]:
        """Exchange the code; an answer in another shape is none."""
        try:
            found: dict[str, Any] = super().get_access_token_data(*args, **more)
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise ProviderException("no answer of a token endpoint") from error
        return found

    def parse_token(self, data: dict[str, Any]) -> SocialToken:
        """Give what would be kept of the access token, which is nothing."""
        return SocialToken(token="")

    def complete_login(
        self, request: HttpRequest, app: SocialApp, token: SocialToken, **more: Any
    ) -> SocialLogin:
        """Give who has come; refuse who is not of the school."""
        settings = settings_of(self.provider_id)
        keys = self._asked(self.openid_config["jwks_uri"])
        nonce = str(self.state.get("nonce", ""))
        token_text = more["response"].get("id_token")
        try:
            claims = verified(token_text, keys, settings.issuer_url, settings.client_id, nonce)
            who = admitted(settings, claims)
        except RefusedError as error:
            logger.warning("A sign-in with %s is refused: %s.", settings.name, error)
            raise turned_back(request, f"With {settings.name}: {error}.", self.state) from error
        login = self.get_provider().sociallogin_from_response(request, {"id_token": claims})
        login.who, login.claims = who, claims
        return login

    def _asked(self, url: str) -> dict[str, Any]:
        with get_adapter().get_requests_session() as session:
            answer = session.get(url)
        answer.raise_for_status()
        if answer.status_code != 200:
            raise ProviderException("a redirection")
        found = answer.json()
        if not isinstance(found, dict):
            raise ProviderException("no object")
        return found


class SchoolProvider(OpenIDConnectProvider):
    """A provider of the settings."""

    oauth2_adapter_class = Connection
    pkce_enabled_default = True

    def extract_uid(self, data: dict[str, Any]) -> str:
        """Give the number by which the provider knows somebody."""
        return str(data["id_token"]["sub"])

    def extract_extra_data(self, data: dict[str, Any]) -> dict[str, Any]:
        """Keep nothing of what it says."""
        return {}


class SocialAdapter(DefaultSocialAccountAdapter):
    """Tells allauth of the providers, and whose account somebody gets."""

    def list_apps(
        self, request: HttpRequest, provider: str | None = None, client_id: str | None = None
    ) -> list[SocialApp]:
        """Give the providers of the settings; those in the database count for nothing."""
        return [
            _app(one)
            for one in house().settings.portal.oidc
            if provider in (None, KIND, one.id) and client_id in (None, one.client_id)
        ]

    def get_requests_session(self) -> BoundedSession:
        """Give what asks providers."""
        known = house().settings.portal.oidc
        return BoundedSession(
            {one.issuer_url.split("/")[2]: one.ca_file for one in known if one.ca_file}
        )

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Say whose account it is, or turn them back."""
        settings = settings_of(sociallogin.account.provider)
        if sociallogin.state.get("process") == AGAIN:
            from schoolgate.portal.again import shown_elsewhere  # noqa: PLC0415 - it needs this module

            raise ImmediateHttpResponse(shown_elsewhere(request, settings, sociallogin))
        who: Admitted = sociallogin.who
        try:
            sociallogin.user = person_of(house(), settings, sociallogin.account, who)
        except RefusedError as error:
            raise turned_back(request, f"With {settings.name}: {error}.", {}) from error

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        """Refuse: who may have an account has one by now."""
        return False

    def on_authentication_error(
        self,
        request: HttpRequest,
        provider: Any,
        error: Any = None,
        exception: Exception | None = None,
        extra_context: dict[str, Any] | None = None,
    ) -> None:
        """Say in a sentence that it came to nothing."""
        state = (extra_context or {}).get("state") or {}
        if exception is not None:
            logger.warning("A sign-in with %s came to nothing: %s", provider.name, exception)
        raise turned_back(request, cannot(provider.name, exception), state)


def cannot(name: str, exception: Exception | None) -> str:
    """Give the sentence on a provider with which nobody can sign in now."""
    if isinstance(exception, RequestException | ProviderException | UnavailableError):
        return f"{name} cannot be asked at the moment. Sign in with a password, or try again later."
    return f"The sign-in with {name} was not finished. Try again."


def turned_back(
    request: HttpRequest, sentence: str, state: dict[str, Any]
) -> ImmediateHttpResponse:
    """Give what leads somebody back to where they began, with a sentence."""
    messages.error(request, sentence)
    page = "account" if state.get("process") == AGAIN else "account_login"
    return ImmediateHttpResponse(redirect(page))


def _app(settings: ProviderSettings) -> SocialApp:
    secret = settings.client_secret
    try:
        known = secret.get_secret_value() if secret else _read(settings)
    except UnavailableError as error:
        logger.warning("%s", error)
        raise ProviderException(str(error)) from error
    return SocialApp(
        provider=KIND,
        provider_id=settings.id,
        name=settings.name,
        client_id=settings.client_id,
        secret=known,
        settings={"server_url": settings.issuer_url, "oauth_pkce_enabled": True},
    )


def _read(settings: ProviderSettings) -> str:
    assert settings.client_secret_file is not None
    return read_secret(settings.client_secret_file).decode()


def asking(settings: ProviderSettings, nonce: str, email: str, *, again: bool) -> dict[str, str]:
    """Give what somebody is sent to a provider with (Core, 3.1.2.1).

    Args:
        settings: of the provider.
        nonce: that its token must carry.
        email: of who is asked again; "" at a sign-in.
        again: whether they must show again who they are, however they are signed in there.
    """
    more = {"nonce": nonce}
    if settings.kind == "google":
        more["hd"] = settings.domains[0] if len(settings.domains) == 1 else "*"
    if email:
        more["login_hint"] = email
    if again:
        # Google does not know "login"; whether it asked is seen by auth_time.
        more["prompt"] = "select_account" if settings.kind == "google" else "login"
        more["max_age"] = "0"
        more["claims"] = json.dumps({"id_token": {"auth_time": {"essential": True}}})
    return more
