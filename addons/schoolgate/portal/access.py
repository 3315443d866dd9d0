"""Who may see a page: declared in the table of pages, asked before its view."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.db import DatabaseError, InterfaceError, OperationalError
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
)
from django.shortcuts import render

from schoolgate.core.approvals import USUAL_ROLES, Role, Roles
from schoolgate.core.errors import StoreUnavailableError
from schoolgate.portal.again import prove_again
from schoolgate.portal.house import house, inside
from schoolgate.portal.remembered import Remembered

logger = logging.getLogger(__name__)

# Of what databases number; more is an error of theirs.
_LARGEST = 2**31 - 1
# SQLSTATE of a server that only follows another.
_READ_ONLY = "25006"

type View = Callable[..., HttpResponse]
type Duty = Callable[[Roles], tuple[Role, ...]]


@dataclass(frozen=True, slots=True)
class Access:
    """Who may see a page.

    Attributes:
        signed_in: whether one must have signed in.
        roles: any of these will do; none for everybody who has signed in.
        secret: whether passwords or codes are typed there, so that it is shown over TLS only.
        again: whether one must have shown a moment ago who one is.
        duty: gives further roles that will do from those of the policy in force.
        of_trust: whether it is there at the centre of a trust alone.
    """

    signed_in: bool = False
    roles: frozenset[Role] = frozenset()
    secret: bool = False
    again: bool = False
    duty: Duty | None = None
    of_trust: bool = False

    def admits(self, roles: frozenset[Role] | None) -> bool:
        """Ask whether somebody may see it.

        Args:
            roles: theirs; None for somebody who has not signed in.
        """
        if self.of_trust and house().trust is None:
            return False
        if roles is None:
            return not self.signed_in
        if self.duty is not None:
            policy = house().engine().policy
            return not roles.isdisjoint({*self.roles, *self.duty(policy.roles or USUAL_ROLES)})
        return not self.roles or not self.roles.isdisjoint(roles)


ANYONE = Access()
# Everybody, for passwords.
AT_THE_DOOR = Access(secret=True)
SIGNED_IN = Access(signed_in=True, secret=True)
PROVED_AGAIN = Access(signed_in=True, secret=True, again=True)


IN_TRUST = Access(signed_in=True, secret=True, of_trust=True)
CENTRAL_IT = Access(True, frozenset({Role.TECHNICIAN}), secret=True, of_trust=True)


def only(*roles: Role) -> Access:
    """Give the access of those who have any of some roles."""
    return Access(signed_in=True, roles=frozenset(roles), secret=True)


def on_duty(duty: Duty, *roles: Role) -> Access:
    """Give the access of those whom the policy gives a duty, and of those who have some roles."""
    return Access(signed_in=True, roles=frozenset(roles), secret=True, duty=duty)


def roles_of(request: HttpRequest) -> frozenset[Role] | None:
    """Give the roles of whoever asks, in the school that the page is made in; None without a sign-in."""
    within = inside()
    if within is not None:
        return within.roles
    person = request.user
    held: frozenset[Role] | None = person.held_roles() if person.is_authenticated else None
    return held


def guarded(view: View, access: Access, methods: frozenset[str], without_store: View) -> View:
    """Give the view behind its declaration.

    Args:
        view: that answers.
        access: who may see it.
        methods: what it answers to.
        without_store: what answers while the store is out of reach, and asks nobody who they are.
    """

    @wraps(view)
    def asked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.method not in (methods | {"HEAD"} if "GET" in methods else methods):
            return HttpResponseNotAllowed(sorted(methods))
        if any(isinstance(number, int) and number > _LARGEST for number in kwargs.values()):
            raise Http404
        if access.secret and not _is_private(request):
            return HttpResponseRedirect(
                house().settings.portal.public_url + request.get_full_path()
            )
        try:
            return admitted(request, *args, **kwargs)
        except (DatabaseError, InterfaceError, StoreUnavailableError) as error:
            if not _is_loss(error):
                raise
            logger.error("The store is out of reach: %s", error)  # noqa: TRY400
            return without_store(request)

    def admitted(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if _session_of(request) and not house().is_store_near():
            # Who asks would be waited for.
            return without_store(request)
        roles = _seen(request)
        if access.admits(roles):
            if access.again:
                prove_again(request, signing=False)
            return view(request, *args, **kwargs)
        if roles is None:
            return redirect_to_login(request.get_full_path() if request.method == "GET" else "/")
        return render(request, "portal/refused.html", status=403)

    return asked


def _seen(request: HttpRequest) -> frozenset[Role] | None:
    """Give the roles of whoever asks, and remember them for when the store is out of reach."""
    roles = roles_of(request)
    session = _session_of(request)
    if session:
        person = request.user
        who = Remembered(person.pk, person.email, person.name, roles) if roles is not None else None
        house().memory.note(session, who)
    return roles


def _session_of(request: HttpRequest) -> str:
    return str(request.COOKIES.get(settings.SESSION_COOKIE_NAME, ""))


def _is_loss(error: Exception) -> bool:
    """Ask whether the store is out of reach, or a copy that cannot be written."""
    is_copy = getattr(error.__cause__, "sqlstate", "") == _READ_ONLY
    return isinstance(error, OperationalError | InterfaceError | StoreUnavailableError) or is_copy


def _is_private(request: HttpRequest) -> bool:
    """Ask whether nobody else reads it: TLS, or this machine alone (the first run)."""
    portal = house().settings.portal
    if request.is_secure() or portal.public_url.startswith("http://"):
        return True
    return request.get_host().rpartition(":")[0].strip("[]") in {"127.0.0.1", "localhost", "::1"}
