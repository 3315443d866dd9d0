"""Who is signed in on which device, for technicians, and the end of a sign-in."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from schoolgate.core.errors import RefusedError
from schoolgate.portal.house import house


def listed(request: HttpRequest) -> HttpResponse:
    """List the sign-ins in force."""
    current = sorted(house().sign_ins.current(), key=lambda binding: binding.user)
    return render(request, "portal/sign_ins.html", {"bindings": current})


def end(request: HttpRequest) -> HttpResponse:
    """End one; in the audit trail it is known by its number, not by the person's name."""
    here = house()
    binding = request.POST.get("binding", "")[:64]
    try:
        here.sign_ins.end(binding)
    except RefusedError as error:
        messages.error(request, str(error))
    else:
        here.trail.add(
            here.now(), f"account:{request.user.pk}", "sign-in.ended", f"sign-in:{binding}", {}
        )
        messages.success(request, "The sign-in has ended.")
    return redirect("sign_ins")
