"""Pages for what went wrong."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Say that a request cannot be read."""
    return render(request, "portal/error.html", {"title": "That cannot be read"}, status=400)


def refused(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Say that somebody may not do this."""
    return render(request, "portal/refused.html", status=403)


def not_here(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Say that there is no such page."""
    return render(request, "portal/error.html", {"title": "There is no such page"}, status=404)


def failed(request: HttpRequest) -> HttpResponse:
    """Say that something is wrong with the portal; the filter is another process."""
    return render(request, "portal/error.html", {"title": "Something went wrong here"}, status=500)


def form_is_old(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Say that a form did not come from a page of ours, or is too old (CSRF)."""
    return render(request, "portal/old_form.html", status=403)
