"""What changes between two policies, and between a policy and what the journal says was decided."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from schoolgate.core.clients import Client
from schoolgate.core.errors import BadAddressError
from schoolgate.core.policy import (
    Decision,
    Policy,
    PolicyEngine,
    Reason,
    Shape,
    Verdict,
    WebRequest,
    stricter_inside,
)
from schoolgate.core.policy.decision import BAD_URL
from schoolgate.core.urls import Url, parse_web_url

_EXAMPLES = 5
_DECIDED = ("request.decided", "tls.decided")
# What people decided by hand is not a policy's answer.
_BY_HAND = frozenset(
    reason.value for reason in (Reason.SUSPENDED, Reason.GRANT, Reason.DECLARATION)
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request was answered: the verdict, and under which clause."""

    verdict: str
    clause: str

    def __str__(self) -> str:
        """Give it in words."""
        return f"{self.verdict} under {self.clause}"


@dataclass(slots=True)
class Change:
    """Requests that get another answer than before.

    Attributes:
        before: the answer then.
        after: the answer now.
        count: of how many.
        examples: some of them, each with who asked.
    """

    before: Answer
    after: Answer
    count: int = 0
    examples: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Comparison:
    """What came of comparing.

    Attributes:
        asked: how many requests.
        changes: those that change, the most frequent first.
        unreadable: lines of a journal that are no decision that can be asked again.
    """

    asked: int = 0
    changes: list[Change] = field(default_factory=list)
    unreadable: int = 0

    @property
    def changed(self) -> int:
        """How many requests get another answer."""
        return sum(change.count for change in self.changes)


def compare(
    old: PolicyEngine, new: PolicyEngine, asked: Iterable[tuple[WebRequest, datetime]]
) -> Comparison:
    """Ask two policies the same.

    Args:
        old: the rules before.
        new: the rules after.
        asked: each request, with the groups of either, and when, aware.
    """

    def answer(engine: PolicyEngine, request: WebRequest, now: datetime) -> Answer:
        decision = _decision(engine, request, now)
        return Answer(decision.verdict.value, decision.clause)

    return _collect(
        (answer(old, request, now), answer(new, request, now), _who(request))
        for request, now in asked
    )


def replay(engine: PolicyEngine, lines: Iterable[str]) -> Comparison:
    """Ask a policy what the lines of a journal say was asked, and compare the answers.

    Args:
        engine: the rules, without what was decided by hand.
        lines: of the journal; whatever is no decision is left out and counted.
    """
    unreadable = 0

    def seen() -> Iterator[tuple[Answer, Answer, str]]:
        nonlocal unreadable
        for line in lines:
            try:
                record = json.loads(line)
                if record["event"] not in _DECIDED:
                    continue
                if record.get("grant") or record.get("reason") in _BY_HAND:
                    continue
                before = Answer(str(record["verdict"]), str(record["clause"]))
                request, now = _request(engine.policy, record), datetime.fromisoformat(record["ts"])
                inner = str(record.get("inner_host") or "")
                decision = _decision(engine, request, now, inner)
            except (ValueError, KeyError, TypeError, RecursionError, BadAddressError):
                unreadable += 1
                continue
            yield before, Answer(decision.verdict.value, decision.clause), _who(request)

    found = _collect(seen())
    found.unreadable = unreadable
    return found


def _decision(
    engine: PolicyEngine, request: WebRequest, now: datetime, inner_host: str = ""
) -> Decision:
    """Decide as the proxy does, with what the address leads to by way of its own.

    A journal has no query, and of an address inside one only the host.
    """
    decision = engine.decide(request, now)
    if decision.verdict is Verdict.BLOCK:
        return decision
    try:
        inside = engine.inside(request)
    except BadAddressError:
        return BAD_URL
    if inner_host and not inside:
        inside = (replace(request, url=Url("https", inner_host, 443, "/")),)
    return stricter_inside(engine, decision, inside, now)[0]


def everybody_asks(
    policy: Policy, hosts: Sequence[str], now: datetime
) -> Iterator[tuple[WebRequest, datetime]]:
    """Give a request for each host by each group, from each network and kind of device of a policy.

    Each is made in each period of the week after a time.
    """
    moments = list(_moments(policy, now))
    clients = [
        Client("", group, network=network, device_kind=device)
        for group in policy.groups
        for network in ("", *policy.networks)
        for device in ("", *policy.devices)
    ]
    for host in hosts:
        url = Url("https", host, 443, "/")
        for client in clients:
            for moment in moments:
                yield WebRequest(url, client), moment


def journal_lines(files: Iterable[Path]) -> Iterator[str]:
    """Give the lines of some journal files.

    Raises:
        OSError: when one cannot be read.
    """
    for path in files:
        with path.open(encoding="utf-8", errors="replace") as file:
            yield from file


def _moments(policy: Policy, now: datetime) -> Iterator[datetime]:
    """Give a time in each period, and one outside all, within a week."""
    if policy.timetable is None:
        yield now
        return
    found: set[str | None] = set()
    moment: datetime | None = now
    while moment is not None and moment < now + timedelta(days=7):
        period = policy.timetable.period_at(moment)
        if period not in found:
            found.add(period)
            yield moment
        moment = policy.timetable.next_change(moment)


def _request(policy: Policy, record: dict[str, object]) -> WebRequest:
    url = parse_web_url(str(record.get("url") or record["host"]))
    group = str(record.get("group") or "")
    said = record.get("also")
    also = said if isinstance(said, list) else []
    # Nobody by name: what depends on the person is decided by hand.
    client = Client(
        str(record.get("client") or ""),
        group if group in policy.groups else policy.default_group,
        network=str(record.get("network") or ""),
        device_kind=str(record.get("device_kind") or ""),
        also=frozenset(name for name in policy.groups if name in also),
    )
    shapes = (Shape(str(record["shape"])),) if record.get("shape") else ()
    return WebRequest(url, client, str(record.get("method") or "GET"), shapes)


def _who(request: WebRequest) -> str:
    client = request.client
    who = ", ".join(part for part in (client.group, client.network, client.device_kind) if part)
    return f"{request.url.without_query} ({who})"


def _collect(answers: Iterable[tuple[Answer, Answer, str]]) -> Comparison:
    found = Comparison()
    changes: dict[tuple[Answer, Answer], Change] = {}
    for before, after, who in answers:
        found.asked += 1
        if before == after:
            continue
        change = changes.setdefault((before, after), Change(before, after))
        change.count += 1
        if len(change.examples) < _EXAMPLES and who not in change.examples:
            change.examples.append(who)
    found.changes = sorted(changes.values(), key=lambda change: -change.count)
    return found
