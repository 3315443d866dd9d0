"""How a request for access comes to a decision: what each person may do with it, in which state.

One step is one action by one person. It gives the request as it is afterwards and what follows from
it, or refuses with a sentence for the person who tried. Nothing here knows a database or the time.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime

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
from schoolgate.core.approvals.arrangements import Arrangements
from schoolgate.core.approvals.checks import (
    acceptable,
    any_of,
    check_precautions,
    check_review,
    check_times,
)
from schoolgate.core.approvals.precautions import PrecautionKind
from schoolgate.core.approvals.requests import (
    LONGEST_LINE,
    AccessRequest,
    Form,
    HeadDecision,
    Notification,
    Review,
    State,
    checked_text,
)
from schoolgate.core.approvals.roles import Actor, Role, Roles
from schoolgate.core.approvals.scope import Scope, widenings
from schoolgate.core.errors import RefusedError

RENEWABLE = (State.APPROVED, State.ACTIVE, State.EXPIRED)


@dataclass(frozen=True, slots=True)
class Opened:
    """A grant is to be made."""

    scope: Scope
    decided_by: Role
    reason: str
    review_on: date


@dataclass(frozen=True, slots=True)
class Closed:
    """The grant of this request is to end now."""

    reason: str


@dataclass(frozen=True, slots=True)
class Replaced:
    """The grant of a request that this one renews is to end when this one's begins."""

    request: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Told:
    """Somebody is to be told.

    Attributes:
        account: the one person meant; empty where it is for roles.
        roles: all who have one of these.
        subject: one line, without anything that somebody typed.
    """

    subject: str
    account: str = ""
    roles: tuple[Role, ...] = ()


