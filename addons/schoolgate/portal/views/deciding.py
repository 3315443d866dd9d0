"""Requests as those see them who review and decide: what waits, the review, the signed decision."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from schoolgate.core.approvals import (
    USUAL_ROLES,
    AccessRequest,
    Action,
    Approve,
    AskBack,
    Decline,
    Notify,
    Offer,
    Revoke,
    Role,
    Scope,
    Suggest,
)
from schoolgate.core.errors import RefusedError
from schoolgate.portal import requesting
from schoolgate.portal.again import prove_again
from schoolgate.portal.house import House, house
from schoolgate.portal.links import link
from schoolgate.portal.views.requests import NOT_NOW, at_once, found, page
from schoolgate.portal.words import said
from schoolgate.services.preview import Preview, what_would_open

type _Made = Callable[[dict[str, Any]], Action]


class VersionForm(forms.Form):
    """What is done to a request as it was shown."""

    version = forms.IntegerField(widget=forms.HiddenInput, min_value=1)


class ReviewForm(VersionForm):
    """What the reviewer found."""

    recommended = forms.ChoiceField(
        label="Do you recommend it", choices=[("yes", "Yes"), ("no", "No")]
    )
    risks = forms.CharField(label="Risks", widget=forms.Textarea)
    controls = forms.CharField(label="Control measures", widget=forms.Textarea)
    controls_in_place = forms.BooleanField(
        label="I have seen that the controls are in place", required=False
    )


class QuestionForm(VersionForm):
    """A question to who asked."""

    question = forms.CharField(label="Your question", widget=forms.Textarea)


class RevokeForm(VersionForm):
    """Why a site is closed again."""

    reason = forms.CharField(label="Why is it closed", widget=forms.Textarea)


class SignedForm(VersionForm):
    """The authoriser's half of the appendix."""

    reasons = forms.CharField(label="Reasons", widget=forms.Textarea)
    signature = forms.CharField(
        label="Signature: type your name", widget=forms.TextInput(attrs={"autocomplete": "name"})
    )

    def __init__(self, *args: object, signs: str, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self._signs = signs
        self.fields["signature"].help_text = f"As your account has it: {signs}"

    def clean_signature(self) -> str:
        """See that it is the name of who signs."""
        signature = str(self.cleaned_data["signature"])
        if signature.casefold().split() != self._signs.casefold().split():
            raise forms.ValidationError("That is not the name of your account.")
        return signature


class ApproveForm(SignedForm):
    """What is opened, for whom and until when; as it was asked for unless somebody changes it."""

    extent = requesting.extent_field()
    subject = forms.ChoiceField(label="For whom")
    until = forms.DateField(
        label="Until the end of", widget=forms.DateInput(attrs={"type": "date"})
    )
    periods = requesting.periods_field()
    wider_because = forms.CharField(
        label="If that is more than was asked for: why",
        required=False,
        widget=forms.Textarea,
    )
    field_order = ("reasons", "extent", "subject", "until", "periods", "wider_because", "signature")

    def __init__(
        self, *args: object, signs: str, here: House, subjects: dict[str, str], **kwargs: object
    ) -> None:
        super().__init__(*args, signs=signs, **kwargs)
        self.fields["subject"].choices = list(subjects.items())
        self.fields["periods"].choices = requesting.period_choices(here)
        if not self.fields["periods"].choices:
            self.fields["periods"].widget = forms.MultipleHiddenInput()


def waiting(request: HttpRequest) -> HttpResponse:
    """List what waits for whoever asks, oldest first."""
    here = house()
    found = here.approvals.waiting_for(requesting.actor_of(request), here.now())
    return render(request, "portal/waiting.html", {"requests": found, "now": here.now()})


def review(request: HttpRequest, number: int) -> HttpResponse:
    """Recommend a request or not, with risks and control measures."""

    def action(given: dict[str, Any]) -> Action:
        return Suggest(
            given["recommended"] == "yes",
            given["risks"],
            given["controls"],
            bool(given["controls_in_place"]),
        )

    return _form(request, number, Suggest, ReviewForm, action, "Review")


def question(request: HttpRequest, number: int) -> HttpResponse:
    """Send a request back with a question."""

    def action(given: dict[str, Any]) -> Action:
        return AskBack(given["question"])

    return _form(request, number, AskBack, QuestionForm, action, "Ask about")


def revoke(request: HttpRequest, number: int) -> HttpResponse:
    """Close again what was opened."""

    def action(given: dict[str, Any]) -> Action:
        return Revoke(given["reason"])

    return _form(request, number, Revoke, RevokeForm, action, "Close")


def notify(request: HttpRequest, number: int) -> HttpResponse:
    """Confirm that a site was made known (K-2-notify)."""
    return at_once(request, number, Notify(), "It is recorded that you know of the site.")


def decline(request: HttpRequest, number: int) -> HttpResponse:
    """Decline a request, signed."""
    here = house()
    asked, offer = found(here, number, requesting.actor_of(request))
    if Decline not in offer.actions:
        return page(request, number, NOT_NOW, 409)
    form = SignedForm(
        request.POST or None, signs=request.user.name, initial={"version": asked.version}
    )
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        answer = _sign(request, number, form, Decline(given["reasons"], given["signature"]))
        if answer is not None:
            return answer
    shown = {"form": form, "asked": asked, **_words(here, asked)}
    return render(request, "portal/decline.html", shown)


def approve(request: HttpRequest, number: int) -> HttpResponse:
    """Approve a request, signed, as it was asked for or otherwise; show what would open."""
    here = house()
    asked, offer = found(here, number, requesting.actor_of(request))
    if Approve not in offer.actions:
        return page(request, number, NOT_NOW, 409)
    scope = asked.form.scope
    form = ApproveForm(
        # Also where nothing at all was sent.
        request.POST if request.method == "POST" else None,
        signs=request.user.name,
        here=here,
        subjects=requesting.subjects(here, request, [scope.subject]),
        initial={
            "version": asked.version,
            "extent": requesting.extent_of(scope).value,
            "subject": str(scope.subject),
            "until": requesting.last_day(scope).isoformat(),
            "periods": sorted(scope.periods),
        },
    )
    if request.method == "POST":
        # To look at what would open needs no signature.
        looks = "preview" in request.POST
        form.is_valid()
        parts = form.cleaned_data.keys() >= {"extent", "subject", "until", "periods"}
        try:
            given = requesting.narrowed(here, asked, form.cleaned_data) if parts else None
        except RefusedError as error:
            form.add_error(None, said(error))
        else:
            scope = given or scope
            if form.is_valid() and not looks:
                answer = _sign(request, number, form, _approval(form.cleaned_data, given))
                if answer is not None:
                    return answer
    shown = {
        "form": form,
        "asked": asked,
        "preview": _preview(request, here, asked, scope, offer),
        "standing": offer.standing,
        "site": scope.site,
        **_words(here, asked),
    }
    return render(request, "portal/approve.html", shown)


def _approval(given: dict[str, Any], scope: Scope | None) -> Approve:
    return Approve(given["reasons"], given["signature"], scope, given["wider_because"])


def _preview(
    request: HttpRequest, here: House, asked: AccessRequest, scope: Scope, offer: Offer
) -> Preview | None:
    if offer.role is None:
        return None
    # The journal of a month takes its time to read: on demand.
    journal = here.journal() if "journal" in request.GET else ()
    return what_would_open(
        here.engine(), here.people(), asked.form.scope, scope, offer.role, journal, here.now()
    )


def _words(here: House, asked: AccessRequest) -> dict[str, str]:
    return {
        "extent": requesting.extent_words(asked.scope),
        "subject": requesting.subject_words(here, asked.scope.subject),
    }


def _sign(
    request: HttpRequest, number: int, form: forms.Form, action: Action
) -> HttpResponse | None:
    """Carry a decision out, after its signer has shown again who they are; None where it was refused."""
    prove_again(request, signing=True)
    return _act(request, number, form, action)


def _act(
    request: HttpRequest, number: int, form: forms.Form, action: Action
) -> HttpResponse | None:
    here = house()
    try:
        here.approvals.act(
            number,
            form.cleaned_data["version"],
            action,
            requesting.actor_of(request),
            here.now(),
        )
    except RefusedError as error:
        form.add_error(None, said(error))
        return None
    messages.success(request, "That is recorded and in force.")
    return redirect(link("request", number))


def _form(
    request: HttpRequest,
    number: int,
    kind: type[Action],
    form_kind: type[VersionForm],
    action: _Made,
    verb: str,
) -> HttpResponse:
    here = house()
    asked, offer = found(here, number, requesting.actor_of(request))
    if kind not in offer.actions:
        return page(request, number, NOT_NOW, 409)
    form = form_kind(request.POST or None, initial={"version": asked.version})
    if request.method == "POST" and form.is_valid():
        answer = _act(request, number, form, action(form.cleaned_data))
        if answer is not None:
            return answer
    shown = {"form": form, "asked": asked, "verb": verb, **_words(here, asked)}
    if kind is Suggest and offer.role is None:
        roles = here.engine().policy.roles or USUAL_ROLES
        offer = Offer(offer.actions, next(iter(roles.decides), Role.HEADTEACHER), offer.standing)
    if kind is Suggest:
        shown["preview"] = _preview(request, here, asked, asked.form.scope, offer)
    return render(request, "portal/step.html", shown)
