"""Who of a trust may see and approve in which school, for central IT; nobody gives that to themselves."""

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from schoolgate.core.approvals import Role, Told
from schoolgate.core.errors import RefusedError, SchoolgateError, UnavailableError
from schoolgate.portal.accounts import register
from schoolgate.portal.again import prove_again
from schoolgate.portal.house import house
from schoolgate.portal.views.schools import trust_of
from schoolgate.portal.words import ROLES, said
from schoolgate.storage.assignments import Assignment

# What somebody of the trust can be in a school: those that its rules ask for a review, a decision or a look.
CAPACITIES = (
    Role.HEADTEACHER, Role.DEPUTY, Role.SLT, Role.ONLINE_SAFETY_LEAD, Role.DSL, Role.TECHNICIAN,
    Role.CHAIR_OF_GOVERNORS,
)  # fmt: skip
_CHANGES_SHOWN = 20
_TOLD = (Role.HEADTEACHER, Role.CHAIR_OF_GOVERNORS)


class GiveForm(forms.Form):
    """Who is to be what, and where."""

    person = forms.ChoiceField(label="Who")
    school = forms.ChoiceField(label="School")
    role = forms.ChoiceField(
        label="As", choices=[("", "Choose"), *((one.value, ROLES[one]) for one in CAPACITIES)]
    )

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        people = [(one.email, str(one)) for one in register.everybody() if one.is_active]
        schools = [(name, name) for name in trust_of().overview.schools()]
        self.fields["person"].choices = [("", "Choose"), *people]
        self.fields["school"].choices = [("", "Choose"), *schools]


def listed(request: HttpRequest) -> HttpResponse:
    """Show who may see and approve where, and give it to somebody."""
    here, trust = house(), trust_of()
    form = GiveForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        prove_again(request, signing=True)
        try:
            _give(request, form)
        except (RefusedError, UnavailableError) as error:
            form.add_error(None, said(error))
        else:
            messages.success(request, "That is given, and the school is told.")
            return redirect("trustees")
    changes = here.trail.told(limit=_CHANGES_SHOWN, action="trust.")
    shown = {
        "form": form,
        "running": [(each, ROLES[each.role]) for each in trust.assignments.running()],
        "changes": [(entry.at, entry.action, beside) for entry, beside in reversed(changes)],
    }
    return render(request, "portal/trustees.html", shown)


def end(request: HttpRequest, number: int) -> HttpResponse:
    """Take it back; that is done whether the school can be told or not."""
    prove_again(request, signing=True)
    here, trust = house(), trust_of()
    try:
        ended = trust.assignments.end(number, request.user.email, here.now())
    except RefusedError as error:
        raise Http404 from error
    try:
        _tell(request, ended, "trust.withdrawn", "Somebody of the trust has no role here any more")
    except SchoolgateError:
        messages.warning(request, f"That is taken back. {ended.school} could not be told.")
    else:
        messages.success(request, "That is taken back, and the school is told.")
    return redirect("trustees")


def _give(request: HttpRequest, form: GiveForm) -> None:
    here, given = trust_of(), form.cleaned_data
    person, school, by = given["person"], given["school"], request.user.email
    role, now = Role(given["role"]), house().now()
    here.assignments.check(person, school, role, by)
    # A school that cannot be told is not given to anybody.
    made = Assignment(0, person, school, role, now, by)
    _tell(request, made, "trust.assigned", "Somebody of the trust was given a role in this school")
    here.assignments.give(person, school, role, by, now)


def _tell(request: HttpRequest, each: Assignment, action: str, subject: str) -> None:
    """Write it into the school's own audit trail, and mail to those who answer for it."""
    detail = {"role": each.role.value, "school": each.school}
    trust_of().trail(each.school).add(
        house().now(),
        f"account:{request.user.email}",
        action,
        f"account:{each.person}",
        detail,
        [Told(subject, roles=_TOLD)],
    )
