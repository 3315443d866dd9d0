"""What the later hooks of a request need to know, kept beside the flow and gone with it."""

from dataclasses import dataclass
from datetime import datetime
from weakref import WeakKeyDictionary, WeakSet

from mitmproxy import http

from schoolgate.core.policy import Decision, PolicyEngine, WebRequest


@dataclass(slots=True)
class Transaction:
    """One request on its way.

    Attributes:
        request: as the policy saw it.
        decision: the answer in force.
        engine: that gave it.
        at: when.
        decision_us: how long the decision took, microseconds.
        started: monotonic seconds.
        checked: monotonic seconds of the last decision.
        recorded: the journal has it.
        bytes_up: request body bytes that went by.
        bytes_down: response body bytes that went by.
    """

    request: WebRequest
    decision: Decision
    engine: PolicyEngine
    at: datetime
    decision_us: int
    started: float
    checked: float
    recorded: bool = False
    bytes_up: int = 0
    bytes_down: int = 0


# Objects in flow.metadata would break mitmproxy's own saving of flows.
_open: WeakKeyDictionary[http.HTTPFlow, Transaction] = WeakKeyDictionary()
_answered: WeakSet[http.HTTPFlow] = WeakSet()
_cut: WeakSet[http.HTTPFlow] = WeakSet()


def begin(flow: http.HTTPFlow, transaction: Transaction) -> Transaction:
    """Keep a transaction for a flow."""
    _open[flow] = transaction
    return transaction


def find(flow: http.HTTPFlow) -> Transaction | None:
    """Give the transaction of a flow, if it got that far."""
    return _open.get(flow)


def mark_answered(flow: http.HTTPFlow) -> None:
    """Note that the response of a flow is ours."""
    _answered.add(flow)


def is_answered(flow: http.HTTPFlow) -> bool:
    """Ask whether the response of a flow is ours."""
    return flow in _answered


def mark_cut(flow: http.HTTPFlow) -> None:
    """Note that a body was cut off, so that its end must not be told as if it were whole."""
    _cut.add(flow)


def is_cut(flow: http.HTTPFlow) -> bool:
    """Ask whether a body was cut off."""
    return flow in _cut


def every() -> list[Transaction]:
    """Give all that are on their way."""
    return list(_open.values())
