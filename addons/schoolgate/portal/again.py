"""Who must show again who they are: for what is important, within five minutes before it."""

import time

from allauth.account import app_settings
from allauth.account.authentication import get_authentication_records
from allauth.account.internal.flows.login import record_authentication
from allauth.account.internal.flows.reauthentication import resume_request
from allauth.core.exceptions import ReauthenticationRequired
from allauth.socialaccount.models import SocialLogin
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect

from schoolgate.settings.single_sign_on import ProviderSettings

# Between our clock and a provider's.
_CLOCKS_SECONDS = 60


def prove_again(request: HttpRequest, *, signing: bool) -> None:
    """See that who asks has shown again who they are.

    allauth lets whoever has no password pass; here they are asked at their provider, or for a passkey.

    Args:
        request: of who asks.
        signing: whether a decision is signed. For their own account a sign-in of the last five minutes
            will do for them: else who has nothing here yet could set no passkey up.

    Raises:
        ReauthenticationRequired: when they must be asked, which the middleware sees to.
    """
    oldest = time.time() - app_settings.REAUTHENTICATION_TIMEOUT
    records = get_authentication_records(request, request.user)
    of_late = [record for record in records if record["at"] > oldest]
    if any(record.get("reauthenticated") for record in of_late):
        return
    if of_late and not signing and not request.user.has_usable_password():
        return
    raise ReauthenticationRequired


def shown_elsewhere(
    request: HttpRequest, provider: ProviderSettings, login: SocialLogin
) -> HttpResponse:
    """Go on with what somebody was asked again for, when the provider has asked them just now."""
    if login.account.pk is None or login.user != request.user:
        messages.error(request, f"That was somebody else's account at {provider.name}.")
        return redirect("account")
    asked = login.claims.get("auth_time")
    sent = float(login.state.get("sent", time.time()))
    if not isinstance(asked, int | float) or asked < sent - _CLOCKS_SECONDS:
        messages.error(
            request,
            f"{provider.name} has not asked you again. Set up a passkey in your account, which "
            "is possible for five minutes after you sign in, and use that.",
        )
        return redirect("account")
    record_authentication(
        request, request.user, "socialaccount", provider=provider.id, reauthenticated=True
    )
    # Where allauth looks for what comes next.
    given = QueryDict(mutable=True)
    given["next"] = login.state.get("next") or ""
    request.GET = given
    return resume_request(request) or redirect("account")
