"""Pages while the store is out of reach: a request for a site is kept here, everything else has to wait."""

import secrets

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from schoolgate.core.errors import RefusedError, UnavailableError
from schoolgate.portal import requesting
from schoolgate.portal.house import House, house
from schoolgate.portal.remembered import Remembered
from schoolgate.portal.views import asking
from schoolgate.portal.words import said
from schoolgate.services.kept_requests import KeptRequest
from schoolgate.services.scopes import check_scope

_AWAY = (
    "The school's records cannot be reached at the moment. What you send is kept on this gateway, and "
    "sent by itself as soon as they can."
)


def away(request: HttpRequest) -> HttpResponse:
    """Say that a page needs the store; the filter goes on without."""
    _stand_in(request, None)
    shown = {"title": "The school's records cannot be reached at the moment: try again later"}
    return render(request, "portal/error.html", shown, status=503)


def ask(request: HttpRequest) -> HttpResponse:
    """Show the form to somebody who had signed in, or keep it on this gateway."""
    here = house()
    person = here.memory.of(request.COOKIES.get(settings.SESSION_COOKIE_NAME, ""))
    if person is None or not person.roles:
        return away(request)
    _stand_in(request, person)
    ticket, problem = asking.ticket_of(request, here)
    form = asking.AskForm(
        request.POST or None,
        here=here,
        subjects=requesting.subjects(here, request),
        initial=asking.initial(request, here, ticket),
    )
    if request.method == "POST" and form.is_valid():
        try:
            kept = _keep(here, form, person)
        except (RefusedError, UnavailableError) as error:
            form.add_error(None, said(error))
        else:
            return render(request, "portal/kept.html", {"kept": kept}, status=202)
    shown = {"form": form, "ticket": ticket, "problem": problem or _AWAY, "now": here.now()}
    return render(request, "portal/ask.html", shown)


def _keep(here: House, form: asking.AskForm, person: Remembered) -> KeptRequest:
    made = form.made()
    check_scope(here.engine(), made.scope)
    token = form.cleaned_data["submission"] or secrets.token_urlsafe(16)
    kept = KeptRequest(asking.submission_of(person.pk, token), person.email, made, here.now())
    here.kept.keep(kept)
    return kept


def _stand_in(request: HttpRequest, person: Remembered | None) -> None:
    """Put who asks in the place of what would be looked up, so that no part of a page looks."""
    session = SessionStore(request.COOKIES.get(settings.SESSION_COOKIE_NAME))
    # As if it was read already; it is not written, as nothing in it changes.
    session._session_cache = {}
    request.session = session
    request.user = AnonymousUser() if person is None else person
    if hasattr(request, "_messages"):
        del request._messages
