"""Tells the journal and the metrics; counts at once, writes later, never waits."""

from collections.abc import Mapping
from typing import Any

from schoolgate.core.clients import Client
from schoolgate.core.policy import Decision, Reason
from schoolgate.core.policy.decision import DNS_TUNNEL, NO_WEB_TUNNEL
from schoolgate.monitoring import Journal, Metrics
from schoolgate.monitoring.metrics import UNCATEGORISED
from schoolgate.monitoring.tallies import Tally
from schoolgate.proxy.transactions import Transaction

# Of these nothing is kept beyond who, when and where (W-7.2.4).
ILLEGAL = frozenset({"illegal"})


class Recorder:
    """The one place from which traffic is recorded."""

    def __init__(self, journal: Journal, metrics: Metrics) -> None:
        self._journal = journal
        self._metrics = metrics
        self._children: dict[tuple[str, str, str], Tally] = {}

    def decided(self, transaction: Transaction) -> None:
        """Count a decision."""
        decision = transaction.decision
        key = (
            decision.verdict.value,
            decision.category or UNCATEGORISED,
            transaction.request.client.group,
        )
        child = self._children.get(key)
        if child is None:
            child = self._children[key] = self._metrics.requests.labels(*key, "")
        child.inc()
        if transaction.decision_us:
            self._metrics.decision_seconds.observe(transaction.decision_us / 1e6)
        if decision.reason is Reason.CIRCUMVENTION:
            self._metrics.circumvention.labels(kind=_kind(decision)).inc()

    def ended(self, transaction: Transaction, status: int | None, duration_ms: int) -> None:
        """Write the line of a request, once."""
        self._close(transaction, "request.decided", status, duration_ms)

    def tunnel_ended(self, transaction: Transaction, duration_ms: int) -> None:
        """Write the line of a tunnel that was passed on or refused by the name of its site, once."""
        self._close(transaction, "tls.decided", None, duration_ms)

    def happened(self, transaction: Transaction, event: str) -> None:
        """Write another event of a request, such as ``warning.accepted``."""
        self._tell(transaction, event, {})

    def _close(
        self, transaction: Transaction, event: str, status: int | None, duration_ms: int
    ) -> None:
        if transaction.recorded:
            return
        transaction.recorded = True
        figures = {
            "status": status,
            "bytes_up": transaction.bytes_up,
            "bytes_down": transaction.bytes_down,
            "duration_ms": duration_ms,
            "decision_us": transaction.decision_us,
        }
        self._tell(transaction, event, figures)

    def _tell(self, transaction: Transaction, event: str, figures: Mapping[str, Any]) -> None:
        # What may still change is read now; the evidence is looked up in the journal's thread.
        request, decision, engine = transaction.request, transaction.decision, transaction.engine
        tls = transaction.tls

        def record() -> dict[str, Any]:
            client, url = request.client, request.url
            listed = engine.catalogue.sites.entries(url.host, url.path)
            if any(entry.category in ILLEGAL for entry in listed):
                return {
                    "event": event,
                    **_who(client),
                    "host": url.host,
                    "verdict": decision.verdict.value,
                    "clause": decision.clause,
                    "category": decision.category,
                    "policy": engine.policy.id,
                }
            # The default names no entry where it names no category.
            is_bare = decision.reason is Reason.DEFAULT and decision.category is None
            entry = None if is_bare else engine.evidence(request, decision, listed)
            return {
                "event": event,
                **_who(client),
                "period": None,
                "tls": tls.value if url.scheme in ("https", "wss") else None,
                "method": request.method,
                "scheme": url.scheme,
                "host": url.host,
                "url": url.without_query,
                "verdict": decision.verdict.value,
                "reason": decision.reason.value,
                "clause": decision.clause,
                "category": decision.category,
                "entry": entry.text if entry else None,
                "feed": entry.feed if entry else None,
                "rule": decision.rule,
                "grant": decision.grant,
                "policy": engine.policy.id,
                **figures,
            }

        self._journal.tell(transaction.at, record)


def _who(client: Client) -> dict[str, str | None]:
    return {
        "client": client.address,
        "device": client.device or None,
        "user": client.user or None,
        "group": client.group,
        "network": client.network or None,
    }


def _kind(decision: Decision) -> str:
    if decision is DNS_TUNNEL:
        return "dns"
    return "tunnel" if decision is NO_WEB_TUNNEL else "site"
