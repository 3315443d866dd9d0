"""Tells the journal and the metrics; counts at once, writes later, never waits."""

import time
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import Any, Protocol

from schoolgate.core.approvals import Subject
from schoolgate.core.clients import Client
from schoolgate.core.content import Score
from schoolgate.core.errors import BadAddressError
from schoolgate.core.locked import LockedBy
from schoolgate.core.policy import (
    Decision,
    PolicyEngine,
    Reason,
    TlsAction,
    Verdict,
    WebRequest,
)
from schoolgate.core.policy.decision import (
    DNS_TUNNEL,
    MISNAMED,
    NO_WEB_TUNNEL,
    SOCKS,
    TLS_IN_TLS,
)
from schoolgate.core.policy.locking import LOCKED_LIST
from schoolgate.core.urls import Url
from schoolgate.monitoring import Journal, Metrics
from schoolgate.monitoring.metrics import CIRCUMVENTION, UNCATEGORISED
from schoolgate.monitoring.tallies import Tally
from schoolgate.proxy.transactions import Transaction
from schoolgate.services.attempts import Attempt, Attempts, Incident
from schoolgate.services.signs import Seen, Signs

# Of these nothing is kept beyond who, when and where (W-7.2.4).
ILLEGAL = frozenset({"illegal"})
_MOST_KEPT = 4096
# The ways round the filter that are no site and no shape, by the rule of the gateway's own that closed them.
_KINDS = {
    DNS_TUNNEL.rule: "dns",
    NO_WEB_TUNNEL.rule: "tunnel",
    SOCKS.rule: "socks",
    TLS_IN_TLS.rule: "tls-in-tls",
    MISNAMED.rule: "fronting",
}
_THEME, _SEVERITY = CIRCUMVENTION
_ILLEGAL_THEME, _ILLEGAL_SEVERITY = "illegal", "high"
# A page of a locked list is asked for with all its parts, and again: one alert for a person and host.
_QUIET_SECONDS = 600.0
_MOST_ALERTED = 10_000
# The heaviest of a text come first; a page of a casino has hundreds.
_MOST_PHRASES = 20


class Letters(Protocol):
    """Leads to the one worker that somebody belongs to, as `workers.LetterBox`."""

    def send(self, whom: str, letter: bytes) -> bool:
        """Send a letter there; False where it stays here."""

    def take(self) -> bytes | None:
        """Take a letter, or None where there is none."""


class _Alone:
    def send(self, _whom: str, _letter: bytes) -> bool:
        return False

    def take(self) -> bytes | None:
        return None


