"""What the policy answers: a verdict, why, and under which clause."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import chain

from schoolgate.core.locked import LockedBy
from schoolgate.core.policy.obligations import Obligation
from schoolgate.core.policy.shapes import Shape


class Verdict(StrEnum):
    """What happens to a request, from the mildest to the strictest."""

    ALLOW = "allow"
    MONITOR = "monitor"
    WARN = "warn"
    LIMIT = "limit"
    BLOCK = "block"

    @property
    def severity(self) -> int:
        """How strict it is; 0 is mildest."""
        return _SEVERITY[self]

    @property
    def passes(self) -> bool:
        """Whether the request goes through without a page of ours in front."""
        return self in (Verdict.ALLOW, Verdict.MONITOR)

    @property
    def is_open(self) -> bool:
        """Whether the site is asked: it passes, or what it sends is counted."""
        return self.passes or self is Verdict.LIMIT


_SEVERITY = {verdict: rank for rank, verdict in enumerate(Verdict)}


class Reason(StrEnum):
    """Which step of the order of precedence decided."""

    LOCKED = "locked"
    ALWAYS_REACHABLE = "always_reachable"
    SUSPENDED = "suspended"
    DECLARATION = "declaration"
    PARENT = "parent"
    GRANT = "grant"
    CIRCUMVENTION = "circumvention"
    LOCAL_BLOCK = "local_block"
    LOCAL_ALLOW = "local_allow"
    CATEGORY = "category"
    HOST = "host"
    RULE = "rule"
    DEFAULT = "default"
    BUDGET = "budget"
    CONTENT = "content"
    BAD_URL = "bad_url"
    PRIVATE_DESTINATION = "private_destination"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer to one request; built once per rule and category and handed out again.

    Attributes:
        verdict: what happens.
        reason: the step that decided.
        clause: id of the clause of the school's policy, or ``gateway-…`` where the gateway's own
            safety decided.
        rule: id of the rule.
        category: id of the category that decided, or that a page let through is mainly in.
        categories: every category of the page.
        grant: id of the grant that opened it.
        note: one sentence for the person, where the rule or a colleague left one.
        obligations: what is to be done with a request that is let through.
        shape: what it looks like, where that decided.
        locked_by: the locked list that names it, or a part of its host; nothing but its host is kept.
    """

    verdict: Verdict
    reason: Reason
    clause: str
    rule: str
    category: str | None = None
    categories: tuple[str, ...] = ()
    grant: int | None = None
    note: str = ""
    obligations: tuple[Obligation, ...] = ()
    shape: Shape | None = None
    locked_by: LockedBy | None = None


BAD_URL = Decision(
    Verdict.BLOCK,
    Reason.BAD_URL,
    "gateway-bad-url",
    "bad-url",
    note="The address does not parse, so nothing can be said about where it leads.",
)
PRIVATE_DESTINATION = Decision(
    Verdict.BLOCK,
    Reason.PRIVATE_DESTINATION,
    "gateway-private-destination",
    "private-destination",
    note="The address lies inside a private network, which is not reached through the web filter.",
)
DNS_TUNNEL = Decision(
    Verdict.BLOCK,
    Reason.CIRCUMVENTION,
    "gateway-dns-tunnel",
    "dns-tunnel",
    note="Names are looked up by the school's own resolver.",
)
NO_WEB_TUNNEL = Decision(
    Verdict.BLOCK,
    Reason.CIRCUMVENTION,
    "gateway-no-web",
    "no-web-tunnel",
    note="What goes through a tunnel is TLS or HTTP; nothing else can be judged.",
)
SOCKS = Decision(
    Verdict.BLOCK,
    Reason.CIRCUMVENTION,
    "gateway-socks",
    "socks",
    note="Programs reach the web through HTTP; SOCKS carries what nobody can judge.",
)
TLS_IN_TLS = Decision(
    Verdict.BLOCK,
    Reason.CIRCUMVENTION,
    "gateway-tls-in-tls",
    "tls-in-tls",
    note="What goes through a connection to a site is for that site, and no tunnel to another.",
)
MISNAMED = Decision(
    Verdict.BLOCK,
    Reason.CIRCUMVENTION,
    "gateway-misnamed",
    "misnamed",
    note="The tunnel is to one site, and what goes through it names another.",
)
FILTER_ERROR = Decision(
    Verdict.BLOCK,
    Reason.ERROR,
    "gateway-error",
    "filter-error",
    note="The filter met a fault of its own. Nothing is let through unfiltered.",
)


def with_obligations_of(decision: Decision, others: Iterable[Decision]) -> Decision:
    """Give a decision that obliges to what others oblige to as well."""
    obligations = tuple(dict.fromkeys(chain.from_iterable(other.obligations for other in others)))
    return replace(decision, obligations=obligations) if obligations else decision


def strictest(decisions: Iterable[Decision]) -> Decision:
    """Give the decision with the strictest verdict: of equals one by a locked list, else the first."""
    return max(decisions, key=lambda each: (each.verdict.severity, each.locked_by is not None))
