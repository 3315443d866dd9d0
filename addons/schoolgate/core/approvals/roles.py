"""Who somebody is at the school, and which roles do what there."""

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """Who somebody is at the school: the words of policies and of the portal."""

    HEADTEACHER = "headteacher"
    DEPUTY = "deputy"
    SLT = "slt"
    TECHNICIAN = "technician"
    ONLINE_SAFETY_LEAD = "online-safety-lead"
    DSL = "dsl"
    TEACHER = "teacher"
    STAFF = "staff"
    CHAIR_OF_GOVERNORS = "chair-of-governors"
    GOVERNOR = "governor"


# Those that may open a site for others; what a teacher may open is for a lesson only.
OPENING = (
    Role.HEADTEACHER, Role.DEPUTY, Role.SLT, Role.TECHNICIAN, Role.ONLINE_SAFETY_LEAD,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Roles:
    """Who does what at this school, by role; the names are not kept here.

    Attributes:
        reviews: looks at a request for access first.
        decides: opens or refuses.
        deputises: decides when the other cannot; never on their own request.
        incidents: receives alerts and incidents.
        bypass: these alone may permit what gets round the filter.
    """

    reviews: tuple[Role, ...] = ()
    decides: tuple[Role, ...] = ()
    deputises: tuple[Role, ...] = ()
    incidents: tuple[Role, ...] = ()
    bypass: tuple[Role, ...] = (Role.HEADTEACHER,)


# Of a policy that does not say: the form goes to the headteacher (T-9-request).
USUAL_ROLES = Roles(
    reviews=(Role.ONLINE_SAFETY_LEAD, Role.SLT),
    decides=(Role.HEADTEACHER,),
    deputises=(Role.DEPUTY,),
    incidents=(Role.DSL,),
    bypass=(Role.HEADTEACHER,),
)


def concerned(roles: Roles) -> tuple[Role, ...]:
    """Give who may open a person's history, on a concern (W-6.3.1-monitor)."""
    always = (Role.HEADTEACHER, Role.ONLINE_SAFETY_LEAD, Role.DSL)
    return (*roles.incidents, *roles.decides, *always)


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: an account and the roles that it has now.

    Attributes:
        id: of the account; empty for somebody who has not signed in.
        roles: of the account.
    """

    id: str
    roles: frozenset[Role] = frozenset()

    def first_of(self, roles: tuple[Role, ...]) -> Role | None:
        """Give the first of some roles that this person has."""
        return next((role for role in roles if role in self.roles), None)