class Recorder:
    """The one place from which traffic is recorded."""

    def __init__(
        self,
        journal: Journal,
        metrics: Metrics,
        attempts: Attempts | None = None,
        signs: Signs | None = None,
    ) -> None:
        self._signs = signs
        self._journal = journal
        self._metrics = metrics
        self._attempts = attempts or Attempts()
        self._letters: Letters = _Alone()
        self._children: dict[tuple[int, str, str], tuple[Decision, Tally]] = {}
        self._alerted: OrderedDict[tuple[str, str], float] = OrderedDict()

    def decided(self, transaction: Transaction) -> None:
        """Count a decision; what only tests the filter is nobody's."""
        if transaction.is_test:
            return
        decision, group = transaction.decision, transaction.request.client.group
        if self._signs is not None:
            seen = (transaction.request, transaction.engine, decision.verdict, transaction.at)
            self._signs.see(Seen(*seen, transaction.by_hand))
        # By identity, as a decision is built once; kept beside its tally so that it stays its own.
        period = transaction.engine.period(transaction.at) or ""
        known = self._children.get((id(decision), group, period))
        if known is None:
            known = self._new_child(decision, group, period)
        known[1].inc()
        if transaction.decision_us:
            self._metrics.decision_seconds.observe(transaction.decision_us / 1e6)
        if decision.rule == LOCKED_LIST and decision.locked_by is not None:
            self._locked(transaction, decision.locked_by)
        if decision.verdict is Verdict.BLOCK:
            stopped_by = transaction.stopped_by
            if stopped_by is not None:
                self._seen(transaction, "inner-address", stopped_by.url.host)
            elif transaction.way:
                self._seen(transaction, transaction.way)
            elif decision.reason is Reason.CIRCUMVENTION:
                self._seen(transaction, _kind(decision))

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

    def _seen(self, transaction: Transaction, kind: str, inner_host: str = "") -> None:
        """Count an attempt to get round the filter, and raise an alert when there are too many.

        Args:
            transaction: what was tried; it was stopped.
            kind: by which way.
            inner_host: what was to be reached by way of its site.
        """
        self._metrics.circumvention.labels(kind=kind).inc()
        request, engine = transaction.request, transaction.engine
        attempt = Attempt(request.client, kind, request.url.host, inner_host, time.monotonic())
        is_new, incident = self._attempts.note(attempt, engine.policy.attempts)
        if not is_new:
            return
        self._tell(transaction, "circumvention.seen", {"kind": kind})
        if self._letters.send(attempt.who, attempt.letter()):
            # Whoever else saw attempts of theirs tells the same worker, which has them all.
            return
        if incident is not None:
            self._alert(attempt, engine, transaction.at, incident)

    def _locked(self, transaction: Transaction, by: LockedBy) -> None:
        """Raise an alert for whoever looks after children: somebody asked for what a locked list names."""
        request, moment = transaction.request, time.monotonic()
        about = (str(Subject.nearest(request.client)), request.url.host)
        if moment - self._alerted.get(about, -_QUIET_SECONDS) < _QUIET_SECONDS:
            return
        self._alerted[about] = moment
        self._alerted.move_to_end(about)
        if len(self._alerted) > _MOST_ALERTED:
            self._alerted.popitem(last=False)
        self._metrics.alerts.labels(theme=_ILLEGAL_THEME, severity=_ILLEGAL_SEVERITY).inc()
        inner, clause = transaction.stopped_by, transaction.decision.clause
        self._journal.tell(
            transaction.at, partial(_locked_alert, request, inner, clause, transaction.engine, by)
        )

    def share(self, letters: Letters) -> None:
        """Count attempts together with other workers, each person's in one of them."""
        self._letters = letters

    def hear(self, engine: PolicyEngine, now: datetime) -> None:
        """Take what other workers saw of the people whose attempts are counted here."""
        while letter := self._letters.take():
            attempt = Attempt.of_letter(letter)
            _, incident = self._attempts.note(attempt, engine.policy.attempts)
            if incident is not None:
                self._alert(attempt, engine, now, incident)

    def _alert(
        self, attempt: Attempt, engine: PolicyEngine, at: datetime, incident: Incident
    ) -> None:
        self._metrics.alerts.labels(theme=_THEME, severity=_SEVERITY).inc()
        self._journal.tell(at, partial(_alert, attempt, engine, at, incident))

    def happened(self, transaction: Transaction, event: str) -> None:
        """Write another event of a request, such as ``warning.accepted``."""
        self._tell(transaction, event, {})

    def uploaded(self, transaction: Transaction, name: str, size: int, status: int | None) -> None:
        """Write that a file was sent to where files are kept: what it is called and its bytes, no more."""
        self._tell(
            transaction,
            "upload.seen",
            {"file_name": name or None, "file_bytes": size, "status": status},
        )

    def stopped(self, transaction: Transaction, event: str, file_name: str = "") -> None:
        """Write and count that an answer was stopped for what it is, as ``stream.stopped`` or the like."""
        if transaction.is_test:
            return
        self._metrics.contents_stopped.labels(clause=transaction.decision.clause).inc()
        self._tell(
            transaction,
            event,
            {"bytes_down": transaction.bytes_down, "file_name": file_name or None},
        )

    def judged(self, transaction: Transaction, score: Score) -> None:
        """Write and count what became of a text for what it says: its score, and the phrases' ids."""
        decision = transaction.decision
        labels = {"category": score.category, "verdict": decision.verdict.value}
        self._metrics.texts_judged.labels(**labels).inc()
        if decision.verdict is Verdict.BLOCK:
            self._metrics.contents_stopped.labels(clause=decision.clause).inc()
        said = {"score": round(score.points, 1), "phrase_ids": list(score.evidence[:_MOST_PHRASES])}
        self._tell(transaction, "page.judged", {**said, "bytes_down": transaction.bytes_down})

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
        seconds = None if status is None else duration_ms / 1000
        if not transaction.is_test:
            self._metrics.ended(transaction.bytes_up, transaction.bytes_down, seconds)
        self._tell(transaction, event, figures)

    def _tell(self, transaction: Transaction, event: str, figures: Mapping[str, Any]) -> None:
        if transaction.request.client.is_synthetic:
            return
        # What may still change is read now; the rest is looked up in the journal's thread.
        request, decision, engine = transaction.request, transaction.decision, transaction.engine
        tls, at, inner = transaction.tls, transaction.at, transaction.stopped_by
        self._journal.tell(
            at, partial(_record, event, request, inner, decision, engine, tls, at, figures)
        )


