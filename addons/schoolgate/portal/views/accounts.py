"""The first account, a chosen password, and what somebody's own account holds."""

from allauth.account import views as account
from allauth.core import ratelimit
from django import forms
from django.contrib import messages
from django.contrib.auth.forms import SetPasswordForm
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from schoolgate.core.approvals import Role
from schoolgate.core.errors import RefusedError
from schoolgate.portal.accounts import register
from schoolgate.portal.accounts.models import Person
from schoolgate.portal.house import house
from schoolgate.portal.words import ROLES
from schoolgate.settings.single_sign_on import ProviderSettings

_FIRST_ROLES = (Role.TECHNICIAN, Role.HEADTEACHER)
_AT_ONCE, _DAILY = "at-once", "daily"
_TWICE = "The two passwords are not the same."


class MailForm(forms.Form):
    """How somebody wants their mail."""

    how = forms.ChoiceField(label="How you want it")

    def __init__(self, *args: object, at: str, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.fields["how"].choices = [
            (_AT_ONCE, "Each mail at once"),
            (_DAILY, f"One a day, at {at}"),
        ]


class FirstAccountForm(forms.Form):
    """Who sets the portal up."""

    name = forms.CharField(
        label="Your name",
        max_length=150,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    email = forms.EmailField(
        label="Email address", widget=forms.EmailInput(attrs={"autocomplete": "email"})
    )
    role = forms.ChoiceField(
        label="Your role",
        choices=[(role.value, ROLES[role]) for role in _FIRST_ROLES],
    )
    password = forms.CharField(
        label="Password",
        help_text="At least 12 characters. Three words that you do not use elsewhere are good.",
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    again = forms.CharField(
        label="The password again",
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def clean(self) -> dict[str, object]:
        """Look at the passwords together."""
        given: dict[str, object] = super().clean() or {}
        password = given.get("password")
        if password and given.get("again") and password != given["again"]:
            self.add_error("again", _TWICE)
        if password:
            somebody = Person(email=given.get("email", ""), name=given.get("name", ""))
            try:
                validate_password(str(password), somebody)
            except ValidationError as error:
                self.add_error("password", error)
        return given


def first(request: HttpRequest, token: str) -> HttpResponse:
    """Make the first account, for whoever has the link that `schoolgate run` printed."""
    here = house()
    file = here.settings.first_link_file
    if not ratelimit.consume(request, action="first_account"):
        return ratelimit.respond_429(request)
    if not register.is_first_token(file, token):
        raise Http404
    form = FirstAccountForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            register.add_first(
                here, file, given["email"], given["name"], given["password"], Role(given["role"])
            )
        except RefusedError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, "Your account is made. Sign in with it.")
            return redirect("account_login")
    return render(request, "portal/first.html", {"form": form})


def choose(request: HttpRequest, key: str, token: str) -> HttpResponse:
    """Let the owner of a link choose a password."""
    person = register.owner_of_link(key, token)
    if person is None:
        return render(request, "portal/old_link.html", status=410)
    form = SetPasswordForm(person, request.POST or None)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, "Your password is set. Sign in with it.")
        return redirect("account_login")
    return render(request, "portal/choose.html", {"form": form, "person": person})


def _providers() -> tuple[ProviderSettings, ...]:
    """Give where people may sign in elsewhere."""
    return house().settings.portal.oidc


sign_in = account.LoginView.as_view(extra_context={"providers": _providers})


def change_password(request: HttpRequest) -> HttpResponse:
    """Let whoever has a password choose another."""
    if not request.user.has_usable_password():
        messages.error(request, "Your account has no password here: you sign in with another one.")
        return redirect("account")
    answer: HttpResponse = account.password_change(request)
    return answer


def overview(request: HttpRequest) -> HttpResponse:
    """Show what one's own account holds."""
    roles = [ROLES[role] for role in sorted(request.user.held_roles())]
    return render(request, "portal/account.html", {"roles": roles})


def mail(request: HttpRequest) -> HttpResponse:
    """Let somebody choose between each mail at once and one a day."""
    here, account = house(), request.user.email
    daily = account.lower() in here.digests.readers()
    at = f"{here.settings.mail.digest_at:%H:%M}"
    initial = {"how": _DAILY if daily else _AT_ONCE}
    form = MailForm(request.POST or None, at=at, initial=initial)
    if request.method == "POST" and form.is_valid():
        here.digests.choose(account, daily=form.cleaned_data["how"] == _DAILY)
        messages.success(request, "It is kept.")
        return redirect("account")
    return render(request, "portal/mail.html", {"form": form})
