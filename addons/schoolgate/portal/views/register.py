"""What is opened by hand: the register of grants, searched, as a page, as a table file and on paper."""

import csv
from collections.abc import Iterable
from datetime import datetime, time
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from schoolgate.core.approvals import AccessRequest, Grant, Revoke, Scope
from schoolgate.core.errors import RefusedError
from schoolgate.portal import paper, requesting
from schoolgate.portal.house import House, house
from schoolgate.portal.words import said, visible
from schoolgate.services.grant_search import SOON, Sought, Standing, found
from schoolgate.services.scopes import categories_of
from schoolgate.services.table_file import inert as made_inert

_COLUMNS = ("Grant", "Site", "For whom", "From", "Until", "Decided by", "Reason", "Request")
_MOST_SHOWN = 200
_MOST_ON_PAPER = 200
_PAPER = "paper/register.html"
_STANDINGS = {
    Standing.LIVE: "In force or to come",
    Standing.SOON: f"Ending within {SOON.days} days",
    Standing.ENDED: "Ended or closed",
    Standing.ALL: "All",
}


class SearchForm(forms.Form):
    """What is looked for in the register."""

    words = forms.CharField(
        label="Words of the site, the reason or the form", required=False, max_length=200
    )
    who = forms.CharField(label="For whom, or who asked or decided", required=False, max_length=200)
    standing = forms.ChoiceField(
        label="Which",
        required=False,
        choices=[(standing.value, words) for standing, words in _STANDINGS.items()],
        initial=Standing.LIVE.value,
    )
    category = forms.ChoiceField(label="Kind of site", required=False)
    since = forms.DateField(
        label="Open on this day or later",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
    )
    until = forms.DateField(
        label="Open on this day or before",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
    )

    def __init__(self, *args: object, here: House, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        known = here.engine().catalogue.categories.values()
        titles = sorted((one.title, one.id) for one in known)
        self.fields["category"].choices = [("", "All"), *((id_, title) for title, id_ in titles)]

    def sought(self) -> Sought:
        """Give what is looked for; a field with a fault looks for nothing."""
        self.is_valid()
        given = self.cleaned_data
        since, until = given.get("since"), given.get("until")
        return Sought(
            given.get("words", ""),
            Standing(given.get("standing") or Standing.LIVE),
            given.get("who", ""),
            given.get("category", ""),
            datetime.combine(since, time(), requesting.LONDON) if since else None,
            requesting.end_of(until) if until else None,
        )


class RevokeGrantForm(forms.Form):
    """Why a site is closed again."""

    reason = forms.CharField(label="Why is it closed", widget=forms.Textarea)


def listed(request: HttpRequest) -> HttpResponse:
    """List the grants that are looked for, the newest first."""
    here = house()
    form, grants = _found(request, here)
    shown = {
        "form": form,
        "searched": bool(request.GET),
        "rows": [(grant, _words(here, grant)) for grant in grants[:_MOST_SHOWN]],
        "left_out": max(0, len(grants) - _MOST_SHOWN),
        "now": here.now(),
    }
    return render(request, "portal/grants.html", shown)


def file(request: HttpRequest) -> HttpResponse:
    """Give the same as a file for a table program."""
    here = house()
    rows = (_words(here, grant) for grant in _found(request, here)[1])
    return table_file("register.csv", _COLUMNS, rows)


def pdf(request: HttpRequest) -> HttpResponse:
    """Give the same as a PDF."""
    page = f"{reverse('grants_page')}?{request.GET.urlencode()}"
    return paper.as_pdf(request, _PAPER, _on_paper(request), "register.pdf", page)


def page(request: HttpRequest) -> HttpResponse:
    """Give the same as a page to print."""
    return paper.as_page(request, _PAPER, _on_paper(request), reverse("grants"))


def revoke(request: HttpRequest, number: int) -> HttpResponse:
    """Close what a grant opened; the request that made it says so."""
    here = house()
    grant = grant_of(here, number)
    form = RevokeGrantForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            _close(request, here, grant, form.cleaned_data["reason"])
        except RefusedError as error:
            form.add_error(None, said(error))
        else:
            messages.success(request, f"{grant.site} is closed again.")
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


def grant_of(here: House, number: int, *, ended: bool = False) -> Grant:
    """Give a grant.

    Args:
        here: what the pages work with.
        number: of the grant.
        ended: whether one that has ended will do.

    Raises:
        Http404: when there is none.
    """
    for grant in here.decisions.grants(here.now(), include_ended=ended):
        if grant.id == number:
            return grant
    raise Http404


def inert(cell: str) -> str:
    """Give a cell that no table program takes for a formula."""
    return made_inert(visible(cell))


def _close(request: HttpRequest, here: House, grant: Grant, reason: str) -> None:
    actor, now = requesting.actor_of(request), here.now()
    if grant.request:
        version = here.approvals.request(grant.request, actor).version
        here.approvals.act(grant.request, version, Revoke(reason), actor, now)
    else:
        here.decisions.revoke_grant(grant.id, now, actor.id, reason)


def _found(request: HttpRequest, here: House) -> tuple[SearchForm, list[Grant]]:
    form = SearchForm({"standing": Standing.LIVE.value, **request.GET.dict()}, here=here)
    sought, now, engine = form.sought(), here.now(), here.engine()

    def requests() -> Iterable[AccessRequest]:
        return here.approvals.requests(requesting.actor_of(request))

    def categories(grant: Grant) -> frozenset[str]:
        scope = Scope(grant.entry, grant.subject, grant.starts, grant.ends, grant.page)
        return categories_of(engine, scope)

    kept = here.decisions.grants(
        now, include_ended=sought.standing in (Standing.ENDED, Standing.ALL)
    )
    return form, found(
        kept,
        sought,
        now,
        requests=requests,
        named=lambda grant: requesting.subject_words(here, grant.subject),
        categories=categories,
    )


def _on_paper(request: HttpRequest) -> dict[str, Any]:
    here = house()
    form, grants = _found(request, here)
    return {
        "rows": [_words(here, grant) for grant in grants[:_MOST_ON_PAPER]],
        "left_out": max(0, len(grants) - _MOST_ON_PAPER),
        "columns": _COLUMNS,
        "asked_for": "; ".join(_said(form)),
        "now": here.now(),
    }


def _said(form: SearchForm) -> Iterable[str]:
    """Say what was looked for."""
    for name, value in form.cleaned_data.items():
        if value not in (None, ""):
            choices = dict(getattr(form.fields[name], "choices", ()))
            yield f"{form.fields[name].label}: {choices.get(value, value)}"


def _words(here: House, grant: Grant) -> tuple[str, ...]:
    return (
        str(grant.id),
        grant.site,
        requesting.subject_words(here, grant.subject),
        _moment(grant.starts.astimezone(requesting.LONDON)),
        _moment(grant.ends.astimezone(requesting.LONDON)),
        grant.decided_by.value.replace("-", " "),
        grant.reason,
        str(grant.request or ""),
    )


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"
