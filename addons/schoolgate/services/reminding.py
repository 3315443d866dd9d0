"""Tells people again: what waits for them, what of theirs ends soon, what they have not signed."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from schoolgate.core.approvals import AccessRequest, Role, Roles, State, Told
from schoolgate.storage import ApprovalStore, Reading

PAUSE = timedelta(days=1)
TO_SIGN_PAUSE = timedelta(days=7)
_TO_SIGN = "Please read and sign the school's declaration"
# So long before its end somebody is told of a grant that was at least twice as long.
BEFORE_END = timedelta(days=3)
ENDS_SOON = "A site that you asked for closes soon"
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


def remind_of_ends(store: ApprovalStore, now: datetime) -> int:
    """Tell who asked, once, of each grant that ends soon and is not asked for again; give how many.

    Raises:
        UnavailableError: when the database fails.
    """
    with store.reading() as kept:
        if not _ending(kept, now):
            return 0
    with store.writing() as work:
        # Read again: this is the only writer now.
        ending = _ending(work, now)
        for request in ending:
            work.tell(Told(ENDS_SOON, account=request.requester), f"request:{request.id}", now)
    return len(ending)


def _ending(kept: Reading, now: datetime) -> list[AccessRequest]:
    untold = kept.ending(now, now + BEFORE_END, ENDS_SOON)
    if not untold:
        return []
    asked_again = {request.renews for request in kept.requests(_WAITING)}
    found = [
        kept.request(grant.request)
        for grant in untold
        if grant.request
        and grant.request not in asked_again
        and grant.ends - grant.starts >= 2 * BEFORE_END
    ]
    return [one for one in found if one.requester and one.state is State.APPROVED]


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
