"""What is opened by hand: the grants in force, the register of all, as a page and as a table file."""

import csv
from collections.abc import Iterable
from datetime import datetime

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from schoolgate.core.approvals import Grant, Revoke
from schoolgate.core.errors import RefusedError
from schoolgate.portal import requesting
from schoolgate.portal.house import House, house
from schoolgate.portal.words import said, visible

_COLUMNS = ("Grant", "Site", "For whom", "From", "Until", "Decided by", "Reason", "Request")
# What a table program takes for a formula (OWASP, CSV injection).
_FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001 - those of East Asia


class RevokeGrantForm(forms.Form):
    """Why a site is closed again."""

    reason = forms.CharField(label="Why is it closed", widget=forms.Textarea)


def listed(request: HttpRequest) -> HttpResponse:
    """List the grants in force or all, of one site or of all."""
    here = house()
    site, ended = _chosen(request)
    shown = {
        "rows": [(grant, _words(here, grant)) for grant in _grants(here, site, ended=ended)],
        "site": site,
        "ended": ended,
        "now": here.now(),
    }
    return render(request, "portal/grants.html", shown)


def file(request: HttpRequest) -> HttpResponse:
    """Give the same as a file for a table program."""
    here = house()
    site, ended = _chosen(request)
    rows = (_words(here, grant) for grant in _grants(here, site, ended=ended))
    return table_file("register.csv", _COLUMNS, rows)


def revoke(request: HttpRequest, number: int) -> HttpResponse:
    """Close what a grant opened; the request that made it says so."""
    here = house()
    grant = next((one for one in here.decisions.grants(here.now()) if one.id == number), None)
    if grant is None:
        raise Http404
    form = RevokeGrantForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            _close(request, here, grant, form.cleaned_data["reason"])
        except RefusedError as error:
            form.add_error(None, said(error))
        else:
            messages.success(request, f"{_site(grant)} is closed again.")
            return redirect("grants")
    shown = {"form": form, "grant": grant, "words": _words(here, grant), "columns": _COLUMNS}
    return render(request, "portal/revoke_grant.html", shown)


def table_file(name: str, columns: Iterable[str], rows: Iterable[Iterable[str]]) -> HttpResponse:
    """Give rows as a file for a table program, without formulas."""
    answer = HttpResponse(content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    table = csv.writer(answer)
    table.writerow(columns)
    for row in rows:
        table.writerow([inert(cell) for cell in row])
    return answer


def inert(cell: str) -> str:
    """Give a cell that no table program takes for a formula."""
    shown: str = visible(cell)
    return f"'{shown}" if shown.startswith(_FORMULAS) else shown


def _close(request: HttpRequest, here: House, grant: Grant, reason: str) -> None:
    actor, now = requesting.actor_of(request), here.now()
    if grant.request:
        version = here.approvals.request(grant.request, actor).version
        here.approvals.act(grant.request, version, Revoke(reason), actor, now)
    else:
        here.decisions.revoke_grant(grant.id, now, actor.id, reason)


def _chosen(request: HttpRequest) -> tuple[str, bool]:
    return request.GET.get("site", "")[:253].strip().lower(), "ended" in request.GET


def _grants(here: House, site: str, *, ended: bool) -> list[Grant]:
    found = here.decisions.grants(here.now(), include_ended=ended)
    return [grant for grant in found if site in grant.entry.text]


def _site(grant: Grant) -> str:
    return f"{grant.entry.host}{grant.page}" if grant.page else grant.entry.text


def _words(here: House, grant: Grant) -> tuple[str, ...]:
    return (
        str(grant.id),
        _site(grant),
        requesting.subject_words(here, grant.subject),
        _moment(grant.starts.astimezone(requesting.LONDON)),
        _moment(grant.ends.astimezone(requesting.LONDON)),
        grant.decided_by.value.replace("-", " "),
        grant.reason,
        str(grant.request or ""),
    )


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"
