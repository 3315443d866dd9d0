"""Bodies as they flow: counted, and cut off when they may not flow any more."""

import time
from collections.abc import Callable, Iterable
from dataclasses import replace

from mitmproxy import http

from schoolgate.core.policy import Verdict, stricter_inside
from schoolgate.proxy import transactions
from schoolgate.proxy.contents import STOPPED
from schoolgate.proxy.guard import Guard
from schoolgate.proxy.tools import Tools
from schoolgate.proxy.transactions import Transaction

# How long a decision on a body that still flows may be old.
RECHECK_SECONDS = 1.0


class Bodies:
    """Watches over what flows.

    Args:
        guard: the boundary around all that handles traffic.
        tools: what the filter works with.
    """

    def __init__(self, guard: Guard, tools: Tools) -> None:
        self._guard = guard
        self._tools = tools

    def stream(
        self, flow: http.HTTPFlow, transaction: Transaction, *, up: bool
    ) -> Callable[[bytes], bytes | Iterable[bytes]]:
        """Give through what a body passes, as long as it may; ``up`` is to the origin."""

        def passing(chunk: bytes) -> bytes | Iterable[bytes]:
            if up:
                transaction.bytes_up += len(chunk)
            else:
                transaction.bytes_down += len(chunk)
            if not self.still_pass(transaction) or not (up or self._counts(transaction, chunk)):
                transactions.mark_cut(flow)
                self._tools.cut(flow.client_conn)
                # Not b"", which would be sent as the end of a chunked body.
                return []
            if up and transaction.upload is not None:
                transaction.upload.feed(chunk)
            return chunk

        return self._guard.stream(flow, passing)

    def _counts(self, transaction: Transaction, chunk: bytes) -> bool:
        """Count a part of an answer where it burdens a budget; False where that is spent."""
        flowing, metering = transaction.flowing, self._tools.metering
        if flowing is None or flowing.takes(len(chunk)):
            return True
        account, now = flowing.account, self._tools.clock()
        assert account is not None
        word = metering.word(account)
        transaction.decision = metering.decision(account, word, transaction.decision, now)
        metering.is_first_stop(account, now)
        self._tools.recorder.stopped(transaction, STOPPED)
        return False

    def still_pass(self, transaction: Transaction) -> bool:
        """Decide again when the rules changed or some time went by (a grant may have ended)."""
        engine, moment = self._tools.engines.current, time.monotonic()
        if engine is transaction.engine and moment - transaction.checked < RECHECK_SECONDS:
            return transaction.decision.verdict is not Verdict.BLOCK
        transaction.checked = moment
        transaction.engine = engine
        if not self._tools.callers.may_stay(transaction.signed_in):
            return False
        request = transaction.request
        # Who is there, and in which group, may have changed.
        client = self._tools.clients.at(
            request.client.address, engine.policy, transaction.signed_in
        )
        if client is not request.client:
            request = replace(request, client=client)
        now = self._tools.clock()
        inside = tuple(replace(inner, client=client) for inner in transaction.inside)
        decision, stopped_by = stricter_inside(engine, engine.decide(request, now), inside, now)
        if decision.verdict is Verdict.BLOCK:
            transaction.request, transaction.decision = request, decision
            transaction.stopped_by = stopped_by
            return False
        return True
