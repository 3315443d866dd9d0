"""Requests as those who asked see them: their list, one of them, an answer, withdrawal."""

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from schoolgate.core.approvals import (
    AccessRequest,
    Action,
    Actor,
    Answer,
    Approve,
    AskBack,
    Decline,
    Notify,
    Offer,
    Revoke,
    Suggest,
    Withdraw,
)
from schoolgate.core.errors import RefusedError
from schoolgate.portal import requesting
from schoolgate.portal.house import House, house
from schoolgate.portal.links import link
from schoolgate.portal.views.asking import AskForm
from schoolgate.portal.words import said

NOT_NOW = "That cannot be done with this request now, or is for somebody else."
_MOST_SHOWN = 200
# The order in which a page offers what can be done, each with the page it is done on.
_STEPS: tuple[tuple[type[Action], str, str], ...] = (
    (Answer, "answer_request", "Answer"),
    (Suggest, "review_request", "Review it"),
    (Approve, "approve_request", "Approve it"),
    (Decline, "decline_request", "Decline it"),
    (AskBack, "question_request", "Send it back with a question"),
    (Revoke, "revoke_request", "Close the site again"),
)


class AnswerForm(AskForm):
    """The answer to a question, and the form corrected."""

    answer = forms.CharField(label="Your answer", widget=forms.Textarea)
    version = forms.IntegerField(widget=forms.HiddenInput, min_value=1)
    field_order = ("answer",)


def listed(request: HttpRequest) -> HttpResponse:
    """List one's own requests, and the register to who sees it."""
    here, actor = house(), requesting.actor_of(request)
    host = request.GET.get("site", "")[:253].strip().lower()
    found = here.approvals.requests(actor, host=host)[::-1]
    shown = {
        "own": [one for one in found if one.requester == actor.id][:_MOST_SHOWN],
        "others": [one for one in found if one.requester != actor.id][:_MOST_SHOWN],
        "now": here.now(),
        "site": host,
    }
    return render(request, "portal/requests.html", shown)


def shown(request: HttpRequest, number: int) -> HttpResponse:
    """Show a request, what happened to it, and what can be done with it."""
    return page(request, number)


def page(request: HttpRequest, number: int, problem: str = "", status: int = 200) -> HttpResponse:
    """Make the page of a request.

    Args:
        request: of whoever asks.
        number: of the request.
        problem: a sentence on what was refused; "" for none.
        status: of the answer.
    """
    here, actor = house(), requesting.actor_of(request)
    asked, offer = found(here, number, actor)
    return render(
        request,
        "portal/request.html",
        {
            "asked": asked,
            "state": asked.state_at(here.now()),
            "history": here.approvals.history(number, actor),
            "steps": [(name, text) for kind, name, text in _STEPS if kind in offer.actions],
            "may_withdraw": Withdraw in offer.actions,
            "may_notify": Notify in offer.actions,
            "may_renew": offer.renewable,
            "standing": offer.standing,
            "extent": requesting.extent_words(asked.scope),
            "subject": requesting.subject_words(here, asked.scope.subject),
            "problem": problem,
        },
        status=status,
    )


def found(here: House, number: int, actor: Actor) -> tuple[AccessRequest, Offer]:
    """Give a request and what can be done with it; to who may not see it there is none.

    Raises:
        Http404: when there is none.
    """
    try:
        return here.approvals.offer(number, actor, here.now())
    except RefusedError as error:
        raise Http404 from error


def answer(request: HttpRequest, number: int) -> HttpResponse:
    """Answer a question, with the form as it was or corrected."""
    here, actor = house(), requesting.actor_of(request)
    asked, offer = found(here, number, actor)
    if Answer not in offer.actions:
        return page(request, number, NOT_NOW, 409)
    form = AnswerForm(
        request.POST or None,
        here=here,
        subjects=requesting.subjects(here, request, [asked.form.scope.subject]),
        initial=as_it_was(asked),
    )
    if request.method == "POST" and form.is_valid():
        try:
            action = Answer(form.cleaned_data["answer"], form.made())
            version = form.cleaned_data["version"]
            here.approvals.act(number, version, action, actor, here.now())
        except RefusedError as error:
            form.add_error(None, said(error))
        else:
            messages.success(request, "Your answer is sent.")
            return redirect(link("request", number))
    return render(request, "portal/answer.html", {"form": form, "asked": asked})


def withdraw(request: HttpRequest, number: int) -> HttpResponse:
    """Take a request back."""
    return at_once(request, number, Withdraw(), "The request is withdrawn.")


def at_once(request: HttpRequest, number: int, action: Action, done: str) -> HttpResponse:
    """Carry out an action that a button alone stands for."""
    here, actor = house(), requesting.actor_of(request)
    found(here, number, actor)
    version = request.POST.get("version", "")[:9]
    try:
        here.approvals.act(
            number, int(version) if version.isdecimal() else 0, action, actor, here.now()
        )
    except RefusedError as error:
        return page(request, number, said(error), 409)
    messages.success(request, done)
    return redirect(link("request", number))


def as_it_was(asked: AccessRequest) -> dict[str, object]:
    """Give what a form was sent with, to be filled in again."""
    form = asked.form
    return {
        "staff_name": form.staff_name,
        "url": form.url,
        "site_content": form.site_content,
        "reasons": form.reasons,
        "risks_and_controls": form.risks_and_controls,
        "extent": requesting.extent_of(form.scope).value,
        "subject": str(form.scope.subject),
        "days": max(1, (form.scope.ends - form.scope.starts).days),
        "periods": sorted(form.scope.periods),
        "pupils_meant": form.pupils_meant,
        "minimum_age": form.minimum_age,
        "parents_informed": form.parents_informed,
        "version": asked.version,
    }
