"""Who decides while the headteacher is absent: from a day until a day, given and taken back."""

from datetime import datetime, time

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from schoolgate.core.approvals import USUAL_ROLES, Actor
from schoolgate.core.errors import RefusedError
from schoolgate.portal import requesting
from schoolgate.portal.accounts.models import Person
from schoolgate.portal.house import House, house
from schoolgate.portal.words import said


class AbsenceForm(forms.Form):
    """Who decides meanwhile, and when."""

    delegate = forms.ChoiceField(label="Who decides meanwhile")
    starts = forms.DateField(label="From", widget=forms.DateInput(attrs={"type": "date"}))
    ends = forms.DateField(label="Until the end of", widget=forms.DateInput(attrs={"type": "date"}))
    reason = forms.CharField(label="Why", widget=forms.Textarea)

    def __init__(self, *args: object, deputies: list[Person], **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.fields["delegate"].choices = [(one.email, one.name) for one in deputies]


def absence(request: HttpRequest) -> HttpResponse:
    """Show who decides meanwhile, and let whoever decides name somebody."""
    here = house()
    deputies = {one.email: one for one in _deputies(here)}
    form = AbsenceForm(request.POST or None, deputies=list(deputies.values()))
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        chosen = deputies[given["delegate"]]
        try:
            here.approvals.delegate(
                Actor(chosen.email, chosen.held_roles()),
                datetime.combine(given["starts"], time(), requesting.LONDON),
                requesting.end_of(given["ends"]),
                given["reason"],
                requesting.actor_of(request),
                here.now(),
            )
        except RefusedError as error:
            form.add_error(None, said(error))
        else:
            messages.success(request, f"{chosen.name} decides meanwhile.")
            return redirect("absence")
    return _page(request, form)


def end(request: HttpRequest, number: int) -> HttpResponse:
    """Take it back."""
    here = house()
    try:
        here.approvals.end_delegation(number, requesting.actor_of(request), here.now())
    except RefusedError as error:
        messages.error(request, said(error))
    else:
        messages.success(request, "That has ended.")
    return redirect("absence")


def _page(request: HttpRequest, form: AbsenceForm) -> HttpResponse:
    here = house()
    shown = {
        "form": form,
        "delegations": here.approvals.delegations(here.now()),
        "names": dict(Person.objects.values_list("email", "name")),
    }
    return render(request, "portal/absence.html", shown)


def _deputies(here: House) -> list[Person]:
    roles = here.engine().policy.roles or USUAL_ROLES
    people = Person.objects.filter(is_active=True)
    return [one for one in people if not one.held_roles().isdisjoint(roles.deputises)]
