"""Opening and closing by hand: what is checked before a grant or a suspension is kept."""

from datetime import datetime
from typing import Protocol

from schoolgate.core.approvals import Grant, Role, Subject, SubjectKind, Suspension
from schoolgate.core.categories import ListEntry
from schoolgate.core.clients import Client
from schoolgate.core.errors import BadAddressError, RefusedError
from schoolgate.core.hosts import as_ip, normalise_host
from schoolgate.core.policy import PolicyEngine, Reason, WebRequest
from schoolgate.core.urls import Url, comparable_path, parse_web_url, path_readings
from schoolgate.lists import is_public_suffix


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
    ) -> Suspension:
        """Keep a suspension."""


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
    entry = _entry(site)
    _check_subject(engine, subject)
    client = Client("", engine.policy.default_group)
    asked = WebRequest(Url("https", entry.host, 443, entry.path), client)
    reason_now = engine.decide(asked, starts).reason
    if reason_now is Reason.LOCKED:
        raise RefusedError(f"{entry.text} is locked: nobody here can open it")
    if reason_now is Reason.CIRCUMVENTION and decided_by is not Role.HEADTEACHER:
        raise RefusedError(f"{entry.text} gets round the filter: only the headteacher can open it")
    return decisions.add_grant(
        entry, subject, starts, ends, decided_by, reason=reason, actor=actor, now=now
    )


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
    """Withdraw access from somebody until a time (W-6.3.1-withdraw).

    Raises:
        RefusedError: when the subject does not exist.
    """
    _check_subject(engine, subject)
    return decisions.suspend(subject, now, ends, reason, actor, now=now)


def _entry(site: str) -> ListEntry:
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


def _check_subject(engine: PolicyEngine, subject: Subject) -> None:
    groups = engine.policy.groups
    if subject.kind is SubjectKind.GROUP and subject.id not in groups:
        raise RefusedError(f"there is no group {subject.id!r}; there are: {', '.join(groups)}")
