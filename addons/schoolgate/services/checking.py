"""What would happen to a URL: the answer behind `schoolgate check` and `schoolgate explain`."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from schoolgate.core import policy
from schoolgate.core.categories import ListEntry
from schoolgate.core.clients import Client
from schoolgate.core.errors import BadAddressError
from schoolgate.core.hosts import IpNetwork, as_ip, is_private
from schoolgate.core.locked import Hit
from schoolgate.core.policy import (
    Budget,
    ContentRules,
    Decision,
    HostDecision,
    PolicyEngine,
    Step,
    TlsAction,
    Verdict,
    WebRequest,
    stricter_inside,
)
from schoolgate.core.policy.contents import NO_CONTENT_RULES
from schoolgate.core.policy.decision import BAD_URL, PRIVATE_DESTINATION
from schoolgate.core.urls import parse_web_url

_BAD_HOST = HostDecision(TlsAction.REFUSE, BAD_URL, "There is no host to connect to.")
_PRIVATE_HOST = HostDecision(TlsAction.REFUSE, PRIVATE_DESTINATION, PRIVATE_DESTINATION.note)


@dataclass(frozen=True, slots=True)
class Answer:
    """What was asked, what the policy answers, and on what evidence.

    Attributes:
        asked: as it was written.
        host: normalised; empty where there is none.
        client: who asks.
        decision: on the URL.
        connection: what a TLS connection to the host meets, whatever the scheme of the URL.
        entry: what the decision rests on.
        policy: id.
        at: when.
        period: of the timetable at that time; None outside all.
        error: why it is no URL.
        inner_host: the site that the address leads to by way of its own, where that decided.
        budget: what audio and video of the page burden; None for none.
        contents: what is looked for in the site's answers.
        hit: the locked list that decided, and the beginning of a hash of its entry.
    """

    asked: str
    host: str
    client: Client
    decision: Decision
    connection: HostDecision
    entry: ListEntry | None
    policy: str
    at: datetime
    period: str | None = None
    error: str = ""
    inner_host: str = ""
    budget: Budget | None = None
    contents: ContentRules = NO_CONTENT_RULES
    hit: Hit | None = None

    @property
    def feed(self) -> str | None:
        """The list that the decision rests on."""
        if self.decision.locked_by is not None:
            return self.decision.locked_by.name
        return self.entry.feed if self.entry else None

    def _locked(self, hit: Hit) -> dict[str, Any]:
        by = hit.by
        return {
            "list": by.name,
            "version": by.version,
            "date": by.date.isoformat(),
            "age_days": by.age(self.at).days,
            "hash": by.digest,
            "entry_hash": hit.proof,
        }

    def as_json(self) -> dict[str, Any]:
        """Give the object of CONTRACT.md."""
        decision = self.decision
        obligations = [obligation.name for obligation in decision.obligations]
        answer: dict[str, Any] = {
            "url": self.asked,
            "host": self.host,
            "verdict": decision.verdict.value,
            "reason": decision.reason.value,
            "clause": decision.clause,
            "category": decision.category,
            "categories": list(decision.categories),
            "entry": self.entry.text if self.entry else None,
            "feed": self.feed,
            "grant": decision.grant,
            "group": self.client.group,
            "period": self.period,
            "tls": self.connection.action.value,
            "obligations": [*obligations, *([self.budget.name] if self.budget else ())],
            "contents": [rule.need.id for rule in self.contents.rules],
            "rule": decision.rule,
            "policy": self.policy,
            "at": self.at.isoformat(),
        }
        if self.inner_host:
            answer["inner_host"] = self.inner_host
        if self.hit is not None:
            answer["locked"] = self._locked(self.hit)
        if self.error:
            answer["error"] = self.error
        return answer


def check(
    engine: PolicyEngine,
    asked: str,
    client: Client,
    now: datetime,
    allowed: Sequence[IpNetwork] = (),
) -> Answer:
    """Decide one URL as the proxy would; what is no URL is blocked and says why.

    Args:
        engine: the rules.
        asked: the URL.
        client: who asks.
        now: when, aware.
        allowed: private networks that the proxy may reach; names are not resolved here.
    """
    period = engine.period(now)
    try:
        request = WebRequest(parse_web_url(asked), client)
    except BadAddressError as error:
        return Answer(
            asked, "", client, BAD_URL, _BAD_HOST, None, engine.policy.id, now, period, str(error)
        )
    host = request.url.host
    decision = engine.decide(request, now)
    inner: WebRequest | None = None
    if decision.verdict is not Verdict.BLOCK:
        try:
            decision, inner = stricter_inside(engine, decision, engine.inside(request), now)
        except BadAddressError:
            decision = BAD_URL
    if decision.verdict is not Verdict.BLOCK and _is_private(host, allowed):
        decision, inner = PRIVATE_DESTINATION, None
    connection = check_host(engine, host, client, now, allowed)
    entry = engine.evidence(inner or request, decision)
    inside = inner.url.host if inner else ""
    contents = NO_CONTENT_RULES
    if decision.verdict is not Verdict.BLOCK and connection.action is not TlsAction.PASS:
        contents = engine.contents_of(request, decision, now)
    by = decision.locked_by
    hit = engine.locked.at((inner or request).url) if by is not None else None
    return Answer(
        asked, host, client, decision, connection, entry, engine.policy.id, now, period, "", inside,
        engine.metering(request, decision), contents, hit,
    )  # fmt: skip


def check_host(
    engine: PolicyEngine,
    host: str,
    client: Client,
    now: datetime,
    allowed: Sequence[IpNetwork] = (),
) -> HostDecision:
    """Say what a TLS connection to a normalised host meets; other arguments as `check`."""
    connection = engine.decide_host(host, client, now)
    if connection.action is not TlsAction.REFUSE and _is_private(host, allowed):
        return _PRIVATE_HOST
    return connection


def explain(
    engine: PolicyEngine,
    asked: str,
    client: Client,
    now: datetime,
    allowed: Sequence[IpNetwork] = (),
) -> list[Step]:
    """Give the decision on one URL in numbered steps; arguments as `check`.

    Raises:
        BadAddressError: when it is no URL of a web page.
    """
    request = WebRequest(parse_web_url(asked), client)
    steps = policy.explain(engine, request, now)
    decision = engine.decide(request, now)
    if decision.verdict is not Verdict.BLOCK:
        decision, inner = stricter_inside(engine, decision, engine.inside(request), now)
        if inner is not None:
            question = f"What is the page inside, {inner.url.without_query}, on its own?"
            *_, last = policy.explain(engine, inner, now)
            passed = [replace(step, decided=False) for step in steps]
            steps = [*passed, Step(steps[-1].number + 1, question, last.answer, decided=True)]
    if decision.verdict is Verdict.BLOCK or not _is_private(request.url.host, allowed):
        return steps
    passed = [replace(step, decided=False) for step in steps]
    question = "Does it lead into a private network?"
    answer = f"Block under {PRIVATE_DESTINATION.clause}. {PRIVATE_DESTINATION.note}"
    return [*passed, Step(steps[-1].number + 1, question, answer, decided=True)]


def _is_private(host: str, allowed: Sequence[IpNetwork]) -> bool:
    address = as_ip(host)
    return address is not None and is_private(address, allowed)
