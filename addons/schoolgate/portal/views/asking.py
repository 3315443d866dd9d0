"""The forms about a site: ask for it (T-9-request), by accident (W-6.3.1-accident), report (T-9-report)."""

import secrets
from collections.abc import Callable
from datetime import timedelta

from allauth.core import ratelimit
from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from schoolgate.core.approvals import Form, Scope, Subject
from schoolgate.core.errors import RefusedError
from schoolgate.portal import requesting
from schoolgate.portal.house import House, house
from schoolgate.portal.links import link
from schoolgate.portal.words import said
from schoolgate.services.scopes import Extent, scope_of
from schoolgate.services.tickets import Ticket

type _Keep = Callable[[House, str, str], None]

_TOO_OFTEN = "There were too many forms. Wait five minutes and try again."
_LONGEST_SUBMISSION = 40


class AskForm(forms.Form):
    """The requester's half of the appendix, and what the site is wanted for."""

    staff_name = forms.CharField(
        label="Staff name", widget=forms.TextInput(attrs={"autocomplete": "name"})
    )
    url = forms.CharField(
        label="Full URL",
        widget=forms.TextInput(attrs={"spellcheck": "false", "autocomplete": "off"}),
    )
    site_content = forms.CharField(label="Site content", widget=forms.Textarea)
    reasons = forms.CharField(label="Reasons for access", widget=forms.Textarea)
    risks_and_controls = forms.CharField(
        label="Identified risks and control measures", widget=forms.Textarea
    )
    extent = requesting.extent_field()
    subject = forms.ChoiceField(label="For whom")
    days = forms.IntegerField(label="For how many days", min_value=1)
    periods = requesting.periods_field()
    pupils_meant = forms.BooleanField(
        label="It is to be used with pupils, whoever opens it", required=False
    )
    minimum_age = forms.IntegerField(
        label="Minimum age of the site's terms",
        help_text="For use with pupils; 0 where the site asks for none.",
        required=False,
        min_value=0,
        max_value=21,
    )
    parents_informed = forms.BooleanField(
        label="The pupils' parents are informed of it", required=False
    )
    submission = forms.CharField(
        required=False, widget=forms.HiddenInput, max_length=_LONGEST_SUBMISSION
    )

    def __init__(
        self, *args: object, here: House, subjects: dict[str, str], **kwargs: object
    ) -> None:
        super().__init__(*args, **kwargs)
        self._here = here
        self.fields["subject"].choices = list(subjects.items())
        terms = requesting.terms_of(here)
        self.fields["days"].initial = terms.usual_days
        self.fields["days"].max_value = terms.longest_days
        self.fields["days"].help_text = f"{terms.longest_days} at most."
        periods = requesting.period_choices(here)
        self.fields["periods"].choices = periods
        if not periods:
            del self.fields["periods"]

    def made(self) -> Form:
        """Give the form as the workflow takes it.

        Raises:
            RefusedError: when what is asked for is no site, or too much.
        """
        given = self.cleaned_data
        return Form(
            given["staff_name"],
            given["url"],
            given["site_content"],
            given["reasons"],
            given["risks_and_controls"],
            self._scope(),
            given["minimum_age"],
            given["parents_informed"],
            given["pupils_meant"],
        )

    def _scope(self) -> Scope:
        given, now = self.cleaned_data, self._here.now()
        longest = requesting.terms_of(self._here).longest_days
        if given["days"] > longest:
            raise RefusedError(f"at this school a site is opened for {longest} days at most")
        return scope_of(
            self._here.engine(),
            self._here.people(),
            given["url"],
            Extent(given["extent"]),
            Subject.parse(given["subject"]),
            now,
            ends=now + timedelta(days=given["days"]),
            periods=given.get("periods", ()),
        )


class SiteForm(forms.Form):
    """An address, and what somebody says of it."""

    url = forms.CharField(
        label="Address of the site",
        widget=forms.TextInput(attrs={"spellcheck": "false", "autocomplete": "off"}),
    )
    words = forms.CharField(label="What is wrong with it", widget=forms.Textarea)


class AccidentForm(SiteForm):
    """The same, where nobody has to explain themselves."""

    words = forms.CharField(
        label="What happened, if you want to say it", required=False, widget=forms.Textarea
    )


