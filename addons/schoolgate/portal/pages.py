"""The table of every page: where it is, who may see it, and what it answers to.

Nothing is served that does not stand here; a test walks it, page by page and role by role.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from allauth.account import views as account
from allauth.mfa.base import views as mfa
from allauth.mfa.recovery_codes import views as recovery
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as webauthn
from allauth.usersessions import views as sessions
from django.http import HttpRequest
from django.urls import reverse

from schoolgate.core.approvals import Role
from schoolgate.portal.access import (
    ANYONE,
    AT_THE_DOOR,
    SIGNED_IN,
    Access,
    View,
    only,
    roles_of,
)
from schoolgate.portal.views import accounts, device, public, sign_ins

READ = frozenset({"GET"})
FORM = frozenset({"GET", "POST"})
CHANGE = frozenset({"POST"})


@dataclass(frozen=True, slots=True)
class Page:
    """One page.

    Attributes:
        path: below the portal's address, as Django writes it.
        view: what makes it.
        name: by which it is linked.
        access: who may see it.
        methods: what it answers to; what has GET changes nothing by it.
        menu: what the menu calls it; empty for a page that is not in it.
    """

    path: str
    view: View
    name: str
    access: Access
    methods: frozenset[str] = READ
    menu: str = ""


PAGES = (
    Page("", public.start, "start", ANYONE),
    Page("policy/", public.for_parents, "policy", ANYONE, menu="What we filter"),
    Page("policy/pupils/", public.for_pupils, "policy_pupils", ANYONE),
    Page("device/", device.sign_in, "device", AT_THE_DOOR, FORM, menu="This device"),
    Page("device/sign-out/", device.sign_out, "device_sign_out", AT_THE_DOOR, CHANGE),
    Page("first/<str:token>/", accounts.first, "first", AT_THE_DOOR, FORM),
    Page("password/<str:key>/<str:token>/", accounts.choose, "choose_password", AT_THE_DOOR, FORM),
    Page("sign-ins/", sign_ins.listed, "sign_ins", only(Role.TECHNICIAN), menu="Sign-ins"),
    Page("sign-ins/end/", sign_ins.end, "end_sign_in", only(Role.TECHNICIAN), CHANGE),
    Page("account/", accounts.overview, "account", SIGNED_IN, menu="Your account"),
    # Under the names by which allauth links them.
    Page("account/sign-in/", account.login, "account_login", AT_THE_DOOR, FORM),
    Page("account/sign-out/", account.logout, "account_logout", AT_THE_DOOR, FORM),
    Page("account/inactive/", account.account_inactive, "account_inactive", ANYONE),
    Page("account/password/", account.password_change, "account_change_password", SIGNED_IN, FORM),
    Page("account/again/", account.reauthenticate, "account_reauthenticate", SIGNED_IN, FORM),
    Page("account/sessions/", sessions.list_usersessions, "usersessions_list", SIGNED_IN, FORM),
    Page("account/second-factor/", mfa.index, "mfa_index", SIGNED_IN),
    Page("account/code/", mfa.authenticate, "mfa_authenticate", AT_THE_DOOR, FORM),
    Page("account/again/code/", mfa.reauthenticate, "mfa_reauthenticate", SIGNED_IN, FORM),
    Page("account/app/", totp.activate_totp, "mfa_activate_totp", SIGNED_IN, FORM),
    Page("account/app/remove/", totp.deactivate_totp, "mfa_deactivate_totp", SIGNED_IN, FORM),
    Page("account/codes/", recovery.view_recovery_codes, "mfa_view_recovery_codes", SIGNED_IN),
    Page(
        "account/codes/new/", recovery.generate_recovery_codes, "mfa_generate_recovery_codes",
        SIGNED_IN, FORM,
    ),
    Page(
        "account/codes/file/", recovery.download_recovery_codes, "mfa_download_recovery_codes",
        SIGNED_IN,
    ),
    Page("account/keys/", webauthn.list_webauthn, "mfa_list_webauthn", SIGNED_IN),
    Page("account/keys/add/", webauthn.add_webauthn, "mfa_add_webauthn", SIGNED_IN, FORM),
    Page(
        "account/keys/<int:pk>/edit/", webauthn.edit_webauthn, "mfa_edit_webauthn", SIGNED_IN, FORM
    ),
    Page(
        "account/keys/<int:pk>/remove/", webauthn.remove_webauthn, "mfa_remove_webauthn",
        SIGNED_IN, FORM,
    ),
    Page(
        "account/again/key/", webauthn.reauthenticate_webauthn, "mfa_reauthenticate_webauthn",
        SIGNED_IN, FORM,
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the menu."""

    text: str
    href: str
    active: bool


def menu(request: HttpRequest) -> list[Entry]:
    """Give the menu of whoever asks: the pages that they may see."""
    return list(_menu(request))


def _menu(request: HttpRequest) -> Iterator[Entry]:
    # A refusal before the session was read has no user.
    roles = roles_of(request) if hasattr(request, "user") else None
    for page in PAGES:
        if page.menu and page.access.admits(roles):
            href = reverse(page.name)
            yield Entry(page.menu, href, request.path.startswith(href))
    if roles is None:
        href = reverse("account_login")
        yield Entry("Sign in", href, request.path == href)
