"""What people do with a request for access, each with the states in which it can be done."""

from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from schoolgate.core.approvals.requests import Form, State
from schoolgate.core.approvals.scope import Scope

_UNDECIDED = (State.SUBMITTED, State.REVIEWED)
_OPEN = (State.SUBMITTED, State.RETURNED, State.REVIEWED)
_IN_FORCE = (State.APPROVED, State.ACTIVE)


@dataclass(frozen=True, slots=True)
class AskBack:
    """A reviewer or decider sends it back with a question."""

    states: ClassVar = _UNDECIDED
    question: str


@dataclass(frozen=True, slots=True)
class Answer:
    """The requester answers, with another form where one is given; it is reviewed anew."""

    states: ClassVar = (State.RETURNED,)
    answer: str
    form: Form | None = None


@dataclass(frozen=True, slots=True)
class Suggest:
    """The reviewer's recommendation, risks and control measures."""

    states: ClassVar = (State.SUBMITTED,)
    recommended: bool
    risks: str
    controls: str
    controls_in_place: bool = False


@dataclass(frozen=True, slots=True)
class Notify:
    """Who must know of the site confirms that they do (K-2-notify)."""

    states: ClassVar = _OPEN


@dataclass(frozen=True, slots=True)
class Approve:
    """The decision to open, signed.

    Attributes:
        reasons: for it.
        signature: typed name; that the person signed in again is for the portal to see.
        scope: what is opened, where it is not what was asked for.
        wider_because: why more is opened than was asked for.
        review_on: day on which it is looked at again; the last one otherwise.
    """

    states: ClassVar = _UNDECIDED
    reasons: str
    signature: str
    scope: Scope | None = None
    wider_because: str = ""
    review_on: date | None = None


@dataclass(frozen=True, slots=True)
class Decline:
    """The decision not to open, signed."""

    states: ClassVar = _UNDECIDED
    reasons: str
    signature: str


@dataclass(frozen=True, slots=True)
class Withdraw:
    """The requester takes it back."""

    states: ClassVar = _OPEN


@dataclass(frozen=True, slots=True)
class Revoke:
    """What was opened is closed again."""

    states: ClassVar = _IN_FORCE
    reason: str


type Action = AskBack | Answer | Suggest | Notify | Approve | Decline | Withdraw | Revoke
