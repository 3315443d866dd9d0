"""Cases of a policy: who asks for what and when, and what must come of it."""

from dataclasses import dataclass
from datetime import datetime

from schoolgate.core.approvals import Role
from schoolgate.core.policy.contents import Content
from schoolgate.core.policy.decision import Verdict
from schoolgate.core.policy.inspection import TlsAction


@dataclass(frozen=True, slots=True)
class Given:
    """What people decided by hand before a case, for the client of the case.

    Attributes:
        granted: host or host/path that somebody opened; empty for none.
        by: whose decision that was.
        suspended: whether access was withdrawn from the client.
        signed: version of the declaration that the person has signed; empty for none.
        local_allow: what stands in the school's own allow list.
        local_block: what stands in its block list.
    """

    granted: str = ""
    by: Role = Role.HEADTEACHER
    suspended: bool = False
    signed: str = ""
    local_allow: tuple[str, ...] = ()
    local_block: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Case:
    """One example of a clause.

    Attributes:
        clause: id of the clause that it shows.
        says: what happens, in a sentence for people.
        near_miss: whether the clause must not decide it.
        url: what is asked for.
        at: when, aware.
        want: the verdict.
        under: id of the clause that decides; empty where a near miss may fall under any other.
        tls: what a connection to the host meets; None where the case does not say.
        method: HTTP method.
        group: of the client; empty for the policy's default.
        also: further groups of the client.
        user: sign-in name of the client.
        network: of the client.
        device: kind of device of the client.
        given: what was decided by hand.
        content: what the answer is; None where the case does not say.
        clip_seconds: how long what it plays is; None where the case does not say.
        text: category of its text, by its own words; empty where the case does not say.
        line: where it stands in its file.
        obliges: services and modes that it obliges to, in any order; None where it does not say.
    """

    clause: str
    says: str
    near_miss: bool
    url: str
    at: datetime
    want: Verdict
    under: str = ""
    tls: TlsAction | None = None
    method: str = "GET"
    group: str = ""
    also: frozenset[str] = frozenset()
    user: str = ""
    network: str = ""
    device: str = ""
    given: Given = Given()
    content: Content | None = None
    clip_seconds: int | None = None
    text: str = ""
    line: int = 0
    obliges: frozenset[str] | None = None
