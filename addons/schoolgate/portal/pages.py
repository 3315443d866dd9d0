"""The table of every page: where it is, who may see it, and what it answers to.

Nothing is served that does not stand here; a test walks it, page by page and role by role.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from allauth.account import views as account
from allauth.mfa.base import views as mfa
from allauth.mfa.recovery_codes import views as recovery
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as webauthn
from allauth.usersessions import views as sessions
from django.http import HttpRequest
from django.urls import reverse

from schoolgate.core.approvals import Role, Roles
from schoolgate.core.approvals.roles import concerned
from schoolgate.portal.access import (
    ANYONE,
    AT_THE_DOOR,
    CENTRAL_IT,
    IN_TRUST,
    PROVED_AGAIN,
    SIGNED_IN,
    Access,
    View,
    on_duty,
    only,
    roles_of,
)
from schoolgate.portal.house import entered
from schoolgate.portal.links import OF_SCHOOL
from schoolgate.portal.views import (
    absence,
    accounts,
    asking,
    certificates,
    deciding,
    declaration,
    device,
    evidence,
    figures,
    filtered,
    gateways,
    incidents,
    known,
    later,
    lists,
    people,
    printing,
    public,
    register,
    renewing,
    reports,
    requests,
    schools,
    sign_ins,
    single_sign_on,
    state,
    trustees,
    viewing,
)

READ = frozenset({"GET"})
FORM = frozenset({"GET", "POST"})
CHANGE = frozenset({"POST"})
# Whoever has an account with a role works for the school or governs it.
STAFF = only(*Role)
_WATCHING = (Role.TECHNICIAN, Role.ONLINE_SAFETY_LEAD, Role.DSL, Role.CHAIR_OF_GOVERNORS)


def _deciding(roles: Roles) -> tuple[Role, ...]:
    return (*roles.decides, *roles.deputises, *roles.bypass)


def _reading(roles: Roles) -> tuple[Role, ...]:
    return (*roles.reviews, *_deciding(roles))


REVIEWERS = on_duty(lambda roles: roles.reviews)
DECIDERS = on_duty(_deciding, Role.CHAIR_OF_GOVERNORS)
ABSENCE = on_duty(lambda roles: (*roles.decides, *roles.deputises))
READERS = on_duty(_reading, Role.CHAIR_OF_GOVERNORS)
WATCHERS = on_duty(_reading, *_WATCHING)
KEEPERS = on_duty(lambda roles: roles.decides, *_WATCHING)
IN_CHARGE = only(Role.TECHNICIAN, Role.HEADTEACHER)
# Who sees to it that somebody's access is withdrawn, and gives it back.
IN_SIGHT = on_duty(
    lambda roles: (*roles.reviews, *roles.decides, *roles.deputises, *roles.incidents),
    Role.TECHNICIAN,
)
LISTS = on_duty(lambda roles: roles.decides, Role.TECHNICIAN)
ON_REPORTS = on_duty(
    lambda roles: (*roles.reviews, *roles.decides), Role.ONLINE_SAFETY_LEAD, Role.DSL
)
# Who may be told of a concern; each then sees what is routed to them (T-8-concern).
ON_CONCERNS = on_duty(
    lambda roles: roles.incidents, Role.DSL, Role.HEADTEACHER, Role.CHAIR_OF_GOVERNORS
)
# Who governs and leads, to whom a review is shown.
GOVERNING = only(
    Role.HEADTEACHER, Role.ONLINE_SAFETY_LEAD, Role.DSL, Role.CHAIR_OF_GOVERNORS, Role.GOVERNOR
)
# Who opens a person's history (W-6.3.1-monitor).
CONCERNED = on_duty(concerned)


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
        without_store: what answers in its place while the store is out of reach.
    """

    path: str
    view: View
    name: str
    access: Access
    methods: frozenset[str] = READ
    menu: str = ""
    without_store: View = later.away


