"""A request as the appendix of the policy lays it out (T-9-request), as a PDF and as a page to print."""

from typing import Any

from django.http import HttpRequest, HttpResponse

from schoolgate.portal import paper, requesting
from schoolgate.portal.house import house
from schoolgate.portal.links import link
from schoolgate.portal.views.requests import found

_TEMPLATE = "paper/request.html"


def form(request: HttpRequest, number: int) -> HttpResponse:
    """Give the filled form as a PDF."""
    shown, page = _shown(request, number), link("request_page", number)
    return paper.as_pdf(request, _TEMPLATE, shown, f"request-{number}.pdf", page)


def page(request: HttpRequest, number: int) -> HttpResponse:
    """Give the filled form as a page to print."""
    back = link("request", number)
    return paper.as_page(request, _TEMPLATE, _shown(request, number), back)


def _shown(request: HttpRequest, number: int) -> dict[str, Any]:
    here = house()
    asked, _ = found(here, number, requesting.actor_of(request))
    return {
        "asked": asked,
        "state": asked.state_at(here.now()),
        "extent": requesting.extent_words(asked.scope),
        "subject": requesting.subject_words(here, asked.scope.subject),
    }
