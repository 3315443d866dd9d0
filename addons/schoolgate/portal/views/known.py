"""Who and what is known at the school, and whose access is withdrawn (W-6.3.1-withdraw)."""

from datetime import datetime, time

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from schoolgate.core.approvals import Subject, SubjectKind
from schoolgate.core.errors import RefusedError
from schoolgate.portal import requesting
from schoolgate.portal.again import prove_again
from schoolgate.portal.house import House, house
from schoolgate.portal.words import said
from schoolgate.services import opening
from schoolgate.services.declarations import known_person
from schoolgate.services.known import known

_MOST_SHOWN = 500
_LONGEST_WHO = 300
_OWN = "Somebody else must give you your access back."


class WhoForm(forms.Form):
    """Whom it concerns, and why."""

    who = forms.CharField(
        label="Whom",
        max_length=_LONGEST_WHO,
        help_text="user:NAME, device:NAME, group:NAME, an IP address, or everyone.",
        widget=forms.TextInput(attrs={"spellcheck": "false", "autocomplete": "off"}),
    )
    reason = forms.CharField(label="Why", widget=forms.Textarea)

    def clean_who(self) -> Subject:
        """Read it."""
        try:
            return Subject.parse(self.cleaned_data["who"])
        except RefusedError as error:
            raise forms.ValidationError(said(error)) from error


class SuspendForm(WhoForm):
    """Whose access is withdrawn, until when."""

    day = forms.DateField(label="Until the end of", widget=forms.DateInput(attrs={"type": "date"}))
    clock = forms.TimeField(
        label="Or only until this time of that day",
        required=False,
        widget=forms.TimeInput(attrs={"type": "time"}),
    )
    sure = forms.BooleanField(
        label="I mean a whole group, or everybody at the school", required=False
    )
    field_order = ("who", "day", "clock", "reason", "sure")

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].help_text = "The person sees it on the page."

    def clean(self) -> dict[str, object]:
        """See that many are meant where many are named."""
        given: dict[str, object] = super().clean() or {}
        who = given.get("who")
        many = isinstance(who, Subject) and who.kind in (SubjectKind.GROUP, SubjectKind.EVERYONE)
        if many and not given.get("sure"):
            self.add_error("sure", "Tick this: it concerns more than one person.")
        return given

    def ends(self) -> datetime:
        """Give the end."""
        day, clock = self.cleaned_data["day"], self.cleaned_data["clock"]
        if clock is None:
            return requesting.end_of(day)
        assert isinstance(clock, time)
        return datetime.combine(day, clock, requesting.LONDON)


def listed(request: HttpRequest) -> HttpResponse:
    """Show who and what is known, whose access is withdrawn, and what is wrong with people.yaml."""
    here = house()
    words = request.GET.get("words", "")[:200]
    policy = here.engine().policy
    rows = [
        row for row in known(policy, here.people(), here.sign_ins.current()) if row.holds(words)
    ]
    shown = {
        "groups": policy.groups.values(),
        "default_group": policy.default_group,
        "rows": rows[:_MOST_SHOWN],
        "more": max(0, len(rows) - _MOST_SHOWN),
        "words": words,
        "file": here.settings.people,
        "faults": here.keeping.people_faults(),
        "suspensions": [
            (one, requesting.subject_words(here, one.subject))
            for one in here.decisions.suspensions(here.now())
        ],
    }
    return render(request, "portal/known.html", shown)


def suspend(request: HttpRequest) -> HttpResponse:
    """Withdraw somebody's access until a time."""
    form = SuspendForm(
        request.POST or None, initial={"who": request.GET.get("who", "")[:_LONGEST_WHO]}
    )
    if request.method == "POST" and form.is_valid():
        answer = _suspend(request, form)
        if answer is not None:
            return answer
    return render(request, "portal/suspend.html", {"form": form})


def unsuspend(request: HttpRequest) -> HttpResponse:
    """Give somebody their access back."""
    form = WhoForm(request.POST or None, initial={"who": request.GET.get("who", "")[:_LONGEST_WHO]})
    if request.method == "POST" and form.is_valid():
        answer = _unsuspend(request, form)
        if answer is not None:
            return answer
    return render(request, "portal/unsuspend.html", {"form": form})


def _suspend(request: HttpRequest, form: SuspendForm) -> HttpResponse | None:
    prove_again(request, signing=True)
    here, given = house(), form.cleaned_data
    try:
        kept = opening.suspend(
            here.decisions,
            here.engine(),
            opening.known_subject(given["who"], here.people()),
            form.ends(),
            reason=given["reason"],
            actor=f"account:{request.user.email}",
            now=here.now(),
        )
    except RefusedError as error:
        form.add_error(None, said(error))
        return None
    messages.success(request, f"Access is withdrawn from {kept.subject}. It is in force now.")
    return redirect("known")


def _unsuspend(request: HttpRequest, form: WhoForm) -> HttpResponse | None:
    prove_again(request, signing=True)
    here, given = house(), form.cleaned_data
    try:
        _must_not_be_own(request, here, given["who"])
        subject = opening.unsuspend(
            here.decisions,
            here.engine(),
            here.people(),
            given["who"],
            reason=given["reason"],
            actor=f"account:{request.user.email}",
            now=here.now(),
        )
    except RefusedError as error:
        form.add_error(None, said(error))
        return None
    messages.success(request, f"{subject} has access again.")
    return redirect("known")


def _must_not_be_own(request: HttpRequest, here: House, subject: Subject) -> None:
    """Refuse to give it back to oneself."""
    people = here.people()
    person = known_person(request.user.email, people)
    own = {f"user:{person}", f"client:{requesting.address_of(request)}"}
    own |= {f"device:{one.id}" for one in people.devices if one.user == person}
    own |= {f"device:{one.device}" for one in people.wireguard if one.user == person and one.device}
    if subject.kind is SubjectKind.USER:
        subject = opening.known_subject(subject, people)
    if str(subject) in own:
        raise RefusedError(_OWN)
