"""Signing in with an account that people have elsewhere, and showing there again who one is."""

import secrets
import time

from allauth.account.utils import get_next_redirect_url
from allauth.core import ratelimit
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.models import SocialAccount, SocialApp
from allauth.socialaccount.providers.base import AuthProcess, ProviderException
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from requests import RequestException

from schoolgate.portal.accounts.provider import (
    AGAIN,
    Connection,
    asking,
    cannot,
    settings_of,
    turned_back,
)
from schoolgate.settings.single_sign_on import ProviderSettings


def leave(request: HttpRequest, provider: str) -> HttpResponse:
    """Send somebody to a provider, to sign in there."""
    return _sent(request, _known(provider), AuthProcess.LOGIN)


def again(request: HttpRequest, provider: str) -> HttpResponse:
    """Ask somebody to show there again who they are, and send them."""
    settings = _known(provider)
    if not SocialAccount.objects.filter(user=request.user, provider=settings.id).exists():
        raise Http404
    if request.method == "POST":
        return _sent(request, settings, AGAIN)
    return render(
        request, "portal/again_elsewhere.html", {"provider": settings, **_onward(request)}
    )


def returned(request: HttpRequest, provider: str) -> HttpResponse:
    """Take who comes back from a provider."""
    settings = _known(provider)
    try:
        view = _Returned.adapter_view(Connection(request, settings.id))
        answer: HttpResponse = view(request)
    except ProviderException as error:
        return turned_back(request, cannot(settings.name, error), {}).response
    return answer


class _Returned(OAuth2CallbackView):
    """Takes the provider's answer, with what was kept when somebody was sent there."""

    def _get_state(self, request: HttpRequest, provider: object) -> object:
        state, answer = super()._get_state(request, provider)
        self.adapter.state = state or {}
        return state, answer


def _known(provider: str) -> ProviderSettings:
    try:
        return settings_of(provider)
    except SocialApp.DoesNotExist as error:
        raise Http404 from error


def _sent(request: HttpRequest, settings: ProviderSettings, process: str) -> HttpResponse:
    """Give the page that leads to the provider; a form may lead nowhere but to the portal (CSP)."""
    if not ratelimit.consume(request, action="login"):
        return ratelimit.respond_429(request)
    nonce, is_again = secrets.token_urlsafe(24), process == AGAIN
    email = request.user.email if is_again else ""
    try:
        there = Connection(request, settings.id).get_provider()
        led = there.redirect(
            request,
            process,
            next_url=get_next_redirect_url(request),
            auth_params=asking(settings, nonce, email, again=is_again),
            nonce=nonce,
            sent=time.time(),
        )
    except (RequestException, ProviderException) as error:
        return turned_back(request, cannot(settings.name, error), {"process": process}).response
    except ImmediateHttpResponse as error:
        return error.response
    return render(
        request, "portal/to_provider.html", {"provider": settings, "address": led["location"]}
    )


def _onward(request: HttpRequest) -> dict[str, str]:
    return {"next": get_next_redirect_url(request) or ""}