type Effect = Opened | Closed | Replaced | Told


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a step brings about.

    Attributes:
        request: as it is afterwards.
        before: its state before; None of a new one.
        role: in which the person acted; None for the requester.
        effects: what follows from it.
    """

    request: AccessRequest
    before: State | None
    role: Role | None
    effects: tuple[Effect, ...]


def submit(
    form: Form,
    actor: Actor,
    now: datetime,
    school: Arrangements,
    renews: AccessRequest | None = None,
) -> Outcome:
    """Make a request; it has no number yet.

    Args:
        form: what is asked.
        actor: who asks; with an empty id where nobody signed in.
        now: when, aware.
        school: how the school decides, and what its policy says of the page.
        renews: the request of the same person that this one is to take the place of.

    Raises:
        RefusedError: when the form is not complete, or nobody could approve it.
    """
    if renews is not None:
        _must_be_requester(renews, actor)
        if renews.state_at(now) not in RENEWABLE:
            raise RefusedError(f"that request is {renews.state_at(now).value}: ask anew")
    form = acceptable(form, now, school)
    old = renews.id if renews else None
    request = AccessRequest(0, 1, State.SUBMITTED, actor.id, actor.roles, form, now, renews=old)
    told = Told("A site is asked for", roles=_first_readers(request, school))
    return Outcome(request, None, None, (told,))


def step(
    request: AccessRequest,
    action: Action,
    actor: Actor,
    now: datetime,
    school: Arrangements,
    version: int,
) -> Outcome:
    """Carry out an action on a request.

    Args:
        request: as it is kept now.
        action: what is done.
        actor: who does it.
        now: when, aware.
        school: how the school decides, and what its policy says of this page now.
        version: of the request as the person saw it.

    Raises:
        RefusedError: when it is not for this person, in this state, or in this way.
    """
    if request.version != version:
        raise RefusedError("somebody else has changed this request meanwhile: look at it again")
    state = request.state_at(now)
    if state not in action.states:
        raise RefusedError(f"this request is {state.value}: that cannot be done with it now")
    match action:
        case AskBack():
            role = _reviewer_or_decider(request, actor, now, school)
            question = checked_text(action.question, "a question")
            changed = replace(request, state=State.RETURNED, question=question, answer="")
            told = Told("A question about your request", account=request.requester)
            return _outcome(request, changed, role, told)
        case Answer():
            return _answer(request, action, actor, now, school)
        case Suggest():
            return _review(request, action, actor, now, school)
        case Notify():
            return _notify(request, actor, now, school)
        case Approve():
            return _approve(request, action, actor, now, school)
        case Decline():
            return _decline(request, action, actor, now, school)
        case Withdraw():
            _must_be_requester(request, actor)
            changed = replace(request, state=State.WITHDRAWN)
            told = Told("A request was withdrawn", roles=_first_readers(request, school))
            return _outcome(request, changed, None, told)
        case Revoke():
            return _revoke(request, action, actor, school)


def renewed(request: AccessRequest, now: datetime) -> AccessRequest:
    """Give a request as it is when the one that renews it was approved.

    Raises:
        RefusedError: when it is in force no longer and has not just ended, either.
    """
    if request.state_at(now) not in RENEWABLE:
        raise RefusedError(f"request {request.id} is {request.state_at(now).value} meanwhile")
    return replace(request, version=request.version + 1, state=State.RENEWED)


def deciding_role(
    request: AccessRequest, actor: Actor, now: datetime, school: Arrangements
) -> tuple[Role, bool]:
    """Give the role in which somebody decides on a request, and whether for somebody absent.

    Raises:
        RefusedError: when they do not.
    """
    _must_not_be_own(request, actor)
    roles, standing = school.roles, school.standing
    if standing.circumvention:
        role = actor.first_of(roles.bypass)
        if role is None or Role.HEADTEACHER in request.requester_roles:
            raise RefusedError(
                "it gets round the filter: that is permitted by "
                f"{any_of(roles.bypass)} alone, and not on their own request"
            )
        return role, False
    if Role.HEADTEACHER in request.requester_roles:
        if Role.CHAIR_OF_GOVERNORS not in actor.roles:
            raise RefusedError("the headteacher's own request is for the chair of governors")
        return Role.CHAIR_OF_GOVERNORS, False
    role = actor.first_of(roles.decides)
    if role is not None:
        return role, False
    role = actor.first_of(roles.deputises)
    if role is None:
        raise RefusedError(f"that is for {any_of(roles.decides)} to decide")
    if not any(delegation.in_force(actor.id, now) for delegation in school.delegations):
        raise RefusedError(f"that is for {any_of(roles.decides)}, who has not delegated it to you")
    return role, True


def closing_role(actor: Actor, roles: Roles) -> Role | None:
    """Give the role in which somebody closes what was opened; None for who does not."""
    # That is for everybody who watches over the filter: it is never less safe.
    return actor.first_of((*roles.decides, *roles.deputises, *roles.reviews, *_WATCHING))


# -- the steps -----------------------------------------------------------------------------------


def _answer(
    request: AccessRequest, action: Answer, actor: Actor, now: datetime, school: Arrangements
) -> Outcome:
    _must_be_requester(request, actor)
    answer = checked_text(action.answer, "an answer")
    form = acceptable(action.form or request.form, now, school)
    changed = replace(
        request, state=State.SUBMITTED, answer=answer, form=form, review=None, notification=None
    )
    told = Told("A question about a request is answered", roles=_first_readers(request, school))
    return _outcome(request, changed, None, told)


def _review(
    request: AccessRequest, action: Suggest, actor: Actor, now: datetime, school: Arrangements
) -> Outcome:
    role = _reviewer(request, actor, school)
    review = Review(
        actor.id,
        role,
        now,
        action.recommended,
        checked_text(action.risks, "the risks"),
        checked_text(action.controls, "the control measures"),
        action.controls_in_place,
    )
    told = Told("A request waits for your decision", roles=_deciders(request, school))
    return _outcome(request, replace(request, state=State.REVIEWED, review=review), role, told)


def _notify(request: AccessRequest, actor: Actor, now: datetime, school: Arrangements) -> Outcome:
    asked = school.standing.asked(PrecautionKind.NOTIFICATION)
    if not asked:
        raise RefusedError("no clause of the policy asks for a notification of this site")
    _must_not_be_own(request, actor)
    role = actor.first_of(asked[0].roles)
    if role is None:
        raise RefusedError(f"that is for {any_of(asked[0].roles)} to confirm")
    return _outcome(request, replace(request, notification=Notification(actor.id, role, now)), role)


def _approve(
    request: AccessRequest, action: Approve, actor: Actor, now: datetime, school: Arrangements
) -> Outcome:
    role, delegated = deciding_role(request, actor, now, school)
    if school.standing.locked:
        raise RefusedError(school.standing.locked)
    scope = action.scope or request.form.scope
    # What was asked for from an earlier time opens from now on.
    scope = replace(scope, starts=max(scope.starts, now))
    check_times(scope, now, school)
    wider = tuple(widenings(request.form.scope, scope, school.around))
    if wider and not action.wider_because.strip():
        raise RefusedError(f"that opens more than was asked for ({'; '.join(wider)}): say why")
    check_review(request, actor, delegated=delegated)
    check_precautions(request, school.standing)
    decision = HeadDecision(
        actor.id,
        role,
        now,
        approved=True,
        reasons=checked_text(action.reasons, "your reasons"),
        signature=checked_text(action.signature, "your name as signature", LONGEST_LINE),
        before_review=request.review is None,
        delegated=delegated,
        scope=scope,
        wider=wider,
        wider_because=checked_text(action.wider_because, "why") if wider else "",
        review_on=min(action.review_on or scope.ends.date(), scope.ends.date()),
    )
    assert decision.review_on is not None
    effects: list[Effect] = [
        Opened(scope, role, request.form.reasons, decision.review_on),
        Told("Your request is approved", account=request.requester),
        Told("A request was approved", roles=_first_readers(request, school)),
    ]
    if request.renews is not None:
        effects.insert(0, Replaced(request.renews, scope.starts))
    changed = replace(request, state=State.APPROVED, decision=decision)
    return _outcome(request, changed, role, *effects)


def _decline(
    request: AccessRequest, action: Decline, actor: Actor, now: datetime, school: Arrangements
) -> Outcome:
    role, delegated = deciding_role(request, actor, now, school)
    decision = HeadDecision(
        actor.id,
        role,
        now,
        approved=False,
        reasons=checked_text(action.reasons, "your reasons"),
        signature=checked_text(action.signature, "your name as signature", LONGEST_LINE),
        before_review=request.review is None,
        delegated=delegated,
    )
    told = Told("Your request is declined", account=request.requester)
    return _outcome(request, replace(request, state=State.DECLINED, decision=decision), role, told)


def _revoke(request: AccessRequest, action: Revoke, actor: Actor, school: Arrangements) -> Outcome:
    roles = school.roles
    role = closing_role(actor, roles)
    if role is None:
        raise RefusedError(f"that is for {any_of((*roles.decides, *roles.reviews))}")
    because = checked_text(action.reason, "a reason")
    changed = replace(request, state=State.REVOKED, ended_because=because)
    told = Told("A site that you asked for is closed again", account=request.requester)
    return _outcome(request, changed, role, Closed(because), told)


_WATCHING = (Role.CHAIR_OF_GOVERNORS, Role.ONLINE_SAFETY_LEAD, Role.DSL, Role.TECHNICIAN)


# -- who is meant ------------------------------------------------------------------------------


def _must_not_be_own(request: AccessRequest, actor: Actor) -> None:
    if not actor.id:
        raise RefusedError("sign in first")
    if actor.id == request.requester:
        raise RefusedError("this is your own request: somebody else reviews and decides it")


def _must_be_requester(request: AccessRequest, actor: Actor) -> None:
    if not actor.id or actor.id != request.requester:
        raise RefusedError("that is for the person who asked")


def _reviewer(request: AccessRequest, actor: Actor, school: Arrangements) -> Role:
    _must_not_be_own(request, actor)
    role = actor.first_of(school.roles.reviews)
    if role is None:
        raise RefusedError(f"requests are reviewed by {any_of(school.roles.reviews)}")
    return role


def _reviewer_or_decider(
    request: AccessRequest, actor: Actor, now: datetime, school: Arrangements
) -> Role:
    _must_not_be_own(request, actor)
    role = actor.first_of(school.roles.reviews)
    return role or deciding_role(request, actor, now, school)[0]


def _first_readers(request: AccessRequest, school: Arrangements) -> tuple[Role, ...]:
    return school.roles.reviews or _deciders(request, school)


def _deciders(request: AccessRequest, school: Arrangements) -> tuple[Role, ...]:
    own = Role.HEADTEACHER in request.requester_roles
    return (Role.CHAIR_OF_GOVERNORS,) if own else school.roles.decides


def _outcome(
    before: AccessRequest, after: AccessRequest, role: Role | None, *effects: Effect
) -> Outcome:
    return Outcome(replace(after, version=before.version + 1), before.state, role, effects)
