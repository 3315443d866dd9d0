"""Whoever a request waits for is told again, once a day; who has not signed the declaration, once a week."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from schoolgate.core.approvals import AccessRequest, Role, Roles, State, Told
from schoolgate.storage import ApprovalStore

PAUSE = timedelta(days=1)
TO_SIGN_PAUSE = timedelta(days=7)
_TO_SIGN = "Please read and sign the school's declaration"
_WAITING = (State.SUBMITTED, State.RETURNED, State.REVIEWED)


def remind(store: ApprovalStore, roles: Roles, now: datetime) -> int:
    """Put reminders into the outbox for what nothing was told of for a day; give how many requests.

    A request whose time is over is not worth a word.

    Raises:
        UnavailableError: when the database fails.
    """
    with store.reading() as kept:
        waiting = [r for r in kept.requests(_WAITING) if now < r.form.scope.ends]
    if not waiting:
        return 0
    with store.writing() as work:
        return sum(
            work.remind(_reminder(request, roles), f"request:{request.id}", now, PAUSE)
            for request in waiting
        )


def remind_to_sign(store: ApprovalStore, missing: Iterable[str], now: datetime) -> int:
    """Put reminders into the outbox for accounts that have not signed the declaration, each once a week.

    Args:
        store: where mail waits.
        missing: their addresses.
        now: when, aware.

    Returns:
        how many were told.

    Raises:
        UnavailableError: when the database fails.
    """
    wanted = list(missing)
    if not wanted:
        return 0
    with store.writing() as work:
        return sum(
            work.remind(Told(_TO_SIGN, account=email), f"declaration:{email}", now, TO_SIGN_PAUSE)
            for email in wanted
        )


def _reminder(request: AccessRequest, roles: Roles) -> Told:
    own = Role.HEADTEACHER in request.requester_roles
    deciders = (Role.CHAIR_OF_GOVERNORS,) if own else roles.decides
    match request.state:
        case State.RETURNED:
            return Told("A question about your request still waits", account=request.requester)
        case State.SUBMITTED if roles.reviews:
            return Told("A request still waits for your review", roles=roles.reviews)
        case _:
            return Told("A request still waits for your decision", roles=deciders)
