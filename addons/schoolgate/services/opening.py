"""Opening and closing by hand: what is checked before a grant or a suspension is kept."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from schoolgate.core.approvals import (
    USUAL_ROLES,
    Grant,
    Role,
    Subject,
    SubjectKind,
    Supervision,
    Suspension,
    Told,
)
from schoolgate.core.categories import ListEntry
from schoolgate.core.clients import Client
from schoolgate.core.errors import BadAddressError, RefusedError
from schoolgate.core.hosts import as_ip, normalise_host
from schoolgate.core.people import People, sign_in_name
from schoolgate.core.policy import Policy, PolicyEngine, Reason, WebRequest, with_groups_around
from schoolgate.core.urls import Url, comparable_path, parse_web_url, path_readings
from schoolgate.lists import is_public_suffix

_A_DAY = timedelta(days=1)


class Decisions(Protocol):
    """Where decisions are kept, each with its audit entry in one transaction."""

    def add_grant(
        self,
        entry: ListEntry,
        subject: Subject,
        starts: datetime,
        ends: datetime,
        decided_by: Role,
        *,
        reason: str,
        actor: str,
        now: datetime,
    ) -> Grant:
        """Keep a grant."""

    def suspend(
        self,
        subject: Subject,
        starts: datetime,
        ends: datetime,
        reason: str,
        actor: str,
        *,
        now: datetime,
        told: Iterable[Told] = (),
    ) -> Suspension:
        """Keep a suspension."""


class Suspensions(Protocol):
    """Where suspensions are lifted, with an audit entry in one transaction."""

    def unsuspend(
        self,
        subject: Subject,
        now: datetime,
        actor: str,
        reason: str = "",
        told: Iterable[Told] = (),
    ) -> int:
        """Lift every suspension of somebody; give how many."""


class Lessons(Protocol):
    """Where several grants are kept at once."""

    def add_grants(
        self,
        entries: Sequence[ListEntry],
        subject: Subject,
        starts: datetime,
        ends: datetime,
        decided_by: Role,
        *,
        reason: str,
        actor: str,
        now: datetime,
    ) -> list[Grant]:
        """Keep several grants, all of them or none."""


class Supervisions(Protocol):
    """Where supervisions are kept."""

    def supervise(
        self,
        subject: Subject,
        starts: datetime,
        ends: datetime,
        reason: str,
        actor: str,
        *,
        now: datetime,
    ) -> Supervision:
        """Keep a supervision."""


def open_site(
    decisions: Decisions,
    engine: PolicyEngine,
    site: str,
    subject: Subject,
    starts: datetime,
    ends: datetime,
    decided_by: Role,
    *,
    reason: str,
    actor: str,
    now: datetime,
) -> Grant:
    """Open a site, or a part of one, for somebody until a time.

    Args:
        decisions: where it is kept.
        engine: the rules it is checked against.
        site: a host, host/path or URL; everything below it is opened.
        subject: for whom.
        starts: from when, aware.
        ends: until when, aware.
        decided_by: whose decision it is.
        reason: why, for the record and for the next person who asks.
        actor: who typed it.
        now: when, aware.

    Raises:
        RefusedError: when the site is none or too wide, is locked, or the subject does not exist.
    """
    entry = site_entry(site)
    refuse_locked(engine, parse_web_url(site))
    check_subject(engine, subject)
    client = Client("", engine.policy.default_group)
    asked = WebRequest(Url("https", entry.host, 443, entry.path), client)
    reason_now = engine.decide(asked, starts).reason
    if reason_now in (Reason.LOCKED, Reason.PARENT):
        raise RefusedError(f"{entry.text} is locked: nobody here can open it")
    if reason_now is Reason.CIRCUMVENTION:
        _check_bypass(engine.policy, decided_by, entry)
    else:
        _check_decider(engine.policy, decided_by)
    return decisions.add_grant(
        entry, subject, starts, ends, decided_by, reason=reason, actor=actor, now=now
    )


def open_lesson(
    decisions: Lessons,
    engine: PolicyEngine,
    group: str,
    sites: Sequence[str],
    period: str | None,
    *,
    reason: str,
    actor: str,
    now: datetime,
) -> list[Grant]:
    """Open some sites for a class for one lesson, within what the policy lets a teacher open.

    Args:
        decisions: where they are kept.
        engine: the rules and the timetable.
        group: of the policy, such as a class.
        sites: each a host, host/path or URL.
        period: of the timetable; the one that is now, or the next of today, counts. None for that
            of now.
        reason: why, for the record.
        actor: who asked.
        now: when, aware.

    Raises:
        RefusedError: when the policy lets teachers open nothing, when it is too much or too long,
            or when a site is blocked for another reason.
    """
    policy = engine.policy
    lessons = policy.lessons
    if lessons is None:
        raise RefusedError(f"the policy {policy.id} lets teachers open nothing: see 'lessons:'")
    subject = Subject(SubjectKind.GROUP, group)
    check_subject(engine, subject)
    is_class = not any(other.within == group for other in policy.groups.values())
    if group == policy.default_group or not is_class:
        raise RefusedError(f"{group!r} is no class: it is everybody, or has groups within it")
    starts, ends = _lesson(engine, period, now)
    if ends - starts > timedelta(minutes=lessons.most_minutes):
        ends = starts + timedelta(minutes=lessons.most_minutes)
    entries = [site_entry(site) for site in sites]
    for site in sites:
        refuse_locked(engine, parse_web_url(site))
    open_already = _open_for(engine, group, now)
    if len(open_already.union(entry.text for entry in entries)) > lessons.most_sites:
        raise RefusedError(
            f"a teacher may open {lessons.most_sites} sites at a time for a class; "
            f"{len(open_already)} are open for {group}"
        )
    client = Client("", group)
    for entry in entries:
        asked = WebRequest(Url("https", entry.host, 443, entry.path), client)
        if not engine.opens_in_lessons(asked, starts):
            decision = engine.decide(asked, starts)
            raise RefusedError(
                f"a teacher cannot open {entry.text} for {group}: {decision.verdict} under "
                f"{decision.clause}; ask for it instead"
            )
    return decisions.add_grants(
        entries, subject, starts, ends, Role.TEACHER, reason=reason, actor=actor, now=now
    )


def supervise(
    decisions: Supervisions,
    engine: PolicyEngine,
    subject: Subject,
    ends: datetime,
    *,
    reason: str,
    actor: str,
    now: datetime,
) -> Supervision:
    """Let somebody whose access is withdrawn work under a colleague's eyes (T-9-circumvent).

    Raises:
        RefusedError: when the subject does not exist.
    """
    check_subject(engine, subject)
    return decisions.supervise(subject, now, ends, reason, actor, now=now)


def suspend(
    decisions: Decisions,
    engine: PolicyEngine,
    subject: Subject,
    ends: datetime,
    *,
    reason: str,
    actor: str,
    now: datetime,
) -> Suspension:
    """Withdraw access from somebody until a time (W-6.3.1-withdraw); who is in charge is told.

    Raises:
        RefusedError: when the subject does not exist.
    """
    check_subject(engine, subject)
    told = _in_charge(engine.policy, "Somebody's access to the internet was withdrawn")
    return decisions.suspend(subject, now, ends, reason, actor, now=now, told=told)


def unsuspend(
    decisions: Suspensions,
    engine: PolicyEngine,
    people: People,
    subject: Subject,
    *,
    reason: str,
    actor: str,
    now: datetime,
) -> Subject:
    """Give somebody their access back before the time is over; who is in charge is told.

    Raises:
        RefusedError: when it is not withdrawn.
    """
    if subject.kind is SubjectKind.USER:
        # A device that is gone from people.yaml can still be given back its access.
        subject = known_subject(subject, people)
    told = _in_charge(engine.policy, "Somebody was given their access to the internet back")
    decisions.unsuspend(subject, now, actor, reason, told)
    return subject


def _in_charge(policy: Policy, said: str) -> tuple[Told, ...]:
    roles = policy.roles or USUAL_ROLES
    return (Told(said, roles=tuple(dict.fromkeys((*roles.decides, *roles.incidents)))),)


def _lesson(engine: PolicyEngine, period: str | None, now: datetime) -> tuple[datetime, datetime]:
    """Give when a period is: now, or next today."""
    timetable = engine.policy.timetable
    if timetable is None:
        raise RefusedError(f"the policy {engine.policy.id} has no timetable, and so no lessons")
    wanted = period or timetable.period_at(now)
    if wanted is None:
        raise RefusedError("there is no lesson now: name the period")
    if wanted not in timetable.periods:
        known = ", ".join(timetable.periods)
        raise RefusedError(f"the timetable has no period {wanted!r}; it has: {known}")
    starts: datetime | None = now
    day = now.astimezone(timetable.zone).date()
    while starts is not None and starts.astimezone(timetable.zone).date() == day:
        ends = timetable.next_change(starts)
        if timetable.period_at(starts) == wanted:
            return starts, ends or starts + _A_DAY
        starts = ends
    raise RefusedError(f"{timetable.periods[wanted]} is over for today")


def _open_for(engine: PolicyEngine, group: str, now: datetime) -> set[str]:
    """Give the sites that teachers opened for anybody of a class, each once.

    What is open for a group around it is open for the class, and what is open for a group within it
    for some of the class.
    """
    groups = engine.policy.groups
    around = with_groups_around(groups, [group])

    def meets(subject: Subject) -> bool:
        if subject.kind is not SubjectKind.GROUP:
            return True
        return subject.id in around or group in with_groups_around(groups, [subject.id])

    return {
        grant.entry.text
        for grant in engine.overlay.grants
        if grant.decided_by is Role.TEACHER and grant.ends > now and meets(grant.subject)
    }


def site_entry(site: str) -> ListEntry:
    """Give what a host, host/path or URL opens.

    Raises:
        RefusedError: when it is no site, or everybody's.
    """
    try:
        url = parse_web_url(site)
        entry = ListEntry(normalise_host(url.host), comparable_path(url.path), "grant", "grant")
    except BadAddressError as error:
        raise RefusedError(str(error)) from error
    if "*" in entry.host:
        raise RefusedError(f"{entry.host} is no single site: it has a wildcard")
    if len(path_readings(url.path)) > 1:
        raise RefusedError(f"{url.path} can be read in several ways: open the part above it")
    bare = as_ip(entry.host) is None and ("." not in entry.host or is_public_suffix(entry.host))
    if bare:
        raise RefusedError(f"{entry.host} is no single site: everybody's sites are below it")
    return entry


def refuse_locked(engine: PolicyEngine, url: Url) -> None:
    """Refuse what a locked list names, to the letter of the address, with no word of what it is.

    Raises:
        RefusedError: when one does.
    """
    if engine.locked_at(url) is not None:
        raise RefusedError(f"{url.host} is locked there: nobody here can open it")


def _check_bypass(policy: Policy, role: Role, entry: ListEntry) -> None:
    """Refuse what gets round the filter to all but those whom the policy names for it."""
    if role not in policy.bypass:
        who = f"only the {' or the '.join(policy.bypass)}" if policy.bypass else "nobody"
        raise RefusedError(f"{entry.text} gets round the filter: {who} can open it")


def _check_decider(policy: Policy, role: Role) -> None:
    """Refuse a decision by whom the policy does not name, where it names anybody."""
    if policy.roles is None:
        return
    named = tuple(dict.fromkeys((*policy.roles.decides, *policy.roles.deputises)))
    if role not in named:
        raise RefusedError(f"at this school it is decided by: {', '.join(named)}")


def known_subject(subject: Subject, people: People) -> Subject:
    """Give a subject as clients are known by it.

    Raises:
        RefusedError: when it is a device that nobody wrote down, and so would concern nobody.
    """
    if subject.kind is SubjectKind.USER:
        name = sign_in_name(subject.id, people.sign_in.domains)
        return Subject(SubjectKind.USER, name)
    devices = {device.id for device in people.devices} | {peer.device for peer in people.wireguard}
    if subject.kind is SubjectKind.DEVICE and subject.id not in devices:
        known = ", ".join(sorted(filter(None, devices))) or "none"
        raise RefusedError(f"there is no device {subject.id!r} in people.yaml; there are: {known}")
    return subject


def check_subject(engine: PolicyEngine, subject: Subject) -> None:
    """See that a group exists.

    Raises:
        RefusedError: when it does not.
    """
    groups = engine.policy.groups
    if subject.kind is SubjectKind.GROUP and subject.id not in groups:
        raise RefusedError(f"there is no group {subject.id!r}; there are: {', '.join(groups)}")
