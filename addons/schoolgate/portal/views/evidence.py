"""The evidence pack for those who govern and lead: as a page, on paper and as data."""

from datetime import date
from threading import BoundedSemaphore
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from schoolgate.core.errors import RefusedError, SchoolgateError
from schoolgate.portal import paper
from schoolgate.portal.evidence_paper import TEMPLATE, on_paper
from schoolgate.portal.house import house
from schoolgate.portal.views.figures import DaysForm
from schoolgate.portal.words import said
from schoolgate.services.evidence import Facts, as_json

# Finding it all out takes the processors: the other threads serve the other pages.
_finding = BoundedSemaphore(1)
_LONGEST_WAIT_SECONDS = 20.0
_BUSY = "Others are having it made just now. Try again in a minute."


def shown(request: HttpRequest) -> HttpResponse:
    """Show the form and, where days were sent, the answers."""
    form, facts, problem = _found(request) if "since" in request.GET else (DaysForm(), None, "")
    given = {**(on_paper(facts) if facts else {}), "form": form, "problem": problem}
    given.pop("school", None)
    return render(request, "portal/evidence.html", given, status=503 if problem else 200)


def pdf(request: HttpRequest) -> HttpResponse:
    """Give the pack as a PDF."""
    page_of = f"{reverse('evidence_page')}?{request.GET.urlencode()}"
    return paper.as_pdf(request, TEMPLATE, _on_paper(request), "evidence.pdf", page_of)


def page(request: HttpRequest) -> HttpResponse:
    """Give the same as a page to print."""
    return paper.as_page(request, TEMPLATE, _on_paper(request), reverse("evidence"))


def file(request: HttpRequest) -> HttpResponse:
    """Give the same as data, for other programs."""
    _, facts, problem = _found(request)
    if facts is None:
        return HttpResponse(problem, status=503, content_type="text/plain; charset=utf-8")
    answer = HttpResponse(as_json(facts), content_type="application/json")
    answer["Content-Disposition"] = 'attachment; filename="evidence.json"'
    return answer


def _on_paper(request: HttpRequest) -> dict[str, Any]:
    _, facts, problem = _found(request)
    return on_paper(facts) if facts else {"facts": None, "unread": problem}


def _found(request: HttpRequest) -> tuple[DaysForm, Facts | None, str]:
    """Give the form, the facts, and else what keeps them from being shown."""
    form = DaysForm(request.GET.dict())
    form.is_valid()
    since: date | None = form.cleaned_data.get("since")
    until: date | None = form.cleaned_data.get("until")
    if not _finding.acquire(timeout=_LONGEST_WAIT_SECONDS):
        return form, None, _BUSY
    try:
        return form, house().evidence(since, until), ""
    except RefusedError as error:
        form.add_error(None, said(error))
        return form, None, said(error)
    except (SchoolgateError, OverflowError):
        return form, None, "It cannot be found out now. Tell the technician."
    finally:
        _finding.release()
