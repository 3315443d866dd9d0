"""The parts of the pages of requests that several of them share: who acts, for whom, how much."""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django import forms
from django.http import HttpRequest

from schoolgate.core.approvals import AccessRequest, Actor, RequestTerms, Scope, Subject
from schoolgate.core.approvals.subjects import SubjectKind
from schoolgate.core.categories import Reach
from schoolgate.core.errors import BadAddressError
from schoolgate.core.people import sign_in_name
from schoolgate.core.prefixes import client_address
from schoolgate.portal.access import roles_of
from schoolgate.portal.house import House
from schoolgate.services.scopes import Extent, scope_of

LONDON = ZoneInfo("Europe/London")

# Of those that can be counted on from.
_LAST_DAY = date(9000, 1, 1)

_EXTENTS = {
    Extent.PAGE: "This page alone",
    Extent.PATH: "This page and what lies below it",
    Extent.HOST: "This host alone",
    Extent.DOMAIN: "The whole site, with all hosts below it",
}


def actor_of(request: HttpRequest) -> Actor:
    """Give who acts: an account is known by its address, so that mail reaches it."""
    roles = roles_of(request)
    return Actor(request.user.email, roles) if roles is not None else Actor("")


def address_of(request: HttpRequest) -> str:
    """Give the address of the device that asks, "" where it is none."""
    try:
        return client_address(request.META.get("REMOTE_ADDR", ""))
    except BadAddressError:
        return ""


def subjects(here: House, request: HttpRequest, more: Iterable[Subject] = ()) -> dict[str, str]:
    """Give for whom a site can be asked, as text → for people.

    Args:
        here: what the pages work with.
        request: of whoever asks.
        more: that are among them in any case.
    """
    name = sign_in_name(request.user.email, here.domains())
    address = address_of(request)
    found = {f"user:{name}": "You alone"} if name in here.people().people else {}
    if address:
        found[f"client:{address}"] = "This device alone"
    for group in here.engine().policy.groups.values():
        found[f"group:{group.id}"] = group.title
    found["everyone"] = "Everybody at the school"
    for subject in more:
        found.setdefault(str(subject), subject_words(here, subject))
    return found


def subject_words(here: House, subject: Subject) -> str:
    """Give whom something concerns, for people."""
    match subject.kind:
        case SubjectKind.EVERYONE:
            return "Everybody at the school"
        case SubjectKind.GROUP:
            group = here.engine().policy.groups.get(subject.id)
            return group.title if group else subject.id
        case SubjectKind.CLIENT:
            return f"The device at {subject.id}"
        case SubjectKind.DEVICE:
            return f"The device {subject.id}"
        case SubjectKind.USER:
            return subject.id


def extent_of(scope: Scope) -> Extent:
    """Give how much of a site a scope covers."""
    if scope.page:
        return Extent.PAGE
    if scope.entry.reach is Reach.SITE:
        return Extent.DOMAIN
    return Extent.PATH if scope.entry.path != "/" else Extent.HOST


def extent_words(scope: Scope) -> str:
    """Give how much of a site a scope covers, for people."""
    return _EXTENTS[extent_of(scope)]


def last_day(scope: Scope) -> date:
    """Give the last day, in school, on which a scope is open."""
    return (scope.ends - timedelta(microseconds=1)).astimezone(LONDON).date()


def end_of(day: date) -> datetime:
    """Give the moment at which a day ends in school."""
    return datetime.combine(min(day, _LAST_DAY) + timedelta(days=1), time(), LONDON)


def extent_field() -> forms.ChoiceField:
    """Make the field for how much of a site is meant."""
    return forms.ChoiceField(
        label="How much of the site",
        choices=[(extent.value, words) for extent, words in _EXTENTS.items()],
        initial=Extent.DOMAIN.value,
    )


def periods_field() -> forms.MultipleChoiceField:
    """Make the field for the periods of the timetable; which there are is filled in later."""
    return forms.MultipleChoiceField(
        label="Only in these periods of the timetable (none: at all times)",
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )


def period_choices(here: House) -> list[tuple[str, str]]:
    """Give the periods of the timetable."""
    timetable = here.engine().policy.timetable
    return [(name, name) for name in (timetable.periods if timetable else ())]


def terms_of(here: House) -> RequestTerms:
    """Give what the policy says of requests."""
    return here.engine().policy.requests or RequestTerms()


def narrowed(here: House, request: AccessRequest, given: dict[str, object]) -> Scope | None:
    """Give the scope that a decider chose; None where it is what was asked for.

    Args:
        here: what the pages work with.
        request: that is decided on.
        given: the decision form's fields ``extent``, ``subject``, ``until`` and ``periods``.

    Raises:
        RefusedError: when it is no scope.
    """
    asked = request.form.scope
    extent, subject = Extent(str(given["extent"])), Subject.parse(str(given["subject"]))
    until, periods = given["until"], given["periods"]
    assert isinstance(until, date)
    assert isinstance(periods, list)
    same = (extent, subject, until) == (extent_of(asked), asked.subject, last_day(asked))
    if same and frozenset(periods) == asked.periods:
        return None
    return scope_of(
        here.engine(),
        here.people(),
        request.form.url,
        extent,
        subject,
        here.now(),
        starts=asked.starts,
        ends=asked.ends if until == last_day(asked) else end_of(until),
        periods=periods,
        networks=asked.networks,
    )
