"""Who has an account and in which roles, for those in charge; the same steps as `schoolgate people`."""

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from schoolgate.core.approvals import USUAL_ROLES, Role, Roles
from schoolgate.core.errors import RefusedError
from schoolgate.portal.accounts import register
from schoolgate.portal.accounts.models import Person
from schoolgate.portal.again import prove_again
from schoolgate.portal.house import House, house
from schoolgate.portal.words import ACCOUNT_CHANGES, ROLES, said

_CHANGES_SHOWN = 20
_NOT_SURE = "Tick the box below if that is what you mean."


class RolesForm(forms.Form):
    """The roles that somebody has."""

    roles = forms.MultipleChoiceField(
        label="Roles",
        required=False,
        choices=[(role.value, ROLES[role]) for role in Role],
        widget=forms.CheckboxSelectMultiple,
    )
    sure = forms.BooleanField(label="I mean that", required=False)

    def asks(self, slips: list[str]) -> bool:
        """Ask to be sure of what may be a slip; give whether that is still to be said."""
        if not slips:
            del self.fields["sure"]
            return False
        if self.is_bound and not self.cleaned_data.get("sure"):
            for one in slips:
                self.add_error(None, one)
            self.add_error("sure", _NOT_SURE)
            return True
        return False

    def chosen(self) -> list[Role]:
        """Give the roles that were ticked."""
        return [Role(role) for role in self.cleaned_data["roles"]]


class AddForm(forms.Form):
    """Somebody who is to have an account."""

    name = forms.CharField(label="Name", max_length=register.LONGEST_NAME)
    email = forms.EmailField(label="Email address")
    roles = forms.MultipleChoiceField(
        label="Roles",
        required=False,
        choices=[(role.value, ROLES[role]) for role in Role],
        widget=forms.CheckboxSelectMultiple,
    )


class SureForm(forms.Form):
    """That an account is to be closed although that may be a slip."""

    sure = forms.BooleanField(label="I mean that")


def listed(request: HttpRequest) -> HttpResponse:
    """List every account, and what was changed of late."""
    changes = house().trail.told(limit=_CHANGES_SHOWN, action="account.")
    shown = {
        "people": [(person, _roles_of(person)) for person in register.everybody()],
        "changes": [
            (entry.at, ACCOUNT_CHANGES.get(entry.action, entry.action), beside)
            for entry, beside in reversed(changes)
        ],
    }
    return render(request, "portal/people.html", shown)


def add(request: HttpRequest) -> HttpResponse:
    """Make an account, and show the link on which its owner chooses a password."""
    form = AddForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        answer = _add(request, form)
        if answer is not None:
            return answer
    return render(request, "portal/add_person.html", {"form": form})


def person(request: HttpRequest, number: int) -> HttpResponse:
    """Show an account, and change its roles."""
    found = _found(number)
    form = RolesForm(request.POST or None, initial={"roles": found.roles})
    if request.method == "POST" and form.is_valid():
        slips = register.slips(found, form.chosen(), request.user.email)
        if not form.asks(slips):
            return _set_roles(request, found, form.chosen())
    elif request.method == "GET":
        form.asks([])
    shown = {"form": form, "person": found, "own": found.pk == request.user.pk}
    return render(request, "portal/person.html", shown)


def link(request: HttpRequest, number: int) -> HttpResponse:
    """Show a link on which somebody chooses a password anew."""
    prove_again(request, signing=True)
    found, here = _found(number), house()
    path = register.new_link(here.trail, found.email, _actor(request), here.now())
    return _link_page(request, here, found, path)


def close(request: HttpRequest, number: int) -> HttpResponse:
    """Close an account, with what may be a slip said before."""
    found = _found(number)
    slips = register.slips(found, (), request.user.email, active=False)
    form = SureForm(request.POST or None) if slips else None
    if request.method == "POST" and (form is None or form.is_valid()):
        return _set_active(request, found, active=False)
    shown = {"form": form, "person": found, "slips": slips}
    return render(request, "portal/close_person.html", shown)


def open_again(request: HttpRequest, number: int) -> HttpResponse:
    """Open a closed account again."""
    return _set_active(request, _found(number), active=True)


def _add(request: HttpRequest, form: AddForm) -> HttpResponse | None:
    prove_again(request, signing=True)
    here, given = house(), form.cleaned_data
    roles = [Role(role) for role in given["roles"]]
    try:
        made = register.add(
            here.trail,
            given["email"],
            given["name"],
            roles,
            _actor(request),
            here.now(),
            _duties(here),
        )
    except RefusedError as error:
        form.add_error(None, said(error))
        return None
    return _link_page(request, here, made, register.password_link(made))


def _set_roles(request: HttpRequest, found: Person, roles: list[Role]) -> HttpResponse:
    prove_again(request, signing=True)
    here = house()
    register.set_roles(here.trail, found.email, roles, _actor(request), here.now(), _duties(here))
    messages.success(request, f"The roles of {found.name} are changed.")
    return redirect("people" if found.pk != request.user.pk else "start")


def _set_active(request: HttpRequest, found: Person, *, active: bool) -> HttpResponse:
    prove_again(request, signing=True)
    here = house()
    register.set_active(
        here.trail, found.email, _actor(request), here.now(), active=active, duties=_duties(here)
    )
    if active or found.pk != request.user.pk:
        verb = "may sign in again" if active else "may not sign in any more"
        messages.success(request, f"{found.name} {verb}.")
    return redirect("people" if found.pk != request.user.pk else "start")


def _link_page(request: HttpRequest, here: House, found: Person, path: str) -> HttpResponse:
    link_ = here.settings.portal.public_url + path
    return render(request, "portal/password_link.html", {"person": found, "link": link_})


def _found(number: int) -> Person:
    found: Person | None = Person.objects.filter(pk=number).first()
    if found is None:
        raise Http404
    return found


def _duties(here: House) -> Roles:
    return here.engine().policy.roles or USUAL_ROLES


def _actor(request: HttpRequest) -> str:
    return f"account:{request.user.email}"


def _roles_of(person: Person) -> list[str]:
    return [ROLES[role] for role in sorted(person.held_roles())]