PAGES: tuple[Page, ...] = (
    Page("", public.start, "start", ANYONE),
    Page("policy/", public.for_parents, "policy", ANYONE, menu="What we filter"),
    Page("policy/pupils/", public.for_pupils, "policy_pupils", ANYONE),
    Page("certificates/", certificates.listed, "certificates", ANYONE),
    Page("certificates/file/", certificates.file, "certificate_file", ANYONE),
    Page("filtered/", filtered.filtered, "filtered", ANYONE),
    Page("filtered/picture.svg", filtered.trusted, "filtered_picture", ANYONE),
    Page("ask/", asking.ask, "ask", STAFF, FORM, without_store=later.ask),
    Page("accident/", asking.accident, "accident", ANYONE, FORM),
    Page("report/", asking.report, "report", ANYONE, FORM),
    Page("requests/", requests.listed, "requests", STAFF, menu="Requests"),
    Page("requests/<int:number>/", requests.shown, "request", STAFF),
    Page("requests/<int:number>/renew/", renewing.of_request, "renew_request", STAFF, FORM),
    Page("requests/<int:number>/form/", printing.form, "request_form", STAFF),
    Page("requests/<int:number>/form/page/", printing.page, "request_page", STAFF),
    Page("requests/<int:number>/answer/", requests.answer, "answer_request", STAFF, FORM),
    Page("requests/<int:number>/withdraw/", requests.withdraw, "withdraw_request", STAFF, CHANGE),
    Page("waiting/", deciding.waiting, "waiting", STAFF, menu="Waiting for you"),
    Page("requests/<int:number>/review/", deciding.review, "review_request", REVIEWERS, FORM),
    Page("requests/<int:number>/question/", deciding.question, "question_request", READERS, FORM),
    Page("requests/<int:number>/notify/", deciding.notify, "notify_request", STAFF, CHANGE),
    Page("requests/<int:number>/approve/", deciding.approve, "approve_request", DECIDERS, FORM),
    Page("requests/<int:number>/decline/", deciding.decline, "decline_request", DECIDERS, FORM),
    Page("requests/<int:number>/revoke/", deciding.revoke, "revoke_request", WATCHERS, FORM),
    Page("absence/", absence.absence, "absence", ABSENCE, FORM, menu="Absence"),
    Page("absence/<int:number>/end/", absence.end, "end_absence", ABSENCE, CHANGE),
    Page("reports/", reports.listed, "reports", ON_REPORTS, menu="Reports"),
    Page("reports/<int:number>/", reports.handle, "handle_report", ON_REPORTS, CHANGE),
    Page("blocks/<int:number>/lift/", reports.lift, "lift_block", ON_REPORTS, CHANGE),
    Page("figures/", figures.shown, "figures", WATCHERS, menu="Figures"),
    Page("figures/file/", figures.file, "figures_file", WATCHERS),
    Page("figures/pdf/", figures.pdf, "figures_pdf", WATCHERS),
    Page("figures/page/", figures.page, "figures_page", WATCHERS),
    Page("evidence/", evidence.shown, "evidence", GOVERNING, menu="Evidence"),
    Page("evidence/pdf/", evidence.pdf, "evidence_pdf", GOVERNING),
    Page("evidence/page/", evidence.page, "evidence_page", GOVERNING),
    Page("evidence/file/", evidence.file, "evidence_file", GOVERNING),
    Page("grants/", register.listed, "grants", KEEPERS, menu="Register"),
    Page("grants/file/", register.file, "grants_file", KEEPERS),
    Page("grants/file/pdf/", register.pdf, "grants_pdf", KEEPERS),
    Page("grants/file/page/", register.page, "grants_page", KEEPERS),
    Page("grants/<int:number>/renew/", renewing.of_grant, "renew_grant", KEEPERS, FORM),
    Page("grants/<int:number>/revoke/", register.revoke, "revoke_grant", KEEPERS, FORM),
    Page("declaration/", declaration.declaration, "declaration", AT_THE_DOOR, FORM, menu="Declaration"),
    Page("declaration/register/", declaration.listed, "signatures", KEEPERS, menu="Signatures"),
    Page("declaration/register/file/", declaration.file, "signatures_file", KEEPERS),
    Page("viewing/", viewing.own, "viewing", AT_THE_DOOR),
    Page("history/", viewing.of_others, "history", CONCERNED, FORM, menu="Viewing"),
    Page("incidents/", incidents.listed, "incidents", ON_CONCERNS, menu="Incidents"),
    Page("incidents/new/", incidents.new, "new_incident", ON_CONCERNS, FORM),
    Page("incidents/<int:number>/", incidents.shown, "incident", ON_CONCERNS),
    Page("incidents/<int:number>/note/", incidents.note, "note_incident", ON_CONCERNS, CHANGE),
    Page("incidents/<int:number>/close/", incidents.close, "close_incident", ON_CONCERNS, FORM),
    Page("incidents/<int:number>/file/", incidents.file, "incident_file", ON_CONCERNS),
    Page("incidents/<int:number>/pdf/", incidents.pdf, "incident_pdf", ON_CONCERNS),
    Page("incidents/<int:number>/page/", incidents.page, "incident_page", ON_CONCERNS),
    Page("alerts/<int:number>/", incidents.alert, "alert", ON_CONCERNS),
    Page("alerts/<int:number>/open/", incidents.from_alert, "incident_from_alert", ON_CONCERNS, CHANGE),
    Page("device/", device.sign_in, "device", AT_THE_DOOR, FORM, menu="This device"),
    Page("device/sign-out/", device.sign_out, "device_sign_out", AT_THE_DOOR, CHANGE),
    Page("first/<str:token>/", accounts.first, "first", AT_THE_DOOR, FORM),
    Page("password/<str:key>/<str:token>/", accounts.choose, "choose_password", AT_THE_DOOR, FORM),
    Page("known/", known.listed, "known", IN_SIGHT, menu="Devices"),
    Page("known/suspend/", known.suspend, "suspend", IN_SIGHT, FORM),
    Page("known/unsuspend/", known.unsuspend, "unsuspend", IN_SIGHT, FORM),
    Page("lists/", lists.listed, "lists", LISTS, menu="Local lists"),
    Page("lists/add/", lists.add, "add_to_list", LISTS, FORM),
    Page("lists/remove/", lists.remove, "remove_from_list", LISTS, FORM),
    Page("schools/", schools.listed, "schools", IN_TRUST, menu="Schools"),
    Page("schools/waiting/", schools.waiting, "schools_waiting", IN_TRUST),
    Page("schools/register/", schools.register, "schools_register", IN_TRUST),
    Page("schools/register/file/", schools.register_file, "schools_register_file", IN_TRUST),
    Page("schools/gateways/", gateways.listed, "gateways", CENTRAL_IT),
    Page("schools/people/", trustees.listed, "trustees", CENTRAL_IT, FORM),
    Page("schools/people/<int:number>/end/", trustees.end, "end_trustee", CENTRAL_IT, CHANGE),
    Page("schools/at/<str:school>/", schools.shown, "school", IN_TRUST),
    Page("people/", people.listed, "people", IN_CHARGE, menu="People"),
    Page("people/add/", people.add, "add_person", IN_CHARGE, FORM),
    Page("people/<int:number>/", people.person, "person", IN_CHARGE, FORM),
    Page("people/<int:number>/link/", people.link, "person_link", IN_CHARGE, CHANGE),
    Page("people/<int:number>/close/", people.close, "close_person", IN_CHARGE, FORM),
    Page("people/<int:number>/open/", people.open_again, "open_person", IN_CHARGE, CHANGE),
    Page("sign-ins/", sign_ins.listed, "sign_ins", only(Role.TECHNICIAN), menu="Sign-ins"),
    Page("sign-ins/end/", sign_ins.end, "end_sign_in", only(Role.TECHNICIAN), CHANGE),
    Page("state/", state.state, "state", only(Role.TECHNICIAN), menu="State"),
    Page("settings/", state.settings, "settings", only(Role.TECHNICIAN)),
    Page("account/", accounts.overview, "account", SIGNED_IN, menu="Your account"),
    # Under the names by which allauth links them.
    Page("account/sign-in/", accounts.sign_in, "account_login", AT_THE_DOOR, FORM),
    Page("account/sign-out/", account.logout, "account_logout", AT_THE_DOOR, FORM),
    Page("account/inactive/", account.account_inactive, "account_inactive", ANYONE),
    Page("account/password/", accounts.change_password, "account_change_password", SIGNED_IN, FORM),
    Page("account/again/", account.reauthenticate, "account_reauthenticate", SIGNED_IN, FORM),
    Page("account/with/<str:provider>/", single_sign_on.leave, "oidc_leave", AT_THE_DOOR, CHANGE),
    # By the provider's word alone, in the state that was kept when somebody was sent there.
    Page(
        "account/with/<str:provider>/done/", single_sign_on.returned, "openid_connect_callback",
        AT_THE_DOOR,
    ),
    Page(
        "account/again/with/<str:provider>/", single_sign_on.again, "oidc_again", SIGNED_IN, FORM
    ),
    Page("account/mail/", accounts.mail, "account_mail", SIGNED_IN, FORM),
    Page("account/sessions/", sessions.list_usersessions, "usersessions_list", SIGNED_IN, FORM),
    Page("account/second-factor/", mfa.index, "mfa_index", SIGNED_IN),
    Page("account/code/", mfa.authenticate, "mfa_authenticate", AT_THE_DOOR, FORM),
    Page("account/again/code/", mfa.reauthenticate, "mfa_reauthenticate", SIGNED_IN, FORM),
    Page("account/app/", totp.activate_totp, "mfa_activate_totp", PROVED_AGAIN, FORM),
    Page("account/app/remove/", totp.deactivate_totp, "mfa_deactivate_totp", PROVED_AGAIN, FORM),
    Page("account/codes/", recovery.view_recovery_codes, "mfa_view_recovery_codes", PROVED_AGAIN),
    Page(
        "account/codes/new/", recovery.generate_recovery_codes, "mfa_generate_recovery_codes",
        PROVED_AGAIN, FORM,
    ),
    Page(
        "account/codes/file/", recovery.download_recovery_codes, "mfa_download_recovery_codes",
        PROVED_AGAIN,
    ),
    Page("account/keys/", webauthn.list_webauthn, "mfa_list_webauthn", SIGNED_IN),
    Page("account/keys/add/", webauthn.add_webauthn, "mfa_add_webauthn", PROVED_AGAIN, FORM),
    Page(
        "account/keys/<int:pk>/edit/", webauthn.edit_webauthn, "mfa_edit_webauthn", PROVED_AGAIN, FORM
    ),
    Page(
        "account/keys/<int:pk>/remove/", webauthn.remove_webauthn, "mfa_remove_webauthn",
        PROVED_AGAIN, FORM,
    ),
    Page(
        "account/again/key/", webauthn.reauthenticate_webauthn, "mfa_reauthenticate_webauthn",
        SIGNED_IN, FORM,
    ),
)  # fmt: skip

# What is done with a request, in each school of a trust as in a school's own portal.
_OF_REQUESTS = tuple(page for page in PAGES if page.path.startswith("requests/<int:number>/"))
_OF_EACH_SCHOOL = frozenset(page.name for page in _OF_REQUESTS)
PAGES += tuple(
    replace(
        page,
        path=f"schools/at/<str:school>/{page.path}",
        view=schools.in_school(page.view, page.access, _OF_EACH_SCHOOL),
        name=OF_SCHOOL + page.name,
        access=IN_TRUST,
    )
    for page in _OF_REQUESTS
)


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the menu."""

    text: str
    href: str
    active: bool


def menu(request: HttpRequest) -> list[Entry]:
    """Give the menu of whoever asks: the pages that they may see."""
    # In a school of the trust it is that of the centre, too.
    with entered(None):
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
