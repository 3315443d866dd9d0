"""Whoever a request waits for is told again, once a day."""

from datetime import datetime, timedelta

from schoolgate.core.approvals import AccessRequest, Role, Roles, State, Told
from schoolgate.storage import ApprovalStore

PAUSE = timedelta(days=1)
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
