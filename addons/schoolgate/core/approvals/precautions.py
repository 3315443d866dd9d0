"""What a policy asks for before some kinds of request may be approved."""

from dataclasses import dataclass
from enum import StrEnum

from schoolgate.core.approvals.roles import Role


class PrecautionKind(StrEnum):
    """What is asked for.

    Attributes:
        NOTIFICATION: the site and who it belongs to were made known to somebody (K-2-notify).
        CONTROLS: a reviewer ensured the controls, as a step of its own (T-5-wifi, T-7-wifi).
        AGE: the site's minimum age is given and parents are informed (W-6.2.1-age).
    """

    NOTIFICATION = "notification"
    CONTROLS = "controls"
    AGE = "age"


@dataclass(frozen=True, slots=True)
class Precaution:
    """What a clause asks for, and of which requests; empty conditions hold for all.

    Attributes:
        clause: id of the clause.
        kind: what it asks for.
        categories: the page is in one of these.
        groups: the request reaches somebody in one of these.
        networks: it is wanted from one of these.
        roles: who carries it out, where that is said.
    """

    clause: str
    kind: PrecautionKind
    categories: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    networks: frozenset[str] = frozenset()
    roles: tuple[Role, ...] = ()

    def concerns(
        self, categories: frozenset[str], groups: frozenset[str], networks: frozenset[str]
    ) -> bool:
        """Ask whether it is about such a request.

        Args:
            categories: of the site and of what lies below it.
            groups: every group that it reaches.
            networks: from which it is wanted; empty for all.
        """
        return (
            (not self.categories or not self.categories.isdisjoint(categories))
            and (not self.groups or not self.groups.isdisjoint(groups))
            and (not self.networks or not networks or not self.networks.isdisjoint(networks))
        )


@dataclass(frozen=True, slots=True)
class RequestTerms:
    """What a policy says of requests for access.

    Attributes:
        usual_days: for how long a site is opened unless somebody says otherwise.
        longest_days: for how long at most.
        precautions: what is asked for before some may be approved.
    """

    usual_days: int = 14
    longest_days: int = 400
    precautions: tuple[Precaution, ...] = ()
