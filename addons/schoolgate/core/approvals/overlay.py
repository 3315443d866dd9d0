"""What was decided by hand, laid over the policy: grants, suspensions, supervisions and blocked sites."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from schoolgate.core.approvals.acceptances import Acceptance, Signed
from schoolgate.core.approvals.grants import Grant, covers_host
from schoolgate.core.approvals.subjects import Subject
from schoolgate.core.categories import ListEntry
from schoolgate.core.clients import Client


@dataclass(frozen=True, slots=True)
class Suspension:
    """Internet access withdrawn from somebody until a time (W-6.3.1-withdraw)."""

    id: int
    subject: Subject
    starts: datetime
    ends: datetime
    reason: str

    def in_force(self, client: Client, groups: frozenset[str], now: datetime) -> bool:
        """Ask whether it stops this client now."""
        return self.starts <= now < self.ends and self.subject.concerns(client, groups)


@dataclass(frozen=True, slots=True)
class Supervision:
    """Somebody whose access is withdrawn works under a colleague's eyes for a time (T-9-circumvent)."""

    id: int
    subject: Subject
    starts: datetime
    ends: datetime
    reason: str

    def in_force(self, client: Client, groups: frozenset[str], now: datetime) -> bool:
        """Ask whether this client is supervised now."""
        return self.starts <= now < self.ends and self.subject.concerns(client, groups)


@dataclass(frozen=True, slots=True)
class SiteBlock:
    """A site that was reported and blocked at once by a person in charge (T-9-report).

    It counts as a line of the school's own block list.
    """

    id: int
    entry: ListEntry
    reason: str


@dataclass(frozen=True, slots=True)
class Overlay:
    """What was decided by hand, laid over the policy; swapped whole when the store changes."""

    version: int = 0
    grants: tuple[Grant, ...] = ()
    suspensions: tuple[Suspension, ...] = ()
    supervisions: tuple[Supervision, ...] = ()
    blocks: tuple[SiteBlock, ...] = ()
    acceptances: frozenset[Acceptance] = frozenset()
    signed: frozenset[Signed] = frozenset()
    # By the host of their entry, with their place in the order: a request looks at few of them.
    _grants_at: dict[str, list[tuple[int, Grant]]] = field(init=False, repr=False, compare=False)
    _blocks_at: dict[str, list[SiteBlock]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        grants: dict[str, list[tuple[int, Grant]]] = {}
        for place, grant in enumerate(self.grants):
            grants.setdefault(grant.entry.host, []).append((place, grant))
        blocks: dict[str, list[SiteBlock]] = {}
        for block in self.blocks:
            blocks.setdefault(block.entry.host, []).append(block)
        object.__setattr__(self, "_grants_at", grants)
        object.__setattr__(self, "_blocks_at", blocks)

    @property
    def is_empty(self) -> bool:
        """Whether nobody in charge decided anything; what people accepted or signed is asked apart."""
        return not (self.grants or self.suspensions or self.blocks)

    def suspension_for(
        self, client: Client, groups: frozenset[str], now: datetime
    ) -> Suspension | None:
        """Give the suspension that stops a client now, if any; of several the one that lasts.

        None stops whoever is supervised.
        """
        if any(s.in_force(client, groups, now) for s in self.supervisions):
            return None
        in_force = [s for s in self.suspensions if s.in_force(client, groups, now)]
        return max(in_force, key=lambda s: s.ends, default=None)

    def grants_for(
        self,
        client: Client,
        groups: frozenset[str],
        host: str,
        path: str,
        now: datetime,
        *,
        query: str = "",
        period: str = "",
    ) -> list[Grant]:
        """Give every grant that opens this page for this client now."""
        on_host = self.grants_on(client, groups, host, now, period)
        return on_host and [grant for grant in on_host if grant.opens(path, query)]

    def grants_on(
        self, client: Client, groups: frozenset[str], host: str, now: datetime, period: str = ""
    ) -> list[Grant]:
        """Give every grant that opens this host or a part of it for this client now."""
        near = _at_or_above(self._grants_at, host)
        if not near:
            return []
        near.sort(key=_place)
        return [g for _, g in near if g.in_force_on(client, groups, host, now, period)]

    def block_on(self, host: str) -> SiteBlock | None:
        """Give what blocks a host at once, if anything."""
        if not self.blocks:
            return None
        return first(b for b in _at_or_above(self._blocks_at, host) if covers_host(b.entry, host))


def first[T](items: Iterable[T]) -> T | None:
    """Give the first of some values, or None."""
    return next(iter(items), None)


def _place(placed: tuple[int, Grant]) -> int:
    return placed[0]


def _at_or_above[T](by_host: dict[str, list[T]], host: str) -> list[T]:
    """Give what stands at a host or at one above it."""
    found: list[T] = []
    # By index: this is done for every request where anything was decided by hand.
    begin = 0 if by_host else -1
    while begin >= 0:
        here = by_host.get(host[begin:])
        if here:
            found += here
        begin = host.find(".", begin) + 1 or -1
    return found
