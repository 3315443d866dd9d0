"""Figures and people's records from the journal, for commands and for the portal."""

from dataclasses import dataclass
from datetime import date, timedelta

from schoolgate.bootstrap.accounts import Accounts
from schoolgate.bootstrap.clock import now
from schoolgate.bootstrap.journal import open_journal
from schoolgate.bootstrap.rules import roles_of
from schoolgate.core.approvals import Subject
from schoolgate.core.approvals.requests import checked_text
from schoolgate.core.approvals.roles import concerned
from schoolgate.core.errors import RefusedError
from schoolgate.services.figures import Figures, figures_of
from schoolgate.services.viewing import Limits, Visit, viewing_of, watched
from schoolgate.settings import Settings
from schoolgate.storage import ApprovalStore, AuditTrail, is_there, open_database

_MOST_DAYS = 31
_LIMITS = Limits(most_bytes=4 << 30, most_counted=200_000, most_shown=200_000)


@dataclass(frozen=True, slots=True)
class Concern:
    """Why somebody's record is looked at.

    Attributes:
        asked_by: account of who asks.
        words: what the concern is.
        reference: of the matter, such as the number of an incident.
    """

    asked_by: str
    words: str
    reference: str


def report_of(settings: Settings, since: date, until: date) -> Figures:
    """Count what happened in some days of the school.

    Raises:
        RefusedError: when they are no span of days.
        UnavailableError: when journal or database cannot be read.
    """
    requests = []
    if is_there(settings.database_url):
        database = open_database(settings.database_url)
        try:
            with ApprovalStore(database).reading() as kept:
                requests = kept.requests()
        finally:
            database.dispose()
    least = settings.journal.least_people
    return figures_of(open_journal(settings), since, until, least, requests)


def record_of(
    settings: Settings, subject: Subject, since: date, until: date, concern: Concern, actor: str
) -> list[Visit]:
    """Give what somebody asked for, the newest first, after it was recorded that and why it is looked at.

    Args:
        settings: of this machine.
        subject: a user, device or address.
        since: the first day of the school.
        until: the last day.
        concern: who asks and why; their account must have a role that may ask.
        actor: who has the record given out.

    Raises:
        RefusedError: without a concern, or where whoever asks may not.
        UnavailableError: when it cannot be recorded, or the journal cannot be read.
    """
    if not timedelta() <= until - since < timedelta(days=_MOST_DAYS):
        raise RefusedError(
            f"a record is of {_MOST_DAYS} days at most: ask for those of the concern"
        )
    detail = {
        "concern": checked_text(concern.words, "the concern"),
        "reference": checked_text(concern.reference, "the reference", 200),
        "asked_by": _entitled(settings, concern.asked_by),
        "day": f"{since} to {until}",
    }
    database = open_database(settings.database_url)
    try:
        AuditTrail(database).add(now(), actor, "history.viewed", str(subject), detail)
    finally:
        database.dispose()
    seen = viewing_of(open_journal(settings), watched(subject), since, _LIMITS, until)
    return list(seen.visits)


def _entitled(settings: Settings, email: str) -> str:
    """Give the account of somebody who may ask for a record.

    Raises:
        RefusedError: when there is none, or it may not.
    """
    roles = {role.value for role in concerned(roles_of(settings))}
    for account in Accounts(settings, "system:record"):
        if account.email.lower() == email.strip().lower() and account.is_active:
            if roles.isdisjoint(account.roles):
                said = ", ".join(sorted(roles))
                raise RefusedError(f"{email} may not ask for a person's record; these may: {said}")
            return account.email
    raise RefusedError(f"there is no account {email} in the portal")
