"""From what somebody asks for to a scope, and what the policy in force says of it."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum

from schoolgate.core.approvals import (
    Overlay,
    PrecautionKind,
    RequestTerms,
    Scope,
    Standing,
    Subject,
    SubjectKind,
)
from schoolgate.core.approvals.requests import LONGEST_URL
from schoolgate.core.categories import ListEntry, Reach
from schoolgate.core.clients import Client
from schoolgate.core.errors import BadAddressError, RefusedError
from schoolgate.core.people import Membership, People
from schoolgate.core.policy import (
    NO_PERIOD,
    Decision,
    Policy,
    PolicyEngine,
    Reason,
    WebRequest,
    with_groups_around,
)
from schoolgate.core.urls import Url, parse_web_url
from schoolgate.services.opening import check_subject, known_subject, refuse_locked, site_entry


class Extent(StrEnum):
    """How much of a site is asked for.

    Attributes:
        PAGE: exactly this URL, with its query.
        PATH: this path and what lies below it, on this host alone.
        HOST: this host alone.
        DOMAIN: this host and all below it; ``www.`` is left out.
    """

    PAGE = "page"
    PATH = "path"
    HOST = "host"
    DOMAIN = "domain"


def scope_of(
    engine: PolicyEngine,
    people: People,
    url: str,
    extent: Extent,
    subject: Subject,
    now: datetime,
    *,
    starts: datetime | None = None,
    ends: datetime | None = None,
    periods: Iterable[str] = (),
    networks: Iterable[str] = (),
) -> Scope:
    """Give what is asked for.

    Args:
        engine: the rules in force.
        people: who is known.
        url: of the page.
        extent: how much of its site.
        subject: for whom.
        now: when it is asked.
        starts: from when; now without.
        ends: until when; after the policy's usual days without.
        periods: of the timetable; all times without.
        networks: of the policy; all without.

    Raises:
        RefusedError: when it is no site, too wide, or names what does not exist.
    """
    if len(url) > LONGEST_URL:
        raise RefusedError(f"an address may have {LONGEST_URL} characters, not {len(url)}")
    try:
        page = parse_web_url(url)
    except BadAddressError as error:
        raise RefusedError(str(error)) from error
    refuse_locked(engine, page)
    host = page.host.removeprefix("www.") if extent is Extent.DOMAIN else page.host
    path = page.path if extent in (Extent.PAGE, Extent.PATH) else "/"
    entry = site_entry(f"https://{host}{path}")
    reach = Reach.SITE if extent is Extent.DOMAIN else Reach.HOST
    terms = engine.policy.requests or RequestTerms()
    begins = starts or now
    scope = Scope(
        replace(entry, reach=reach),
        known_subject(subject, people),
        begins,
        ends or max(begins, now) + timedelta(days=terms.usual_days),
        _page(page) if extent is Extent.PAGE else "",
        frozenset(periods),
        frozenset(networks),
    )
    check_scope(engine, scope)
    return scope


def check_scope(engine: PolicyEngine, scope: Scope) -> None:
    """See that group, periods and networks exist.

    Raises:
        RefusedError: when one does not.
    """
    check_subject(engine, scope.subject)
    policy = engine.policy
    periods = {*(policy.timetable.periods if policy.timetable else ()), NO_PERIOD}
    for kind, named, known in (
        ("period", scope.periods, periods),
        ("network", scope.networks, set(policy.networks)),
    ):
        for name in sorted(named - known):
            raise RefusedError(
                f"there is no {kind} {name!r}; there are: {', '.join(sorted(known))}"
            )


def check_block(engine: PolicyEngine, entry: ListEntry, now: datetime) -> None:
    """See that a block of a site would stop anybody.

    Raises:
        RefusedError: when the policy keeps the site open, whatever the school's lists say.
    """
    bare = engine.with_overlay(Overlay())
    url = Url("https", entry.host, 443, entry.path)
    for group in engine.policy.groups:
        decision = bare.decide(WebRequest(url, Client("", group)), now)
        if decision.reason is Reason.ALWAYS_REACHABLE:
            raise RefusedError(
                f"{entry.text} is always reachable by the policy ({decision.clause}): "
                "a block would not stop anybody"
            )


def standing(
    engine: PolicyEngine, people: People, scope: Scope, *, pupils_meant: bool = False
) -> Standing:
    """Say what the policy in force says of a scope.

    Args:
        engine: the rules in force; what was decided by hand is left out.
        people: who is known.
        scope: what is opened, for whom.
        pupils_meant: whether it is for use with pupils, whoever opens it.
    """
    policy = engine.policy
    bare = engine.with_overlay(Overlay())
    reached = groups_reached(policy, people, scope.subject)
    decisions = [_decision(bare, scope, group) for group in sorted(reached)]
    locked = [d for d in decisions if d.reason in (Reason.LOCKED, Reason.PARENT)]
    precautions = policy.requests.precautions if policy.requests else ()
    meant = with_groups_around(policy.groups, reached)
    if pupils_meant:
        of_pupils = (PrecautionKind.AGE, PrecautionKind.NOTIFICATION)
        meant |= {g for p in precautions if p.kind in of_pupils for g in p.groups}
    categories = categories_of(bare, scope)
    return Standing(
        _locked(scope, locked[0]) if locked and len(locked) == len(decisions) else "",
        any(decision.reason is Reason.CIRCUMVENTION for decision in decisions),
        tuple(p for p in precautions if p.concerns(categories, meant, scope.networks)),
    )


def groups_reached(policy: Policy, people: People, subject: Subject) -> frozenset[str]:
    """Give the groups of those whom a subject concerns; of somebody unknown that of strangers."""
    groups = policy.groups
    known: Membership | None = None
    match subject.kind:
        case SubjectKind.EVERYONE:
            return frozenset(groups)
        case SubjectKind.GROUP:
            return frozenset(g for g in groups if subject.id in with_groups_around(groups, [g]))
        case SubjectKind.USER:
            known = people.people.get(subject.id)
        case SubjectKind.DEVICE:
            known = next((d.membership for d in people.devices if d.id == subject.id), None)
        case SubjectKind.CLIENT:
            known = None
    named = {known.group, *known.also} & set(groups) if known else set()
    return frozenset(named or {policy.default_group})


def categories_of(engine: PolicyEngine, scope: Scope) -> frozenset[str]:
    """Give the categories of what a scope opens, parts of its host included."""
    host, sites = scope.entry.host, engine.catalogue.sites
    listed = {entry.category for entry in sites.entries(host, scope.entry.path)}
    if scope.entry.path == "/":
        listed |= set(sites.categories(sites.get_with_paths(host)))
    return frozenset(listed & set(engine.catalogue.categories))


def _locked(scope: Scope, decision: Decision) -> str:
    if decision.locked_by is not None:
        # No word of where, nor of what it is.
        return f"{scope.entry.host} is locked there: nobody here can open it"
    return f"{scope.site} is locked: nobody here can open it ({decision.clause})"


def _decision(engine: PolicyEngine, scope: Scope, group: str) -> Decision:
    network = min(scope.networks, default="")
    path, _, query = scope.page.partition("?")
    url = Url("https", scope.entry.host, 443, path or scope.entry.path, query)
    return engine.decide(WebRequest(url, Client("", group, network=network)), scope.starts)


def _page(url: Url) -> str:
    return f"{url.path}?{url.query}" if url.query else url.path
