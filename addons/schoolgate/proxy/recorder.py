"""Tells the journal and the metrics; counts at once, writes later, never waits."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any

from schoolgate.core.clients import Client
from schoolgate.core.policy import Decision, PolicyEngine, Reason, TlsAction, WebRequest
from schoolgate.core.policy.decision import DNS_TUNNEL, NO_WEB_TUNNEL
from schoolgate.monitoring import Journal, Metrics
from schoolgate.monitoring.metrics import UNCATEGORISED
from schoolgate.monitoring.tallies import Tally
from schoolgate.proxy.transactions import Transaction

# Of these nothing is kept beyond who, when and where (W-7.2.4).
ILLEGAL = frozenset({"illegal"})
_MOST_KEPT = 4096


class Recorder:
    """The one place from which traffic is recorded."""

    def __init__(self, journal: Journal, metrics: Metrics) -> None:
        self._journal = journal
        self._metrics = metrics
        self._children: dict[tuple[int, str, str], tuple[Decision, Tally]] = {}

    def decided(self, transaction: Transaction) -> None:
        """Count a decision."""
        decision, group = transaction.decision, transaction.request.client.group
        # By identity, as a decision is built once; kept beside its tally so that it stays its own.
        period = transaction.engine.period(transaction.at) or ""
        known = self._children.get((id(decision), group, period))
        if known is None:
            known = self._new_child(decision, group, period)
        known[1].inc()
        if transaction.decision_us:
            self._metrics.decision_seconds.observe(transaction.decision_us / 1e6)
        if decision.reason is Reason.CIRCUMVENTION:
            self._metrics.circumvention.labels(kind=_kind(decision)).inc()

    def _new_child(self, decision: Decision, group: str, period: str) -> tuple[Decision, Tally]:
        if len(self._children) >= _MOST_KEPT:
            # Those of rules that are no longer in force.
            self._children.clear()
        category = decision.category or UNCATEGORISED
        child = self._metrics.requests.labels(decision.verdict.value, category, group, period)
        known = self._children[id(decision), group, period] = decision, child
        return known

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
        # What may still change is read now; the rest is looked up in the journal's thread.
        request, decision, engine = transaction.request, transaction.decision, transaction.engine
        tls, at = transaction.tls, transaction.at
        self._journal.tell(at, partial(_record, event, request, decision, engine, tls, at, figures))


def _record(
    event: str,
    request: WebRequest,
    decision: Decision,
    engine: PolicyEngine,
    tls: TlsAction,
    at: datetime,
    figures: Mapping[str, Any],
) -> dict[str, Any]:
    client, url = request.client, request.url
    sites = engine.catalogue.sites
    if not ILLEGAL.isdisjoint(sites.categories(sites.get(url.host, url.path))):
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
    entry = None if is_bare else engine.evidence(request, decision)
    return {
        "event": event,
        **_who(client),
        "period": engine.period(at),
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


def _who(client: Client) -> dict[str, Any]:
    return {
        "client": client.address,
        "device": client.device or None,
        "device_kind": client.device_kind or None,
        "user": client.user or None,
        "group": client.group,
        "also": sorted(client.also) or None,
        "network": client.network or None,
    }


def _kind(decision: Decision) -> str:
    if decision is DNS_TUNNEL:
        return "dns"
    return "tunnel" if decision is NO_WEB_TUNNEL else "site"
