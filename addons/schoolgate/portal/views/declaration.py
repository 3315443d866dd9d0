"""The declaration (W-8, H-11.3): read and signed by whoever proves who they are, and its register."""

from typing import Any

from allauth.core import ratelimit
from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode

from schoolgate.core.errors import RefusedError
from schoolgate.core.people import Membership, sign_in_name
from schoolgate.core.policy import Policy
from schoolgate.identity import Outcome
from schoolgate.portal import requesting
from schoolgate.portal.accounts import register as accounts
from schoolgate.portal.again import prove_again
from schoolgate.portal.house import House, house
from schoolgate.portal.views.asking import ticket_of
from schoolgate.portal.views.device import TOO_MANY, UNAVAILABLE, WRONG, bound_at, checked
from schoolgate.portal.views.register import table_file
from schoolgate.portal.words import said
from schoolgate.services import declarations
from schoolgate.services.declarations import Line
from schoolgate.services.tickets import LONGEST_TICKET

_COLUMNS = ("Person", "Version", "Signed", "State")
_NOT_ASKED = "The declaration is not for you: it is signed by those who work at the school."


class SignForm(forms.Form):
    """That somebody has read it, with their name below."""

    read = forms.BooleanField(label="I have read what stands above, and I agree to it")
    signature = forms.CharField(
        label="Signature: type your full name",
        max_length=150,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    ticket = forms.CharField(required=False, widget=forms.HiddenInput, max_length=LONGEST_TICKET)


class AccountForm(SignForm):
    """The same by whoever has signed in to the portal."""

    def __init__(self, *args: object, signs: str, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self._signs = signs
        self.fields["signature"].label = "Signature: type your name"
        self.fields["signature"].help_text = f"As your account has it: {signs}"

    def clean_signature(self) -> str:
        """See that it is the name of who signs."""
        signature = str(self.cleaned_data["signature"])
        if signature.casefold().split() != self._signs.casefold().split():
            raise forms.ValidationError("That is not the name of your account.")
        return signature


class PersonForm(SignForm):
    """The same by whoever proves who they are on this page."""

    name = forms.CharField(
        label="User name or email address, with which you use the internet here",
        max_length=256,
        widget=forms.TextInput(attrs={"autocomplete": "username", "spellcheck": "false"}),
    )
    password = forms.CharField(
        max_length=1024,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    field_order = ("read", "signature", "name", "password")


def declaration(request: HttpRequest) -> HttpResponse:
    """Show what is signed, and take the signature."""
    here = house()
    policy = here.engine().policy
    ticket, problem = ticket_of(request, here)
    if policy.declaration is None:
        return render(request, "portal/declaration.html", {"form": None, "wanted": None})
    account, bound = _people_here(request, here)
    # Whoever is known on this device is who is held or reminded there.
    by_account = bool(account) and bound in ("", account)
    person = account if by_account else bound
    signed_at = _signed_at(here, policy, person)
    form = _form(request, by_account=by_account, bound=bound)
    status = 200
    if request.method == "POST" and not (by_account and signed_at) and form.is_valid():
        answer, status = (_sign_by_account if by_account else _sign_by_password)(
            request, here, form
        )
        if answer is not None:
            return answer
    shown = {
        "form": form if signed_at is None or request.method == "POST" else None,
        "wanted": policy.declaration,
        "policy": policy,
        "wording": declarations.wording(policy),
        "signed_at": signed_at,
        "earlier": _earlier(here, policy, person) if signed_at is None else "",
        "person": person,
        "account": account,
        "bound": bound,
        "by_account": by_account,
        "back": ticket.url if ticket else "",
        "problem": problem,
    }
    return render(request, "portal/declaration.html", shown, status=status)


def listed(request: HttpRequest) -> HttpResponse:
    """List who has signed what and when, and who has not."""
    here = house()
    wanted = here.engine().policy.declaration
    missing = "missing" in request.GET
    shown = {
        "lines": _lines(here, missing=missing) if wanted else [],
        "wanted": wanted,
        "missing": missing,
    }
    return render(request, "portal/signatures.html", shown)


def file(request: HttpRequest) -> HttpResponse:
    """Give the same as a file for a table program."""
    here = house()
    lines = (
        _lines(here, missing="missing" in request.GET) if here.engine().policy.declaration else []
    )
    return table_file("declarations.csv", _COLUMNS, (_words(line) for line in lines))


def _people_here(request: HttpRequest, here: House) -> tuple[str, str]:
    """Give the sign-in names of whoever is signed in to the portal, and of whoever is on the device."""
    account = ""
    if request.user.is_authenticated:
        account = declarations.known_person(request.user.email, here.people())
    binding = bound_at(here, requesting.address_of(request))
    return account, binding.user if binding is not None else ""


def _form(request: HttpRequest, *, by_account: bool, bound: str) -> SignForm:
    given: dict[str, Any] = {"ticket": request.GET.get("ticket", "")}
    if by_account:
        return AccountForm(request.POST or None, signs=request.user.name, initial=given)
    return PersonForm(request.POST or None, initial={**given, "name": bound})


def _sign_by_account(
    request: HttpRequest, here: House, form: SignForm
) -> tuple[HttpResponse | None, int]:
    # Who has just signed in at a provider that cannot ask again may sign this all the same.
    prove_again(request, signing=False)
    return _sign(request, here, form, request.user.email, f"account:{request.user.email}")


def _sign_by_password(
    request: HttpRequest, here: House, form: SignForm
) -> tuple[HttpResponse | None, int]:
    given = form.cleaned_data
    name = sign_in_name(given["name"], here.domains())
    if not ratelimit.consume(request, action="device_sign_in", key=name):
        form.add_error(None, TOO_MANY)
        return None, 429
    answer = checked(here, given["name"], given["password"])
    if not answer.accepted:
        form.add_error(None, UNAVAILABLE if answer.outcome is Outcome.UNAVAILABLE else WRONG)
        return None, 200
    ratelimit.clear(request, action="device_sign_in", key=name)
    answer = here.membership(answer)
    if not declarations.is_asked(here.engine().policy, Membership(answer.group, answer.also)):
        form.add_error(None, _NOT_ASKED)
        return None, 200
    return _sign(request, here, form, answer.user, f"user:{answer.user}")


def _sign(
    request: HttpRequest, here: House, form: SignForm, person: str, actor: str
) -> tuple[HttpResponse | None, int]:
    given = form.cleaned_data
    try:
        kept = declarations.sign(
            here.decisions,
            here.engine().policy,
            here.people(),
            person,
            None,
            actor=actor,
            now=here.now(),
            signature=given["signature"],
        )
    except RefusedError as error:
        form.add_error(None, said(error))
        return None, 200
    messages.success(request, f"{kept.person} has signed. That is in force now.")
    query = f"?{urlencode({'ticket': given['ticket']})}" if given["ticket"] else ""
    return redirect(reverse("declaration") + query), 302


def _signed_at(here: House, policy: Policy, person: str) -> object | None:
    wanted = declarations.declaration_of(policy).version
    for each in here.decisions.signatures():
        if (each.person, each.version, each.withdrawn_at) == (person, wanted, None):
            return each.signed_at
    return None


def _earlier(here: House, policy: Policy, person: str) -> str:
    """Give the version that somebody signed last, where it is another than is wanted."""
    wanted = declarations.declaration_of(policy).version
    signed = [
        each.version
        for each in here.decisions.signatures()
        if each.person == person != "" and each.withdrawn_at is None and each.version != wanted
    ]
    return signed[-1] if signed else ""


def _lines(here: House, *, missing: bool) -> list[Line]:
    policy, people = here.engine().policy, here.people()
    others = dict(accounts.members(policy, people).values())
    found = declarations.standing(policy, people, here.decisions.signatures(), others)
    return [line for line in found if not missing or line.signed_at is None]


def _words(line: Line) -> tuple[str, ...]:
    at = line.signed_at
    moment = f"{at.astimezone(requesting.LONDON):%Y-%m-%d %H:%M}" if at else ""
    return line.person, line.version, moment, line.state
