"""A request for access to blocked content, and what became of it (T-9-request)."""

import unicodedata
from dataclasses import dataclass, fields
from datetime import date, datetime
from enum import StrEnum

from schoolgate.core.approvals.roles import Role
from schoolgate.core.approvals.scope import Scope
from schoolgate.core.errors import RefusedError

LONGEST_TEXT = 4_000
LONGEST_LINE = 200
LONGEST_URL = 4_096
# They make a text read as what it is not (Unicode Standard Annex 9).
_DIRECTION_MARKS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


class State(StrEnum):
    """How far a request has come; kept but for ACTIVE and EXPIRED, which the time makes of APPROVED."""

    SUBMITTED = "submitted"
    RETURNED = "returned"
    REVIEWED = "reviewed"
    APPROVED = "approved"
    ACTIVE = "active"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    REVOKED = "revoked"
    RENEWED = "renewed"


@dataclass(frozen=True, slots=True)
class Form:
    """The requester's half of the appendix, and what W-6.2.1-age asks beside it.

    Attributes:
        staff_name: as typed.
        url: the full address.
        site_content: what is on it.
        reasons: for access.
        risks_and_controls: identified risks and control measures.
        scope: what is asked for, for whom and when.
        minimum_age: that the site's terms ask for; 0 for none, None where nobody has looked.
        parents_informed: where pupils are meant.
        pupils_meant: whether it is to be used with pupils.
    """

    staff_name: str
    url: str
    site_content: str
    reasons: str
    risks_and_controls: str
    scope: Scope
    minimum_age: int | None = None
    parents_informed: bool = False
    pupils_meant: bool = False


@dataclass(frozen=True, slots=True)
class Review:
    """What the online safety lead found.

    Attributes:
        by: account.
        role: in which it was reviewed.
        at: when.
        recommended: whether it should be approved.
        risks: that were found.
        controls: measures against them.
        controls_in_place: whether the measures are carried out already.
    """

    by: str
    role: Role
    at: datetime
    recommended: bool
    risks: str
    controls: str
    controls_in_place: bool = False


@dataclass(frozen=True, slots=True)
class Notification:
    """Who was told of the site before pupils may use it, and confirmed it (K-2-notify)."""

    by: str
    role: Role
    at: datetime


@dataclass(frozen=True, slots=True)
class HeadDecision:
    """The authoriser's half of the appendix.

    Attributes:
        by: account.
        role: in which it was decided.
        at: when.
        approved: or declined.
        reasons: for it.
        signature: typed name.
        before_review: whether nobody had reviewed it.
        delegated: whether it was decided for somebody absent.
        scope: what was approved.
        wider: in which ways that goes beyond what was asked.
        wider_because: why.
        review_on: day on which it is to be looked at again.
    """

    by: str
    role: Role
    at: datetime
    approved: bool
    reasons: str
    signature: str
    before_review: bool = False
    delegated: bool = False
    scope: Scope | None = None
    wider: tuple[str, ...] = ()
    wider_because: str = ""
    review_on: date | None = None


@dataclass(frozen=True, slots=True)
class AccessRequest:
    """A request and what became of it; each change gives it a new version.

    Attributes:
        id: its number; 0 before it is kept.
        version: rises with every change.
        state: as kept; `state_at` gives it at a time.
        requester: account; empty where nobody signed in.
        requester_roles: of the account when it was submitted.
        form: what was asked.
        submitted_at: when.
        question: last asked of the requester.
        answer: to it.
        review: if there was one.
        notification: if there was one.
        decision: if there was one.
        ended_because: of a revoked or withdrawn one.
        renews: number of the request that this one is to renew.
    """

    id: int
    version: int
    state: State
    requester: str
    requester_roles: frozenset[Role]
    form: Form
    submitted_at: datetime
    question: str = ""
    answer: str = ""
    review: Review | None = None
    notification: Notification | None = None
    decision: HeadDecision | None = None
    ended_because: str = ""
    renews: int | None = None

    @property
    def scope(self) -> Scope:
        """What was approved, or else what is asked for."""
        approved = self.decision.scope if self.decision else None
        return approved or self.form.scope

    def state_at(self, now: datetime) -> State:
        """Give its state at a time; an approved one is in force from its start until its end."""
        if self.state is not State.APPROVED or now < self.scope.starts:
            return self.state
        return State.ACTIVE if now < self.scope.ends else State.EXPIRED


def checked_form(form: Form) -> Form:
    """Give a form with its texts in one form.

    Raises:
        RefusedError: when something is left out, too long, or no text.
    """
    texts = {
        field.name: checked_text(
            getattr(form, field.name), _ASKED[field.name], _lengths(field.name)
        )
        for field in fields(Form)
        if field.name in _ASKED
    }
    scope = form.scope
    age = form.minimum_age
    if age is not None and not 0 <= age <= 21:
        raise RefusedError(f"{age} is no minimum age")
    return Form(
        **texts,
        scope=scope,
        minimum_age=age,
        parents_informed=form.parents_informed,
        pupils_meant=form.pupils_meant,
    )


def checked_text(text: str, what: str, longest: int = LONGEST_TEXT) -> str:
    """Give a text that somebody typed, trimmed and with one kind of line end.

    Raises:
        RefusedError: when it is empty, too long, or has characters that are no text.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    if not text:
        raise RefusedError(f"give {what}")
    if len(text) > longest:
        raise RefusedError(f"{what} may have {longest} characters, not {len(text)}")
    lines = "\n\t" if longest == LONGEST_TEXT else ""  # one line has no line end
    if any(_is_no_text(character) and character not in lines for character in text):
        raise RefusedError(f"{what} may hold text alone, no control characters")
    return text


def _is_no_text(character: str) -> bool:
    return (
        unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") or character in _DIRECTION_MARKS
    )


def _lengths(name: str) -> int:
    return {"staff_name": LONGEST_LINE, "url": LONGEST_URL}.get(name, LONGEST_TEXT)


_ASKED = {
    "staff_name": "your name",
    "url": "the full address of the site",
    "site_content": "what is on the site",
    "reasons": "your reasons for access",
    "risks_and_controls": "the risks that you see and the control measures",
}
