"""What the later hooks of a request need to know, kept beside the flow and gone with it."""

import gc
import time
from dataclasses import dataclass
from datetime import datetime

from mitmproxy import http

from schoolgate.core.canaries import is_canary
from schoolgate.core.files.uploads import Upload
from schoolgate.core.policy import Decision, PolicyEngine, TlsAction, WebRequest
from schoolgate.identity import SignedIn
from schoolgate.proxy.metering import Flowing


@dataclass(slots=True, eq=False)
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
        tls: what is done with the encryption, where there is any.
        of_flow: it is that of a flow, and not of a tunnel at the gate.
        recorded: the journal has it.
        bytes_up: request body bytes that went by.
        bytes_down: response body bytes that went by.
        signed_in: who is on the connection.
        inside: what the service is asked to fetch, where its address says so.
        stopped_by: which of these decided, where it was none that the site itself brings about.
        way: the way round the filter that was tried, where it is none of the decision's own.
        flowing: counts the body of the answer, where it burdens somebody's budget.
        upload: reads what is sent, where a file may be.
        by_hand: whether a person goes there, and no script or picture.
    """

    request: WebRequest
    decision: Decision
    engine: PolicyEngine
    at: datetime
    decision_us: int
    started: float
    checked: float
    tls: TlsAction = TlsAction.DECRYPT
    of_flow: bool = False
    recorded: bool = False
    bytes_up: int = 0
    bytes_down: int = 0
    signed_in: SignedIn | None = None
    inside: tuple[WebRequest, ...] = ()
    stopped_by: WebRequest | None = None
    way: str = ""
    flowing: Flowing | None = None
    upload: Upload | None = None
    by_hand: bool = False

    @property
    def is_test(self) -> bool:
        """Whether nothing of it is to leave the gateway, nor to count as somebody's."""
        return self.request.client.is_synthetic or is_canary(self.request.url.host)

    @property
    def elapsed_ms(self) -> int:
        """How long it is on its way, milliseconds."""
        return int((time.monotonic() - self.started) * 1000)


# Attributes of the flow itself: mitmproxy saves and copies only the fields it knows, where objects
# in flow.metadata would break its saving; and a dictionary with weak keys costs ten times as much.
_OPEN, _ANSWERED, _CUT = "schoolgate_transaction", "schoolgate_answered", "schoolgate_cut"


def begin(flow: http.HTTPFlow, transaction: Transaction) -> Transaction:
    """Keep a transaction for a flow."""
    setattr(flow, _OPEN, transaction)
    transaction.of_flow = True
    return transaction


def find(flow: http.HTTPFlow) -> Transaction | None:
    """Give the transaction of a flow, if it got that far."""
    return getattr(flow, _OPEN, None)


def mark_answered(flow: http.HTTPFlow) -> None:
    """Note that the response of a flow is ours."""
    setattr(flow, _ANSWERED, True)


def is_answered(flow: http.HTTPFlow) -> bool:
    """Ask whether the response of a flow is ours."""
    return getattr(flow, _ANSWERED, False)


def mark_cut(flow: http.HTTPFlow) -> None:
    """Note that a body was cut off, so that its end must not be told as if it were whole."""
    setattr(flow, _CUT, True)


def is_cut(flow: http.HTTPFlow) -> bool:
    """Ask whether a body was cut off."""
    return getattr(flow, _CUT, False)


def every() -> list[Transaction]:
    """Give all of flows that are on their way; takes long, as nobody keeps a list of them."""
    return [x for x in gc.get_objects() if isinstance(x, Transaction) and x.of_flow]
