"""Alerts and incidents, for those they are routed to and never for whom they concern (T-8-concern)."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from schoolgate.core.approvals import Subject
from schoolgate.core.errors import RefusedError
from schoolgate.core.safeguarding import Severity, Theme
from schoolgate.core.safeguarding.incidents import (
    OUTCOME_WORDS,
    About,
    Incident,
    KeptAlert,
    Note,
    Outcome,
)
from schoolgate.portal import paper, requesting
from schoolgate.portal.house import house
from schoolgate.portal.words import said
from schoolgate.services.incident_file import csv_of, person_of, words_of

_PAPER = "paper/incident.html"
_THEMES = (*(theme.value for theme in Theme), "circumvention", "other")


class OpenForm(forms.Form):
    """An incident that somebody opens without an alert."""

    summary = forms.CharField(label="What is it, in a few words", max_length=200)
    who = forms.CharField(
        label="Whom does it concern",
        required=False,
        max_length=300,
        help_text="user:NAME, device:NAME or an IP address; leave it empty where nobody is known.",
    )
    about = forms.ChoiceField(
        label="That is",
        choices=[
            ("pupils", "a pupil, or not known"),
            ("staff", "a member of staff"),
            ("headteacher", "the headteacher"),
        ],
    )
    origin = forms.ChoiceField(
        label="How it came to light",
        choices=[
            ("accident", "An accident that was reported"),
            ("report", "A report of a site or a person"),
            ("circumvention", "Attempts to get round the filter"),
            ("seen", "Somebody saw or heard it"),
        ],
    )  # fmt: skip
    theme = forms.ChoiceField(
        label="Theme", choices=[(each, each.replace("-", " ").capitalize()) for each in _THEMES]
    )
    severity = forms.ChoiceField(
        label="How bad", choices=[(each.value, each.value.capitalize()) for each in Severity]
    )

    def clean_who(self) -> str:
        """Read whom it concerns."""
        text = self.cleaned_data["who"].strip()
        try:
            return str(Subject.parse(text)) if text else ""
        except RefusedError as error:
            raise forms.ValidationError(said(error)) from error


class CloseForm(forms.Form):
    """How an incident ended."""

    outcome = forms.ChoiceField(
        label="How did it end", choices=[(key.value, words) for key, words in OUTCOME_WORDS.items()]
    )
    words = forms.CharField(
        label="What was done, and what came of it", required=False, widget=forms.Textarea
    )


def listed(request: HttpRequest) -> HttpResponse:
    """List the open incidents, the alerts without one, and what was closed of late."""
    here, actor = house(), requesting.actor_of(request)
    alerts = [each for each in here.incidents.alerts(actor) if not each.incident]
    shown = {
        "open": here.incidents.incidents(actor),
        "closed": here.incidents.incidents(actor, closed=True)[:100],
        "alerts": [(each, words_of(each), person_of(each.who)) for each in alerts[:200]],
        "person_of": person_of,
    }
    return render(request, "portal/incidents.html", shown)


def alert(request: HttpRequest, number: int) -> HttpResponse:
    """Show an alert; its incident, where there is one."""
    here, actor = house(), requesting.actor_of(request)
    try:
        found = here.incidents.alert(number, actor)
    except RefusedError as error:
        raise Http404 from error
    if found.incident:
        return redirect("incident", found.incident)
    shown = {"alert": found, "words": words_of(found), "person": person_of(found.who)}
    return render(request, "portal/alert.html", shown)


def from_alert(request: HttpRequest, number: int) -> HttpResponse:
    """Make an incident of an alert."""
    here, actor = house(), requesting.actor_of(request)
    try:
        made = here.incidents.open_from_alert(number, actor, here.now())
    except RefusedError as error:
        raise Http404 from error
    return redirect("incident", made.id)


def new(request: HttpRequest) -> HttpResponse:
    """Open an incident without an alert."""
    here, actor = house(), requesting.actor_of(request)
    form = OpenForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        wanted = Incident(
            0, here.now(), actor.id, given["origin"], given["who"], "", About(given["about"]),
            given["theme"], Severity(given["severity"]), given["summary"],
        )  # fmt: skip
        try:
            made = here.incidents.open_by_hand(wanted, actor, here.now())
        except RefusedError as error:
            form.add_error(None, said(error))
        else:
            return redirect("incident", made.id)
    return render(request, "portal/new_incident.html", {"form": form})


def shown(request: HttpRequest, number: int) -> HttpResponse:
    """Show an incident with all that is known and was noted."""
    return _page(request, number)


def note(request: HttpRequest, number: int) -> HttpResponse:
    """Write down what was done, take it over, or give it to a colleague."""
    here, actor = house(), requesting.actor_of(request)
    words, account = request.POST.get("words", ""), request.POST.get("account", "")
    try:
        match request.POST.get("do"):
            case "take":
                here.incidents.take(number, actor, here.now())
            case "assign":
                here.incidents.assign(number, account, actor, here.now())
            case _:
                here.incidents.note(number, words, actor, here.now())
    except RefusedError as error:
        return _page(request, number, said(error), 409)
    return redirect("incident", number)


def close(request: HttpRequest, number: int) -> HttpResponse:
    """End an incident with its outcome."""
    here, actor = house(), requesting.actor_of(request)
    incident, _, _ = _found(request, number)
    form = CloseForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            outcome = Outcome(given["outcome"])
            here.incidents.close(number, outcome, given["words"], actor, here.now())
        except RefusedError as error:
            form.add_error(None, said(error))
        else:
            messages.success(request, f"Incident {number} is closed.")
            return redirect("incidents")
    return render(request, "portal/close_incident.html", {"form": form, "incident": incident})


def file(request: HttpRequest, number: int) -> HttpResponse:
    """Give it as a file for CPOMS or a table program."""
    answer = HttpResponse(
        csv_of(*_exported(request, number, "csv")), content_type="text/csv; charset=utf-8"
    )
    answer["Content-Disposition"] = f'attachment; filename="incident-{number}.csv"'
    return answer


def pdf(request: HttpRequest, number: int) -> HttpResponse:
    """Give it as a PDF."""
    made = _on_paper(request, number, "pdf")
    return paper.as_pdf(
        request, _PAPER, made, f"incident-{number}.pdf", reverse("incident_page", args=[number])
    )


def page(request: HttpRequest, number: int) -> HttpResponse:
    """Give it as a page to print."""
    made = _on_paper(request, number, "page")
    return paper.as_page(request, _PAPER, made, reverse("incident", args=[number]))


type _Whole = tuple[Incident, list[Note], list[KeptAlert]]


def _found(request: HttpRequest, number: int) -> _Whole:
    try:
        return house().incidents.incident(number, requesting.actor_of(request))
    except RefusedError as error:
        raise Http404 from error


def _exported(request: HttpRequest, number: int, how: str) -> _Whole:
    here = house()
    try:
        return here.incidents.export(number, how, requesting.actor_of(request), here.now())
    except RefusedError as error:
        raise Http404 from error


def _on_paper(request: HttpRequest, number: int, how: str) -> dict[str, Any]:
    return {**_words(*_exported(request, number, how)), "now": house().now()}


def _words(incident: Incident, notes: list[Note], alerts: list[KeptAlert]) -> dict[str, Any]:
    return {
        "incident": incident,
        "person": person_of(incident.who),
        "notes": notes,
        "alerts": [words_of(each) for each in alerts],
        "outcome": OUTCOME_WORDS.get(incident.outcome, ""),
    }


def _page(request: HttpRequest, number: int, problem: str = "", status: int = 200) -> HttpResponse:
    found = _words(*_found(request, number))
    return render(request, "portal/incident.html", {**found, "problem": problem}, status=status)
