"""The schools of a trust, at its centre: how they stand, one register, and each one's requests."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from schoolgate.core.approvals import AccessRequest, Actor, Grant, Role, Subject
from schoolgate.core.approvals.subjects import SubjectKind
from schoolgate.core.errors import (
    ConfigurationError,
    RefusedError,
    SchoolgateError,
    UnavailableError,
)
from schoolgate.portal.access import Access, View
from schoolgate.portal.house import House, Inside, Trust, entered, house
from schoolgate.portal.views.register import table_file
from schoolgate.portal.words import ROLES, said
from schoolgate.services.trust_register import MOST_SCHOOLS, Line, Place, Stretch, stretch
from schoolgate.storage.school_glance import Part

_COLUMNS = ("School", "Number", "Site", "For whom", "State", "From", "Until", "Decided by")
_PARTS = {
    Part.WAITING: "Requests that wait",
    Part.OPEN: "Opened, in force or to come",
    Part.ENDED: "Opened, and ended or closed",
    Part.CLOSED: "Requests declined or withdrawn",
}
# A school's rules are not at the centre, or it cannot be read.
_NOT_HERE = (RefusedError, ConfigurationError, UnavailableError)
_PAGE = 50
_MOST_IN_FILE = 10_000
_MOST_WAITING = 200


def listed(request: HttpRequest) -> HttpResponse:
    """Show how each school stands, of those that whoever asks may see; no school is asked for it."""
    here, trust = house(), trust_of()
    roles = trust.assignments.of(request.user.email)
    seen = trust.overview.seen(seen_by(request))
    shown = {
        "schools": [(each, [ROLES[role] for role in roles.get(each.school, ())]) for each in seen],
        "waiting": sum(each.glance.waiting for each in seen if each.glance),
        "unread": sum(1 for each in seen if each.fault),
        "central": is_central(request),
        "now": here.now(),
    }
    return render(request, "portal/schools.html", shown)


def shown(request: HttpRequest, school: str) -> HttpResponse:
    """Show one school: how it stands, and what waits there."""
    here, trust = house(), trust_of()
    if school not in seen_by(request):
        raise Http404
    trust.overview.look(school)
    seen = next(iter(trust.overview.seen([school])), None)
    if seen is None:
        raise Http404
    found = Stretch([], {}, None)
    if not seen.fault:
        found = stretch([school], trust.view, Part.WAITING, here.now(), Place(), _MOST_WAITING)
    held = trust.assignments.of(request.user.email).get(school, frozenset())
    given = {
        "seen": seen,
        "lines": [_shown(here, line, held) for line in found.lines],
        "more": found.follows is not None,
        "held": [ROLES[role] for role in sorted(held)],
        "people": _people(trust, school) if is_central(request) else [],
        "central": is_central(request),
        "now": here.now(),
    }
    return render(request, "portal/school.html", given)


def waiting(request: HttpRequest) -> HttpResponse:
    """Show what waits for whoever asks in all schools where they have a role, the oldest first."""
    here, trust = house(), trust_of()
    roles = trust.assignments.of(request.user.email)
    first = request.GET.get("from", "")
    # Nothing is asked of a school in which nothing waited a moment ago.
    seen = (each for each in trust.overview.seen(roles) if each.school >= first)
    asked = [each.school for each in seen if each.glance is None or each.glance.waiting]
    found: list[tuple[str, AccessRequest]] = []
    unread: dict[str, str] = {}
    for school in asked[:MOST_SCHOOLS]:
        actor = Actor(request.user.email, roles[school])
        try:
            waits = trust.within(school).approvals.waiting_for(actor, here.now())
        except _NOT_HERE as error:
            unread[school] = _why_not(error)
        else:
            found += [(school, each) for each in waits]
    found.sort(key=lambda each: each[1].submitted_at)
    given = {
        "requests": [each for _, each in found],
        "schools": [school for school, _ in found],
        "unread": unread,
        "follows": urlencode({"from": asked[MOST_SCHOOLS]}) if asked[MOST_SCHOOLS:] else "",
        "now": here.now(),
    }
    return render(request, "portal/schools_waiting.html", given)


def register(request: HttpRequest) -> HttpResponse:
    """Show a page of the register of all schools that whoever asks may see."""
    here, trust = house(), trust_of()
    schools, part, school = _sought(request)
    place = Place.parse(request.GET.get("from", ""))
    found = stretch(schools, trust.view, part, here.now(), place, _PAGE)
    roles = trust.assignments.of(request.user.email)
    asked = {"part": part.value, "school": school}
    given = {
        "lines": [_shown(here, line, roles.get(line.school, frozenset())) for line in found.lines],
        "unread": sorted(found.unread),
        "columns": _COLUMNS,
        "parts": [(each.value, words) for each, words in _PARTS.items()],
        "part": part.value,
        "schools": sorted(seen_by(request)),
        "school": school,
        "file": f"{reverse('schools_register_file')}?{urlencode(asked)}",
        "follows": urlencode({**asked, "from": str(found.follows)}) if found.follows else "",
    }
    return render(request, "portal/schools_register.html", given)


def register_file(request: HttpRequest) -> HttpResponse:
    """Give the same as a file for a table program; what is not in it stands in its last lines."""
    schools, part, _ = _sought(request)
    return table_file("register.csv", _COLUMNS, _rows(schools, part))


def in_school(view: View, access: Access, pages: frozenset[str]) -> View:
    """Give the view of a page for a school of the trust: its data, its rules, and the roles held there.

    Args:
        view: that makes the page in a school's own portal.
        access: who may see it, by their roles in the school.
        pages: names of those that each school has.
    """

    @wraps(view)
    def asked(request: HttpRequest, school: str, **more: Any) -> HttpResponse:
        trust = trust_of()
        roles = trust.assignments.of(request.user.email).get(school)
        if not roles or school not in trust.overview.schools():
            raise Http404
        try:
            within = trust.within(school)
        except _NOT_HERE as error:
            given = {"school": school, "problem": _why_not(error)}
            return render(request, "portal/no_rules.html", given, status=409)
        there = replace(
            house(),
            engine=within.engine,
            people=within.people,
            approvals=within.approvals,
            decisions=within.decisions,
            trail=within.trail,
            # Of the centre, or of nobody.
            journal=tuple,
            trust=None,
        )
        with entered(Inside(school, there, roles, pages)):
            if not access.admits(roles):
                return render(request, "portal/refused.html", status=403)
            answer = view(request, **more)
        if request.method == "POST":
            trust.overview.look(school)
        return answer

    return asked


def _why_not(error: SchoolgateError) -> str:
    """Say why nobody can decide for a school from here."""
    if isinstance(error, UnavailableError):
        return "Its records cannot be read from here."
    return said(error)


def trust_of() -> Trust:
    """Give what the pages for schools work with.

    Raises:
        Http404: when this is no centre.
    """
    trust = house().trust
    if trust is None:
        raise Http404
    return trust


def is_central(request: HttpRequest) -> bool:
    """Ask whether somebody is of central IT: a technician of the centre."""
    return Role.TECHNICIAN in request.user.held_roles()


def seen_by(request: HttpRequest) -> frozenset[str]:
    """Give the schools of which somebody sees how they stand: their own, and central IT all."""
    trust = trust_of()
    known = frozenset(trust.overview.schools())
    return known if is_central(request) else known & trust.assignments.of(request.user.email).keys()


def _people(trust: Trust, school: str) -> list[tuple[str, str]]:
    running = trust.assignments.running()
    return [(each.person, ROLES[each.role]) for each in running if each.school == school]


def _sought(request: HttpRequest) -> tuple[list[str], Part, str]:
    """Give the schools and the part that are asked for; of what somebody may not see nothing is said."""
    schools, school = seen_by(request), request.GET.get("school", "")
    part = request.GET.get("part", "")
    chosen = Part(part) if part in set(Part) else Part.WAITING
    if school:
        schools &= {school}
        school = school if schools else ""
    return sorted(schools), chosen, school


def _rows(schools: list[str], part: Part) -> Iterator[tuple[str, ...]]:
    here, trust = house(), trust_of()
    place: Place | None = Place()
    given = 0
    while place is not None and given < _MOST_IN_FILE:
        found = stretch(schools, trust.view, part, here.now(), place, 1_000)
        for line in found.lines:
            yield _cells(here, line)
        for school in found.unread:
            yield (school, "", "could not be read")
        given, place = given + len(found.lines), found.follows
    if place is not None:
        yield (place.school, "", "and more from here on: choose a school")


def _shown(here: House, line: Line, held: Iterable[Role]) -> tuple[Line, tuple[str, ...], str]:
    """Give a line, its cells, and the address of its request for who has a role there."""
    number = line.item.request if isinstance(line.item, Grant) else line.item.id
    has_page = number and tuple(held)
    address = reverse("school_request", args=(line.school, number)) if has_page else ""
    return line, _cells(here, line), address


def _cells(here: House, line: Line) -> tuple[str, ...]:
    item, now = line.item, here.now()
    if isinstance(item, Grant):
        state = "ended" if item.ends <= now else "open" if item.starts <= now else "to come"
        scope_site, subject, starts, ends = item.site, item.subject, item.starts, item.ends
        by = item.decided_by.value.replace("-", " ")
    else:
        state, scope = item.state_at(now).value, item.scope
        scope_site, subject, starts, ends = scope.site, scope.subject, scope.starts, scope.ends
        by = _decided_by(item)
    days = (f"{at:%Y-%m-%d}" for at in (starts, ends))
    return (line.school, str(item.id), scope_site, _whom(subject), state, *days, by)


def _decided_by(request: AccessRequest) -> str:
    return request.decision.role.value.replace("-", " ") if request.decision else ""


def _whom(subject: Subject) -> str:
    """Say whom something concerns; a person is named on the page of the request alone."""
    match subject.kind:
        case SubjectKind.EVERYONE:
            return "Everybody at the school"
        case SubjectKind.GROUP:
            return f"Group {subject.id}"
        case SubjectKind.USER:
            return "One person"
        case _:
            return "One device"
