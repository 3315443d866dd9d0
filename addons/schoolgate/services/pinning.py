"""Sites whose programs trust no certificate of the gateway's: found out, proposed, and decided by people."""

import logging
import queue
import threading
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import blake2b

from schoolgate.core.approvals import Subject
from schoolgate.core.clients import Client
from schoolgate.core.errors import UnavailableError
from schoolgate.core.hosts import as_ip
from schoolgate.core.policy import PolicyEngine, Reason, Verdict, WebRequest
from schoolgate.core.policy.pinning import Evidence, Failure, PinDecision
from schoolgate.core.urls import Url

logger = logging.getLogger(__name__)

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
        self._keep = keep
        self._secret = secret[:64]
        self._failed = failed
        self._trusting: OrderedDict[str, None] = OrderedDict()
        self._queue: queue.Queue[Failure | None] = queue.Queue(_MOST_WAITING)
        self._waiting: Counter[Failure] = Counter()
        self._is_failing = False
        self._thread = threading.Thread(target=self._run, name="pinning", daemon=True)

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def stop(self, timeout_seconds: float = 10.0) -> None:
        """Write what waits, once, and end."""
        if self._thread.is_alive():
            self._queue.put(None)
            self._thread.join(timeout_seconds)

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
        try:
            self._queue.put_nowait(Failure(host, client.device_kind, digest, day))
        except queue.Full:
            # One more of many.
            return False
        return True

    def _run(self) -> None:
        goes_on = True
        while goes_on:
            goes_on = self._take()
            if self._waiting:
                self._write()

    def _take(self) -> bool:
        """Collect for a while; False when there will be no more."""
        try:
            taken = self._queue.get(timeout=_WRITTEN_EVERY_SECONDS if self._waiting else None)
            while taken is not None:
                if len(self._waiting) < _MOST_WAITING or taken in self._waiting:
                    self._waiting[taken] += 1
                taken = self._queue.get_nowait()
        except queue.Empty:
            return True
        return False

    def _write(self) -> None:
        try:
            self._keep(self._waiting, max(failure.day for failure in self._waiting))
        except Exception as error:  # noqa: BLE001 - a supervised loop outlives any failure
            self._not_written(error)
            return
        self._waiting.clear()
        self._is_failing = False

    def _not_written(self, error: Exception) -> None:
        self._failed(error)
        if not self._is_failing:
            trace = None if isinstance(error, UnavailableError) else error
            logger.error("Failed handshakes are not kept: %s", error, exc_info=trace)
            self._is_failing = True


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
