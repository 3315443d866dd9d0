"""Pages for everybody on the network: where to go, and what is filtered and monitored (T-8-parents)."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from schoolgate.portal.house import house
from schoolgate.services.public_page import Audience
from schoolgate.services.public_policy import public_policy


def start(request: HttpRequest) -> HttpResponse:
    """Show where to go."""
    return render(request, "portal/start.html")


def for_parents(request: HttpRequest) -> HttpResponse:
    """Say what the policy in force filters and monitors."""
    return _page(request, Audience.PARENTS)


def for_pupils(request: HttpRequest) -> HttpResponse:
    """Say the same in simpler words."""
    return _page(request, Audience.PUPILS)


def _page(request: HttpRequest, audience: Audience) -> HttpResponse:
    here = house()
    page = public_policy(here.engine(), audience, here.now().date())
    return render(request, "portal/policy.html", {"page": page, "audience": audience})
