"""How a school decides on requests, and what its policy says of the page that one asks for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from schoolgate.core.approvals.precautions import Precaution, PrecautionKind, RequestTerms
from schoolgate.core.approvals.requests import checked_text
from schoolgate.core.approvals.roles import Actor, Roles
from schoolgate.core.errors import RefusedError

LONGEST_ABSENCE_DAYS = 92


@dataclass(frozen=True, slots=True)
class Delegation:
    """Somebody decides for another who is absent; times are aware, ``ends`` is exclusive.

    Attributes:
        id: its number; 0 before it is kept.
        delegate: account of the person who decides meanwhile.
        made_by: account of the person who is absent.
        starts: from when.
        ends: until when.
        reason: for the record.
    """

    id: int
    delegate: str
    made_by: str
    starts: datetime
    ends: datetime
    reason: str

    def in_force(self, account: str, now: datetime) -> bool:
        """Ask whether this person decides now."""
        return self.delegate == account and self.starts <= now < self.ends


@dataclass(frozen=True, slots=True)
class Standing:
    """What the policy says of the page that is asked for, and of those it is asked for.

    Attributes:
        locked: a sentence where nobody at the school can open it; else empty.
        circumvention: whether it gets round the filter.
        precautions: that its clauses ask for.
    """

    locked: str = ""
    circumvention: bool = False
    precautions: tuple[Precaution, ...] = ()

    def asked(self, kind: PrecautionKind) -> list[Precaution]:
        """Give the precautions of a kind."""
        return [precaution for precaution in self.precautions if precaution.kind is kind]


@dataclass(frozen=True, slots=True)
class Arrangements:
    """Everything beside a request that a step depends on.

    Attributes:
        roles: who does what.
        terms: what the policy says of requests.
        delegations: that were made and not taken back.
        standing: of the page.
        around: group → itself and those around it.
    """

    roles: Roles
    terms: RequestTerms = field(default_factory=RequestTerms)
    delegations: tuple[Delegation, ...] = ()
    standing: Standing = Standing()
    around: Mapping[str, frozenset[str]] = field(default_factory=dict)


def delegate(
    to: Actor, starts: datetime, ends: datetime, reason: str, actor: Actor, roles: Roles
) -> Delegation:
    """Let somebody decide while the one who does is absent.

    Raises:
        RefusedError: when it is not for this person to give, or not for the other to have.
    """
    if actor.first_of(roles.decides) is None:
        raise RefusedError("only who decides on requests can delegate that")
    if to.id == actor.id or not to.id:
        raise RefusedError("name somebody else")
    if to.first_of(roles.deputises) is None:
        said = " or ".join(role.value for role in roles.deputises) or "nobody"
        raise RefusedError(f"at this school {said} may deputise")
    if ends <= starts:
        raise RefusedError("the end must lie after the start")
    if ends - starts > timedelta(days=LONGEST_ABSENCE_DAYS):
        raise RefusedError(f"decisions are delegated for {LONGEST_ABSENCE_DAYS} days at most")
    return Delegation(0, to.id, actor.id, starts, ends, checked_text(reason, "a reason"))
