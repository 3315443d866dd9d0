"""What was asked for: one's own today, and a named person's on a stated concern (W-6.3.1-monitor)."""

from dataclasses import replace
from datetime import date, timedelta
from threading import BoundedSemaphore
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from schoolgate.core.approvals import Subject, SubjectKind
from schoolgate.core.approvals.requests import checked_text
from schoolgate.core.errors import RefusedError, UnavailableError
from schoolgate.core.people import sign_in_name
from schoolgate.identity import Answer, Outcome
from schoolgate.portal import requesting
from schoolgate.portal.house import House, house
from schoolgate.portal.views.device import bound_at
from schoolgate.portal.words import said
from schoolgate.services.budgets import BudgetToday, budget_today
from schoolgate.services.viewing import Limits, Viewing, Watched, viewing_of, watched

_OWN = Limits(most_bytes=32 << 20, most_counted=20_000, most_shown=100)
_OF_OTHERS = Limits(most_bytes=512 << 20, most_counted=50_000, most_shown=500)
# Looking takes the processor, and anybody may: the other threads serve the other pages.
_looking = BoundedSemaphore(2)
_LONGEST_WAIT_SECONDS = 1.0
_BUSY = "Many people are looking just now. Try again in a minute."
_UNREAD = "The journal cannot be read now. Tell the technician."


class ConcernForm(forms.Form):
    """Whose history, of which day, and why."""

    person = forms.CharField(
        label="Whose viewing",
        help_text="A sign-in name; or device: and the name of a device, client: and an address.",
        max_length=256,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    day = forms.DateField(label="Of which day", widget=forms.DateInput(attrs={"type": "date"}))
    reference = forms.CharField(
        label="Reference of the matter",
        help_text="Such as the number of the incident, or of the entry in CPOMS.",
        max_length=200,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    concern = forms.CharField(
        label="What is the concern",
        help_text="It is recorded with your name and cannot be taken back.",
        widget=forms.Textarea,
    )


def own(request: HttpRequest) -> HttpResponse:
    """Show whoever asks what they asked for today."""
    here = house()
    whose = _self(here, request)
    today = here.now().astimezone(requesting.LONDON).date()
    seen, problem = _look(here, whose, today, _OWN)
    shown = {"watched": whose, "seen": seen, "problem": problem, "today": _budget(here, whose)}
    status = 503 if seen is None else 200
    return render(request, "portal/viewing.html", shown, status=status)


def of_others(request: HttpRequest) -> HttpResponse:
    """Show a person's viewing of a day, after the concern was recorded; by GET nothing but the form."""
    here = house()
    today = here.now().astimezone(requesting.LONDON).date()
    form = ConcernForm(request.POST or None, initial={"day": today.isoformat()})
    subject, seen, problem = None, None, ""
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            subject = _subject(here, given["person"])
            _record(request, here, subject, given)
        except RefusedError as error:
            form.add_error(None, said(error))
            subject = None
        else:
            seen, problem = _look(here, watched(subject), given["day"], _OF_OTHERS)
            # Another look is another concern.
            form = ConcernForm(initial={"day": given["day"].isoformat()})
    shown = {"form": form, "subject": subject, "seen": seen, "problem": problem}
    status = 503 if problem else 200
    return render(request, "portal/history.html", shown, status=status)


def _record(request: HttpRequest, here: House, subject: Subject, given: dict[str, Any]) -> None:
    """Write down who looks at whose history and why; without that nothing is shown."""
    day: date = given["day"]
    if day > (here.now() + timedelta(days=1)).date():
        raise RefusedError("that day is still to come")
    detail = {
        "concern": checked_text(given["concern"], "the concern"),
        "reference": checked_text(given["reference"], "the reference", 200),
        "day": day.isoformat(),
    }
    actor = requesting.actor_of(request)
    here.approvals.note("history.viewed", str(subject), detail, actor, here.now())


def _look(here: House, whose: Watched, day: date, limits: Limits) -> tuple[Viewing | None, str]:
    """Give what was asked for, or what keeps it from being shown."""
    if not _looking.acquire(timeout=_LONGEST_WAIT_SECONDS):
        return None, _BUSY
    try:
        return viewing_of(here.history, whose, day, limits), ""
    except UnavailableError:
        return None, _UNREAD
    finally:
        _looking.release()


def _budget(here: House, whose: Watched) -> BudgetToday | None:
    """Give where whoever asks stands with their audio and video; None where nobody knows."""
    policy, client = here.engine().policy, here.client_at(whose.client)
    if whose.user and whose.user != client.user:
        known = here.membership(Answer(Outcome.ACCEPTED, whose.user))
        group = known.group if known.group in policy.groups else policy.default_group
        client = replace(client, user=whose.user, group=group, also=known.also)
    try:
        return budget_today(here.accounts, policy, client, here.now())
    except UnavailableError:
        return None


def _self(here: House, request: HttpRequest) -> Watched:
    """Give who asks: whoever is signed in here or on the device, and the device itself."""
    address = requesting.address_of(request)
    bound = bound_at(here, address)
    user = bound.user if bound else ""
    if request.user.is_authenticated:
        user = sign_in_name(request.user.email, here.domains())
    return Watched(user, address, _device_at(here, address))


def _device_at(here: House, address: str) -> str:
    """Give the name of the device at an address, as people.yaml knows it; "" for none."""
    mac = here.mac_at(address) if address else ""
    for device in here.people().devices:
        if (mac and mac in device.macs) or address in map(str, device.addresses):
            return device.id
    return ""


def _subject(here: House, text: str) -> Subject:
    """Give whom a text names.

    Raises:
        RefusedError: when it is nobody.
    """
    kind, colon, _ = text.strip().partition(":")
    named = f"{SubjectKind.USER}:{sign_in_name(text, here.domains())}"
    by_kind = colon and kind in (SubjectKind.USER, SubjectKind.DEVICE, SubjectKind.CLIENT)
    subject = Subject.parse(text.strip() if by_kind else named)
    checked_text(subject.id, "a name", 256)
    return subject