def _record(
    event: str,
    request: WebRequest,
    inner: WebRequest | None,
    decision: Decision,
    engine: PolicyEngine,
    tls: TlsAction,
    at: datetime,
    figures: Mapping[str, Any],
) -> dict[str, Any]:
    client, url = request.client, request.url
    about = inner or request
    if _is_illegal(engine, decision, request, about):
        return {
            "event": event,
            **_who(client),
            "host": url.host,
            **({"inner_host": inner.url.host} if inner else {}),
            "verdict": decision.verdict.value,
            "clause": decision.clause,
            "category": decision.category,
            **(_list(decision.locked_by) if decision.locked_by else {}),
            "policy": engine.policy.id,
        }
    # The default names no entry where it names no category.
    is_bare = decision.reason is Reason.DEFAULT and decision.category is None
    entry = None if is_bare else engine.evidence(about, decision)
    return {
        "event": event,
        **_who(client),
        "period": engine.period(at),
        "tls": tls.value if url.scheme in ("https", "wss") else None,
        "method": request.method,
        "scheme": url.scheme,
        "host": url.host,
        "url": url.without_query,
        "search": engine.search_of(request) or None,
        "inner_host": inner.url.host if inner else None,
        "verdict": decision.verdict.value,
        "reason": decision.reason.value,
        "clause": decision.clause,
        "category": decision.category,
        "shape": decision.shape,
        "entry": entry.text if entry else None,
        "feed": entry.feed if entry else None,
        "rule": decision.rule,
        "grant": decision.grant,
        "policy": engine.policy.id,
        **figures,
    }


def _alert(
    attempt: Attempt, engine: PolicyEngine, at: datetime, incident: Incident
) -> dict[str, Any]:
    return {
        "event": "alert.raised",
        **_who(attempt.client),
        "period": engine.period(at),
        "theme": _THEME,
        "severity": _SEVERITY,
        # Of the attempt that was one too many.
        "host": attempt.host,
        "clause": engine.policy.attempts.clause,
        "score": incident.attempts,
        "kinds": dict(incident.kinds),
        "policy": engine.policy.id,
    }


def _is_illegal(
    engine: PolicyEngine, decision: Decision, request: WebRequest, about: WebRequest
) -> bool:
    """Ask whether nothing may be kept of an address, whatever was decided about it."""
    if decision.locked_by is not None:
        return True
    sites = engine.catalogue.sites
    pages = {request.url, about.url, *_inside(engine, request)}
    return any(
        not ILLEGAL.isdisjoint(sites.categories(sites.get(page.host, page.path)))
        or engine.locked_at(page) is not None
        for page in pages
    )


def _inside(engine: PolicyEngine, request: WebRequest) -> Iterator[Url]:
    """Give the addresses that an address holds: it may be kept no more than they may."""
    with suppress(BadAddressError):
        for inner in engine.inside(request):
            yield inner.url


def _locked_alert(
    request: WebRequest, inner: WebRequest | None, clause: str, engine: PolicyEngine, by: LockedBy
) -> dict[str, Any]:
    return {
        "event": "alert.raised",
        **_who(request.client),
        "theme": _ILLEGAL_THEME,
        "severity": _ILLEGAL_SEVERITY,
        "host": request.url.host,
        **({"inner_host": inner.url.host} if inner else {}),
        "clause": clause,
        **_list(by),
        "policy": engine.policy.id,
    }


def _list(by: LockedBy) -> dict[str, Any]:
    """Say which list in which state decided; which entry is kept nowhere."""
    return {"feed": by.name, "list_version": by.version, "list_hash": by.digest}


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
    if decision.shape is not None:
        return decision.shape.value
    return _KINDS.get(decision.rule, "site")
