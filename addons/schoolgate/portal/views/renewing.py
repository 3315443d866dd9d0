"""A grant that ends is asked for again: the form of the old request, filled in and sent anew."""

import secrets
from datetime import datetime

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from schoolgate.core.approvals import Grant, Scope
from schoolgate.portal import requesting
from schoolgate.portal.house import House, house
from schoolgate.portal.views.asking import AskForm, sent
from schoolgate.portal.views.register import grant_of
from schoolgate.portal.views.requests import NOT_NOW, as_it_was, found, page


def of_request(request: HttpRequest, number: int) -> HttpResponse:
    """Ask for one's own request again; what is approved takes the place of the old grant."""
    here = house()
    asked, offer = found(here, number, requesting.actor_of(request))
    if not offer.renewable:
        return page(request, number, NOT_NOW, 409)
    initial = as_it_was(asked) | {"staff_name": request.user.name}
    return _form(request, here, asked.form.scope, initial, number)


def of_grant(request: HttpRequest, number: int) -> HttpResponse:
    """Ask again for what a grant opens; where it is one's own request, renew that."""
    here, actor = house(), requesting.actor_of(request)
    given = grant_of(here, number, ended=True)
    if given.request:
        try:
            _, offer = found(here, given.request, actor)
        except Http404:
            pass
        else:
            if offer.renewable:
                return redirect("renew_request", given.request)
    scope = _scope(given, here.now())
    return _form(request, here, scope, _of_grant(request, given, scope))


def _form(
    request: HttpRequest,
    here: House,
    scope: Scope,
    initial: dict[str, object],
    renews: int | None = None,
) -> HttpResponse:
    longest = requesting.terms_of(here).longest_days
    days = min(int(str(initial["days"])), longest)
    form = AskForm(
        request.POST or None,
        here=here,
        subjects=requesting.subjects(here, request, [scope.subject]),
        initial=initial | {"days": days, "submission": secrets.token_urlsafe(16)},
    )
    answer, status = sent(request, here, form, renews)
    if answer is not None:
        return answer
    shown = {"form": form, "site": scope.site, "renews": renews, "now": here.now()}
    return render(request, "portal/renew.html", shown, status=status)


def _scope(given: Grant, now: datetime) -> Scope:
    return Scope(
        given.entry, given.subject, min(given.starts, now), given.ends, given.page, given.periods
    )


def _of_grant(request: HttpRequest, given: Grant, scope: Scope) -> dict[str, object]:
    """Give what is known of a grant that somebody else asked for, or nobody."""
    return {
        "staff_name": request.user.name,
        "url": f"https://{given.entry.host}{given.page or given.entry.path}",
        "reasons": given.reason,
        "extent": requesting.extent_of(scope).value,
        "subject": str(given.subject),
        "days": max(1, (given.ends - given.starts).days),
        "periods": sorted(given.periods),
    }
