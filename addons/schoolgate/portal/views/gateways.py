"""The gateways of all schools of a trust, for central IT: how they are, and what is not as it should be."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from schoolgate.core.errors import UnavailableError
from schoolgate.portal.views.schools import trust_of
from schoolgate.portal.words import said


def listed(request: HttpRequest) -> HttpResponse:
    """Show what each gateway said last, those with something wrong first; no school is asked for it."""
    trust = trust_of()
    seen = trust.overview.seen(trust.overview.schools())
    try:
        findings, problem = list(trust.drift(seen)), ""
    except UnavailableError as error:
        findings, problem = [], said(error)
    wrong = {(each.school, each.gateway) for each in findings}
    reports = [report for each in seen if each.gateways for report in each.gateways.reports]
    reports.sort(key=lambda each: (each.state.school, each.state.gateway) not in wrong)
    shown = {"reports": reports, "findings": findings, "problem": problem}
    return render(request, "portal/gateways.html", shown)
