"""What somebody can do with a request now: what pages offer, and nothing that would be refused to them."""

from dataclasses import dataclass
from datetime import datetime

from schoolgate.core.approvals.actions import (
    Action,
    Answer,
    Approve,
    AskBack,
    Decline,
    Notify,
    Revoke,
    Suggest,
    Withdraw,
)
from schoolgate.core.approvals.arrangements import Arrangements, Standing
from schoolgate.core.approvals.precautions import PrecautionKind
from schoolgate.core.approvals.requests import AccessRequest
from schoolgate.core.approvals.roles import Actor, Role
from schoolgate.core.approvals.workflow import RENEWABLE, closing_role, deciding_role
from schoolgate.core.errors import RefusedError


@dataclass(frozen=True, slots=True)
class Offer:
    """What a person can do with a request.

    Attributes:
        actions: that are not refused for who they are or for the state.
        role: in which they decide; None where they do not.
        standing: what the policy says of the page.
        renewable: whether they may ask for it again, to take its place.
    """

    actions: frozenset[type[Action]]
    role: Role | None
    standing: Standing
    renewable: bool = False


def offered(request: AccessRequest, actor: Actor, now: datetime, school: Arrangements) -> Offer:
    """Give what somebody can do with a request at a time, aware."""
    own = bool(actor.id) and actor.id == request.requester
    role, delegated = _deciding(request, actor, now, school)
    # Who approves for somebody absent waits for the review.
    waits = delegated and request.review is None
    can: set[type[Action]] = {Answer, Withdraw} if own else set()
    if actor.id and not own:
        reviews = actor.first_of(school.roles.reviews) is not None
        can |= {Suggest, AskBack} if reviews else set()
        can |= {Decline, AskBack} if role else set()
        can |= {Approve} if role and not waits else set()
        can |= {Notify} if notifies(request, actor, school) else set()
    if actor.id and closing_role(actor, school.roles) is not None:
        can.add(Revoke)
    state = request.state_at(now)
    return Offer(
        frozenset(action for action in can if state in action.states),
        role,
        school.standing,
        own and state in RENEWABLE,
    )


def _deciding(
    request: AccessRequest, actor: Actor, now: datetime, school: Arrangements
) -> tuple[Role | None, bool]:
    try:
        return deciding_role(request, actor, now, school)
    except RefusedError:
        return None, False


def notifies(request: AccessRequest, actor: Actor, school: Arrangements) -> bool:
    """Ask whether a request waits for somebody to confirm that the site was made known (K-2-notify)."""
    asked = school.standing.asked(PrecautionKind.NOTIFICATION)
    waits = bool(asked) and request.notification is None
    return waits and actor.first_of(asked[0].roles) is not None
