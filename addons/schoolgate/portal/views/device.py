"""The sign-in page: binds the device that asks to a person for a while (docs/identity.md)."""

from threading import Lock

from allauth.core import ratelimit
from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from schoolgate.core.bindings import Binding, BindingState
from schoolgate.core.errors import BadAddressError, RefusedError
from schoolgate.core.people import sign_in_name
from schoolgate.core.prefixes import client_address
from schoolgate.identity import Answer, Outcome
from schoolgate.portal.accounts.register import check_password
from schoolgate.portal.house import House, house

WRONG = "That name and password do not belong together. Check both and try again."
UNAVAILABLE = "The school's directory does not answer. Try again in a few minutes."
TOO_MANY = "There were too many attempts. Wait five minutes and try again."
# Signing in looks who is there first: two at once on one device must not both find nobody.
_one_at_a_time = Lock()


class SignInForm(forms.Form):
    """Name and password, and for how long."""

    name = forms.CharField(
        label="User name or email address",
        max_length=256,
        widget=forms.TextInput(attrs={"autocomplete": "username", "spellcheck": "false"}),
    )
    password = forms.CharField(
        max_length=1024,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    hours = forms.TypedChoiceField(
        label="How long will you use this device?", coerce=float, choices=(), initial=0
    )

    def __init__(self, *args: object, longest_seconds: float, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        most = longest_seconds / 3600
        self.fields["hours"].choices = [
            *(
                (hours, f"{hours} hour{'s' if hours > 1 else ''}")
                for hours in (1, 4)
                if hours < most
            ),
            (0, f"As long as possible ({most:g} hours)"),
        ]


def sign_in(request: HttpRequest) -> HttpResponse:
    """Show who is signed in on this device, or sign somebody in."""
    here = house()
    bound = bound_at(here, _address(request))
    form = SignInForm(request.POST or None, longest_seconds=here.sign_ins.longest_seconds)
    status = 200
    if request.method == "POST" and form.is_valid():
        problem = _sign_in(request, here, form.cleaned_data)
        if not problem:
            messages.success(request, "You are signed in on this device.")
            return redirect("device")
        form.add_error(None, problem)
        status = 429 if problem == TOO_MANY else 200
    return render(request, "portal/device.html", {"form": form, "bound": bound}, status=status)


def sign_out(request: HttpRequest) -> HttpResponse:
    """End the sign-in on this device."""
    here = house()
    bound = bound_at(here, _address(request))
    if bound is not None and bound.state is BindingState.IN_FORCE:
        here.sign_ins.end(bound.id)
        messages.success(request, "You have signed out on this device.")
    return redirect("device")


def bound_at(here: House, address: str) -> Binding | None:
    """Give what binds the device at an address, if anything does."""
    mac = here.mac_at(address) if address else ""
    for binding in here.sign_ins.current():
        if (binding.mac == mac) if (mac and binding.mac) else (binding.address == address != ""):
            return binding
    return None


def _sign_in(request: HttpRequest, here: House, given: dict[str, object]) -> str:
    """Sign somebody in; give what is wrong, or nothing."""
    name = sign_in_name(str(given["name"]), here.domains())
    if not ratelimit.consume(request, action="device_sign_in", key=name):
        return TOO_MANY
    answer = checked(here, str(given["name"]), str(given["password"]))
    if answer.outcome is Outcome.UNAVAILABLE:
        return UNAVAILABLE
    if not answer.accepted:
        return WRONG
    address = _address(request)
    seconds = float(str(given["hours"])) * 3600
    try:
        with _one_at_a_time:
            here.sign_ins.create(here.membership(answer), address, here.mac_at(address), seconds)
    except RefusedError as error:
        return str(error)
    ratelimit.clear(request, action="device_sign_in", key=name)
    return ""


def checked(here: House, name: str, password: str) -> Answer:
    """Ask the directory, or where there is none the accounts, whether a password is right."""
    directory = here.directory()
    if directory is not None:
        return directory.check(name, password)
    return check_password(here, name, password)


def _address(request: HttpRequest) -> str:
    try:
        return client_address(request.META.get("REMOTE_ADDR", ""))
    except BadAddressError:
        return ""
