"""What people report: sites, blocked in one step and opened again in another, and accidents."""

from datetime import timedelta

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from schoolgate.core.approvals import ReportState
from schoolgate.core.errors import RefusedError
from schoolgate.portal import requesting
from schoolgate.portal.house import house
from schoolgate.portal.words import said

_LOOKED_BACK = timedelta(days=30)
_MOST_SHOWN = 200


def listed(request: HttpRequest) -> HttpResponse:
    """List the reports, those that wait first, and the accidents of late."""
    return _page(request)


def handle(request: HttpRequest, number: int) -> HttpResponse:
    """Block a reported site at once, or leave it."""
    here = house()
    blocks = request.POST.get("state") == ReportState.BLOCKED.value
    state = ReportState.BLOCKED if blocks else ReportState.DISMISSED
    note = request.POST.get("note", "")
    try:
        done = here.approvals.handle_report(
            number, state, note, requesting.actor_of(request), here.now()
        )
    except RefusedError as error:
        return _page(request, said(error), 409)
    verb = "is blocked" if blocks else "is left as it is"
    messages.success(request, f"{done.host} {verb}.")
    return redirect("reports")


def lift(request: HttpRequest, number: int) -> HttpResponse:
    """Take back a block that was made on a report."""
    here, actor = house(), requesting.actor_of(request)
    try:
        site = here.approvals.unblock(number, request.POST.get("reason", ""), actor, here.now())
    except RefusedError as error:
        return _page(request, said(error), 409)
    messages.success(request, f"The block of {site} is lifted.")
    return redirect("reports")


def _page(request: HttpRequest, problem: str = "", status: int = 200) -> HttpResponse:
    here, actor = house(), requesting.actor_of(request)
    reports = here.approvals.reports(actor)
    try:
        accidents = here.approvals.accidents(here.now() - _LOOKED_BACK, actor)
    except RefusedError:
        accidents = []
    blocks = here.approvals.blocks(actor)
    shown = {
        "blocked": [one for one in blocks if one.lifted_at is None],
        "lifted": {one.report: one for one in blocks if one.lifted_at is not None},
        "waiting": [one for one in reports if one.state is ReportState.OPEN],
        "handled": [one for one in reports[::-1] if one.state is not ReportState.OPEN][
            :_MOST_SHOWN
        ],
        "accidents": accidents[::-1][:_MOST_SHOWN],
        "problem": problem,
    }
    return render(request, "portal/reports.html", shown, status=status)