def ask(request: HttpRequest) -> HttpResponse:
    """Show the form, filled in from a block page's ticket, or send it."""
    here = house()
    ticket, problem = ticket_of(request, here)
    form = AskForm(
        request.POST or None,
        here=here,
        subjects=requesting.subjects(here, request),
        initial=initial(request, here, ticket),
    )
    answer, status = sent(request, here, form)
    if answer is not None:
        return answer
    shown = {"form": form, "ticket": ticket, "problem": problem, "now": here.now()}
    return render(request, "portal/ask.html", shown, status=status)


def sent(
    request: HttpRequest, here: House, form: AskForm, renews: int | None = None
) -> tuple[HttpResponse | None, int]:
    """Send the form where it is complete; give the answer to that, or None and the page's status.

    Args:
        request: of whoever asks.
        here: what the pages work with.
        form: as it was filled in; what is refused stands in it afterwards.
        renews: number of the request that it renews, if any.
    """
    if request.method != "POST" or not form.is_valid():
        return None, 200
    if not ratelimit.consume(request, action="ask_for_site"):
        form.add_error(None, _TOO_OFTEN)
        return None, 429
    try:
        number = _submit(request, here, form, renews)
    except RefusedError as error:
        form.add_error(None, said(error))
        return None, 200
    messages.success(request, "Your request is sent. What becomes of it stands here.")
    return redirect(link("request", number)), 302


def accident(request: HttpRequest) -> HttpResponse:
    """Record that somebody came upon a site by accident, as a genuine mistake."""
    actor = requesting.actor_of(request)
    address = requesting.address_of(request)
    person = f"account:{actor.id}" if actor.id else f"client:{address}"

    def keep(here: House, url: str, words: str) -> None:
        here.approvals.record_accident(url, words, person, here.now())

    return _told(request, AccidentForm, keep, "portal/accident.html")


def report(request: HttpRequest) -> HttpResponse:
    """Keep a report of a site that should be blocked."""
    actor = requesting.actor_of(request)

    def keep(here: House, url: str, words: str) -> None:
        here.approvals.report_site(url, words, actor, here.now())

    return _told(request, SiteForm, keep, "portal/report.html")


def _told(request: HttpRequest, kind: type[SiteForm], keep: _Keep, page: str) -> HttpResponse:
    here = house()
    ticket, problem = ticket_of(request, here)
    form = kind(request.POST or None, initial={"url": ticket.url if ticket else ""})
    status = 200
    if request.method == "POST" and form.is_valid():
        if not ratelimit.consume(request, action="tell_of_site"):
            form.add_error(None, _TOO_OFTEN)
            status = 429
        else:
            try:
                keep(here, form.cleaned_data["url"], form.cleaned_data["words"])
            except RefusedError as error:
                form.add_error(None, said(error))
            else:
                messages.success(request, "Thank you: who must know of it is told.")
                return redirect("start")
    return render(request, page, {"form": form, "problem": problem}, status=status)


def _submit(request: HttpRequest, here: House, form: AskForm, renews: int | None) -> int:
    token = form.cleaned_data["submission"]
    submission = submission_of(request.user.pk, token) if token else None
    actor = requesting.actor_of(request)
    made = form.made()
    return here.approvals.submit(made, actor, here.now(), submission=submission, renews=renews).id


def ticket_of(request: HttpRequest, here: House) -> tuple[Ticket | None, str]:
    """Give the ticket that a request brings, and what is wrong with it."""
    text = request.GET.get("ticket", "")
    if not text:
        return None, ""
    try:
        return here.tickets().read(text, here.now()), ""
    except RefusedError as error:
        return None, said(error)


def submission_of(account: int, token: str) -> str:
    """Give what is a form's own: nobody can send it for somebody else."""
    return f"{account}:{token}"


def initial(request: HttpRequest, here: House, ticket: Ticket | None) -> dict[str, str]:
    """Give what stands in the form at first."""
    groups = here.engine().policy.groups
    known = {"subject": f"group:{ticket.group}"} if ticket and ticket.group in groups else {}
    return {
        "staff_name": request.user.name,
        "url": ticket.url if ticket else "",
        "submission": secrets.token_urlsafe(16),
        **known,
    }
