"""Sites whose programs trust no certificate of the gateway's: found out, proposed, and decided by people."""

from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import blake2b

from schoolgate.core.approvals import Subject
from schoolgate.core.clients import Client
from schoolgate.core.hosts import as_ip
from schoolgate.core.pinning import Evidence, Failure, PinDecision
from schoolgate.core.policy import PolicyEngine, Reason, Verdict, WebRequest
from schoolgate.core.urls import Url
from schoolgate.services.writing import Writer

_MOST_WAITING = 2_000
_MOST_CLIENTS = 10_000
_WRITTEN_EVERY_SECONDS = 5.0

# Writes how often each failed, on a day; raises UnavailableError.
type Keep = Callable[[Mapping[Failure, int], date], None]


class Pinning:
    """Counts failed handshakes on the event loop, and writes them in a thread of its own.

    Only clients count that have trusted the gateway on another site before: a device that has no
    certificate of it fails everywhere, and says nothing of a site.

    Args:
        keep: writes.
        secret: makes the pseudonyms of clients.
        failed: called with each failure to write.
    """

    def __init__(
        self,
        keep: Keep = lambda _failures, _today: None,
        secret: bytes = b"",
        failed: Callable[[Exception], None] = lambda _: None,
    ) -> None:
        self._secret = secret[:64]
        self._trusting: OrderedDict[str, None] = OrderedDict()
        self._writer = Writer(
            "pinning",
            _Failures(keep),
            most_waiting=_MOST_WAITING,
            again_seconds=_WRITTEN_EVERY_SECONDS,
            failed=failed,
            lost="Failed handshakes are not kept",
        )

    def start(self) -> None:
        """Begin to write."""
        self._writer.start()

    def stop(self) -> None:
        """Write what waits, once, and end."""
        self._writer.stop()

    def trusted(self, client: Client) -> None:
        """Note that a client took a certificate of the gateway's."""
        who = str(Subject.nearest(client))
        self._trusting[who] = None
        self._trusting.move_to_end(who)
        if len(self._trusting) > _MOST_CLIENTS:
            self._trusting.popitem(last=False)

    def refused(self, client: Client, host: str, day: date) -> bool:
        """Note that a client did not take it; never waits.

        Returns:
            Whether it counts.
        """
        who = str(Subject.nearest(client))
        if who not in self._trusting:
            return False
        digest = blake2b(who.encode(), digest_size=8, key=self._secret).hexdigest()
        # One that does not fit is one of many.
        return self._writer.give(Failure(host, client.device_kind, digest, day))


class _Failures:
    """How often each failed since it was last written."""

    def __init__(self, keep: Keep) -> None:
        self._keep = keep
        self._waiting: Counter[Failure] = Counter()

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, item: Failure) -> None:
        if len(self._waiting) < _MOST_WAITING or item in self._waiting:
            self._waiting[item] += 1

    def write(self) -> None:
        self._keep(self._waiting, max(failure.day for failure in self._waiting))
        self._waiting.clear()

    def not_written(self) -> None:
        """They wait, and more with them."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A site that may have to be passed unread.

    Attributes:
        evidence: of it, on one kind of device.
        why_not: why it cannot be; empty where it can.
        decision: what was decided before.
    """

    evidence: Evidence
    why_not: str = ""
    decision: PinDecision | None = None

    @property
    def state(self) -> str:
        """In a word or two, for people."""
        if self.decision is not None:
            return "accepted" if self.decision.is_accepted else "declined"
        if self.why_not:
            return f"never: {self.why_not}"
        return "proposed" if self.evidence.is_enough else "not enough yet"


def proposals(
    engine: PolicyEngine,
    evidence: Iterable[Evidence],
    decided: Mapping[str, PinDecision],
    now: datetime,
) -> list[Proposal]:
    """Say of each site what became of it, or may, as the rules are at a time."""
    return [
        Proposal(each, why_never_passed(engine, each.host, now), decided.get(each.host))
        for each in evidence
    ]


def why_never_passed(engine: PolicyEngine, host: str, now: datetime) -> str:
    """Say why a site must be read or closed for some group; empty where it may pass unread.

    What somebody may not see, or what leads to other sites, is no program of its own.
    """
    if as_ip(host) is not None:
        return "it is a bare address"
    if engine.is_carrier(host):
        return "it shows pages of other sites"
    url = Url("https", host, 443, "/")
    for group in engine.policy.groups:
        decision = engine.decide(WebRequest(url, Client("", group)), now)
        if decision.reason is Reason.CIRCUMVENTION:
            return "it gets round the filter"
        if decision.verdict is Verdict.BLOCK:
            return f"it is blocked under {decision.clause}"
    return ""
