"""The whole story of a request: translate, decide, enforce, remember, record."""

import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from datetime import datetime
from functools import partial
from itertools import chain

from mitmproxy import http

from schoolgate.core.errors import BadAddressError
from schoolgate.core.media.metering import Word
from schoolgate.core.policy import (
    Decision,
    PolicyEngine,
    Reason,
    Shape,
    Verdict,
    WebRequest,
    stricter_inside,
    strictest,
    with_obligations_of,
)
from schoolgate.core.policy.decision import (
    BAD_URL,
    DNS_TUNNEL,
    FILTER_ERROR,
    PRIVATE_DESTINATION,
)
from schoolgate.identity import Challenge
from schoolgate.proxy import (
    canary_sites,
    challenges,
    enforce,
    lines,
    transactions,
    translate,
    uploads,
)
from schoolgate.proxy.admission import Admission
from schoolgate.proxy.bodies import Bodies
from schoolgate.proxy.contents import STOPPED, Contents
from schoolgate.proxy.guard import Guard, guarded
from schoolgate.proxy.interstitial import Click
from schoolgate.proxy.lines import Line
from schoolgate.proxy.metering import Account
from schoolgate.proxy.pages import is_for_people
from schoolgate.proxy.pictures import Pictures
from schoolgate.proxy.texts import Texts, ask_plainly
from schoolgate.proxy.tools import Tools
from schoolgate.proxy.transactions import Transaction
from schoolgate.services.callers import Caller

# How a browser says that a person goes to a page (Fetch Metadata).
_BY_HAND = "navigate"
# DNS goes to the resolver that the school filters, never through a tunnel.
REFUSED_PORTS = frozenset({53, 853, 5353})


class Filter:
    """The addon that decides every request, in `requestheaders`, before anything is contacted."""

    def __init__(self, guard: Guard, tools: Tools) -> None:
        self.guard = guard
        guard.record_fault = self._record_fault
        self._tools = tools
        self._admission = Admission(tools.callers)
        self._bodies = Bodies(guard, tools)
        self._texts = Texts(tools.pages, tools.recorder, tools.warnings, tools.surroundings)
        self._pictures = Pictures(tools.picture_hook, self._texts, tools.metrics.pictures_asked)
        self._contents = Contents(
            guard, tools.pages, tools.recorder, tools.cut, tools.metering, self._texts,
            self._pictures,
        )  # fmt: skip

    @guarded
    def http_connect(self, flow: http.HTTPFlow) -> Awaitable[None] | None:
        """Let a tunnel begin; what goes through it is decided request by request.

        Returns:
            What is to be awaited where it must be found out who asks.
        """
        caller = self._admission.known(flow)
        if caller is None:
            return self._admit(flow, self._connect)
        self._connect(flow, caller)
        return None

    async def _admit(
        self, flow: http.HTTPFlow, then: Callable[[http.HTTPFlow, Caller], Awaitable[None] | None]
    ) -> None:
        """Find out who asks, and go on with that; nothing is decided before."""
        found = await self._admission.find_out(flow)
        if isinstance(found, Challenge):
            enforce.answer(flow, challenges.response(found, flow.request.method))
            return
        rest = then(flow, found)
        if rest is not None:
            await rest

    def _connect(self, flow: http.HTTPFlow, caller: Caller) -> None:
        port, tools = flow.request.port, self._tools
        if port in tools.tunnel_ports and port not in REFUSED_PORTS:
            lines.keep(flow.client_conn, Line(caller, is_tunnel=True))
            return
        transaction = self._undecided(flow, DNS_TUNNEL, caller)
        if port not in REFUSED_PORTS:
            request = replace(transaction.request, shapes=(Shape.ODD_PORT,))
            transaction.decision = tools.engines.current.decide(request, transaction.at)
            if transaction.decision.verdict is not Verdict.BLOCK:
                lines.keep(flow.client_conn, Line(caller, is_tunnel=True))
                return
        enforce.answer(flow, tools.pages.blocked(flow.request, transaction.decision))
        tools.recorder.decided(transaction)
        self._end(flow, transaction)

    @guarded
    def requestheaders(self, flow: http.HTTPFlow) -> Awaitable[None] | None:
        """Decide, and answer in the site's place unless it passes.

        Returns:
            What is to be awaited where it must be found out who asks, or a name must be looked up.
        """
        caller = self._admission.known(flow)
        return self._admit(flow, self._judge) if caller is None else self._judge(flow, caller)

    def _judge(self, flow: http.HTTPFlow, caller: Caller) -> Awaitable[None] | None:
        if not self._admission.may_stay(caller):
            # They come again, and sign in.
            if flow.killable:
                flow.kill()
            self._tools.cut(flow.client_conn)
            return None
        transaction, requests = self._decide(flow, caller)
        if transaction.decision.verdict is not Verdict.BLOCK and not transaction.is_test:
            port, destinations = flow.request.port, self._tools.destinations
            for request in requests:
                if not destinations.is_known_open(request.url.host, port):
                    hosts = {request.url.host for request in requests}
                    return self._look_up(flow, transaction, hosts)
        return self._budget(flow, transaction)

    async def _look_up(
        self, flow: http.HTTPFlow, transaction: Transaction, hosts: set[str]
    ) -> None:
        try:
            for host in hosts:
                if await self._tools.destinations.is_refused(host, flow.request.port):
                    transaction.decision = PRIVATE_DESTINATION
                    break
        except BadAddressError:
            transaction.decision = BAD_URL
        rest = self._budget(flow, transaction)
        if rest is not None:
            await rest

    def _budget(self, flow: http.HTTPFlow, transaction: Transaction) -> Awaitable[None] | None:
        """Look at the budget that a request burdens, if any, and enforce.

        Returns:
            What is to be awaited where the owner of the accounts must be asked.
        """
        decision, metering = transaction.decision, self._tools.metering
        if decision.verdict is Verdict.LIMIT and not transaction.is_test:
            account = metering.account(transaction.engine, transaction.request, decision)
            if account is not None:
                word = metering.word(account)
                if word is Word.ASK:
                    return self._ask_owner(flow, transaction, account)
                self._limit(flow, transaction, account, word)
        self._enforce(flow, transaction)
        return None

    async def _ask_owner(
        self, flow: http.HTTPFlow, transaction: Transaction, account: Account
    ) -> None:
        self._limit(flow, transaction, account, await self._tools.metering.ask(account))
        self._enforce(flow, transaction)

    def _limit(
        self, flow: http.HTTPFlow, transaction: Transaction, account: Account, word: Word
    ) -> None:
        """Put the budget's answer in the place of the rules', a warning in front of pages alone."""
        metering, at = self._tools.metering, transaction.at
        decision = metering.decision(account, word, transaction.decision, at)
        if decision.verdict is Verdict.WARN and not is_for_people(flow.request.headers):
            return
        transaction.decision = decision
        if decision.verdict is Verdict.BLOCK and metering.is_first_stop(account, at):
            self._tools.recorder.stopped(transaction, STOPPED)

    def _enforce(self, flow: http.HTTPFlow, transaction: Transaction) -> None:
        decision = transaction.decision
        self._tools.surroundings.arrives(flow.request.headers, transaction)
        if decision.verdict.is_open:
            # What a page said a moment ago, it says still.
            decision = transaction.decision = self._texts.recall(transaction) or decision
        if decision.verdict is Verdict.BLOCK:
            caller = Caller(transaction.request.client.address, transaction.signed_in)
            asked = self._admission.asked_instead(flow, caller)
            if asked is not None:
                enforce.answer(flow, challenges.response(asked, flow.request.method))
                return
        transactions.begin(flow, transaction)
        click = self._tools.warnings.click(transaction.request, transaction.at)
        if click is not None and flow.request.headers.get("sec-fetch-mode", _BY_HAND) != _BY_HAND:
            # Pressed by a script, and by no person.
            click = None
        is_open = decision.verdict.is_open
        if is_open or self._is_accepted(transaction, click):
            if click is None:
                self._let_through(flow, transaction)
            else:
                if is_open and transaction.engine.judges_texts:
                    # A warning of what the page says, which does not stand in front of the site.
                    self._accept(transaction, click)
                enforce.answer(flow, enforce.redirect(click.to))
        elif decision.verdict is Verdict.WARN:
            link = self._tools.warnings.link(transaction.request, decision, transaction.at)
            page = self._tools.pages.warned(flow.request, decision, link, transaction.request)
            enforce.answer(flow, page)
        elif decision.reason is Reason.BUDGET:
            enforce.answer(flow, self._contents.of_budget(flow, transaction))
        else:
            page = self._tools.pages.blocked(flow.request, decision, transaction.request)
            enforce.answer(flow, page)
        self._tools.recorder.decided(transaction)
        if transactions.is_answered(flow):
            self._end(flow, transaction)

    @guarded
    def responseheaders(self, flow: http.HTTPFlow) -> Awaitable[None] | None:
        """Stream what the origin sends, unless it is short enough to be held whole.

        Returns:
            What is to be awaited where it must be asked whether there is something left of a budget.
        """
        if transactions.is_answered(flow):
            return None
        transaction = _known(flow)
        self._tools.surroundings.leads(flow, transaction)
        stream = partial(self._bodies.stream, flow, transaction, up=False)
        return self._contents.begin(flow, transaction, stream)

    @guarded
    def response(self, flow: http.HTTPFlow) -> Awaitable[None] | None:
        """Record a request that is done; a WebSocket goes on.

        Returns:
            What is to be awaited where it must be asked what a picture shows.
        """
        if transactions.is_answered(flow):
            return None
        transaction = _known(flow)
        judging = self._pictures.judge(flow, transaction)
        if judging is not None:
            return self._end_after(judging, flow, transaction)
        self._end_whole(flow, transaction)
        return None

    async def _end_after(
        self, judging: Awaitable[None], flow: http.HTTPFlow, transaction: Transaction
    ) -> None:
        await judging
        self._end_whole(flow, transaction)

    def _end_whole(self, flow: http.HTTPFlow, transaction: Transaction) -> None:
        if transactions.is_cut(flow):
            # The last chunk was held back: without this, what is missing would look complete.
            flow.kill()
        if flow.websocket is None:
            self._end(flow, transaction)

    @guarded
    def error(self, flow: http.HTTPFlow) -> None:
        """Record a request that ended early."""
        transaction = transactions.find(flow)
        if transaction is not None:
            self._end(flow, transaction)

    @guarded
    def websocket_message(self, flow: http.HTTPFlow) -> None:
        """Decide again when needed, and keep no messages."""
        transaction = _known(flow)
        assert flow.websocket is not None
        message = flow.websocket.messages[-1]
        if message.from_client:
            transaction.bytes_up += len(message.content)
        else:
            transaction.bytes_down += len(message.content)
        if not self._bodies.still_pass(transaction):
            message.drop()
            self._tools.cut(flow.client_conn)
        # mitmproxy reads the last message after this hook and would keep all until the end.
        del flow.websocket.messages[:-1]

    @guarded
    def websocket_end(self, flow: http.HTTPFlow) -> None:
        """Record a WebSocket that is done."""
        transaction = transactions.find(flow)
        if transaction is not None:
            self._end(flow, transaction)

    def done(self) -> None:
        """Record what was still on its way when the proxy stops."""
        for transaction in transactions.every():
            self._tools.recorder.ended(transaction, None, transaction.elapsed_ms)

    def _decide(self, flow: http.HTTPFlow, caller: Caller) -> tuple[Transaction, list[WebRequest]]:
        """Ask the policy, and give every reading of the request; the one that decided comes first."""
        tools = self._tools
        engine = tools.engines.current
        now = tools.clock()
        who = tools.clients.at(caller.address, engine.policy, caller.signed_in)
        started = time.monotonic()
        way = ""
        inside: tuple[WebRequest, ...] = ()
        stopped_by: WebRequest | None = None
        try:
            requests = translate.web_requests(flow, who)
        except BadAddressError:
            requests = [translate.unparsed(flow, who)]
            decision = BAD_URL
        else:
            decisions = [engine.decide(request, now) for request in requests]
            decision = strictest(decisions)
            if len(decisions) > 1:
                if decision.verdict is Verdict.BLOCK and decisions[0].verdict.passes:
                    way = "fronting"
                # The reading that decided is the one to show and to keep.
                requests.insert(0, requests.pop(decisions.index(decision)))
                decision = with_obligations_of(decision, decisions)
            if decision.verdict is not Verdict.BLOCK:
                decision, inside, stopped_by = _unfolded(engine, decision, requests, now)
        moment = time.monotonic()
        took_us = int((moment - started) * 1e6)
        transaction = Transaction(
            requests[0], decision, engine, now, took_us, moment, moment, signed_in=caller.signed_in,
            inside=inside, stopped_by=stopped_by, way=way, by_hand=is_for_people(flow.request.headers),
        )  # fmt: skip
        return transaction, requests

    def _is_accepted(self, transaction: Transaction, click: Click | None) -> bool:
        """Tell if a warning was clicked through; the click itself is taken here."""
        tools, request = self._tools, transaction.request
        decision, now = transaction.decision, transaction.at
        if decision.verdict is not Verdict.WARN:
            return False
        if click is None or click.rule != decision.rule:
            return tools.warnings.is_accepted(transaction.engine, request, decision, now)

        self._accept(transaction, click)
        return True

    def _accept(self, transaction: Transaction, click: Click) -> None:
        tools = self._tools

        def told() -> None:
            tools.recorder.happened(transaction, "warning.accepted")

        tools.warnings.accept(transaction.request, click.rule, transaction.at, told)

    def _let_through(self, flow: http.HTTPFlow, transaction: Transaction) -> None:
        if transaction.is_test:
            canary_sites.answer(flow, transaction)
            return
        contents = self._contents
        if contents.refuse_again(flow, transaction) or contents.refuse_address(flow, transaction):
            return
        if contents.judges_text(transaction):
            ask_plainly(flow)
        transaction.upload = uploads.begin(flow, transaction)
        enforce.let_through(
            flow,
            transaction.decision.obligations,
            lambda: self._bodies.stream(flow, transaction, up=True),
        )

    def _record_fault(self, flow: http.HTTPFlow) -> None:
        """Write down a request that was blocked because the filter met a fault."""
        transaction = transactions.find(flow)
        if transaction is None:
            transaction = transactions.begin(flow, self._undecided(flow, FILTER_ERROR))
            self._tools.recorder.decided(transaction)
        transaction.decision = FILTER_ERROR
        # A line that said otherwise may be written already; this one comes after it.
        transaction.recorded = False
        self._end(flow, transaction)

    def _undecided(
        self, flow: http.HTTPFlow, decision: Decision, caller: Caller | None = None
    ) -> Transaction:
        """Make the transaction of a request that the policy was not asked about."""
        tools, engine = self._tools, self._tools.engines.current
        if caller is None:
            line = lines.of(flow.client_conn)
            caller = line.caller if line is not None else Caller(translate.address(flow))
        who = tools.clients.at(caller.address, engine.policy, caller.signed_in)
        request = translate.unparsed(flow, who)
        moment = time.monotonic()
        return Transaction(request, decision, engine, tools.clock(), 0, moment, moment)

    def _end(self, flow: http.HTTPFlow, transaction: Transaction) -> None:
        status = flow.response.status_code if flow.response else None
        if flow.request.raw_content and not transaction.bytes_up:
            transaction.bytes_up = len(flow.request.raw_content)
        if flow.response and flow.response.raw_content and not transaction.bytes_down:
            transaction.bytes_down = len(flow.response.raw_content)
            if transaction.flowing is not None:
                transaction.flowing.takes(transaction.bytes_down)
        if transaction.flowing is not None:
            transaction.flowing.hand_over()
        uploads.end(flow, transaction, self._tools.recorder)
        self._tools.recorder.ended(transaction, status, transaction.elapsed_ms)


def _unfolded(
    engine: PolicyEngine, decision: Decision, requests: Iterable[WebRequest], now: datetime
) -> tuple[Decision, tuple[WebRequest, ...], WebRequest | None]:
    """Judge what every reading of a request asks its service to fetch, too.

    Returns:
        The stricter answer, all that lies inside, and which of it decided.
    """
    try:
        inside = tuple(chain.from_iterable(map(engine.inside, requests)))
    except BadAddressError:
        return BAD_URL, (), None
    if not inside:
        return decision, (), None
    stricter, stopped_by = stricter_inside(engine, decision, inside, now)
    return stricter, inside, stopped_by


def _known(flow: http.HTTPFlow) -> Transaction:
    """Give the transaction of a flow.

    Raises:
        LookupError: when the flow was never decided, which must not go on.
    """
    transaction = transactions.find(flow)
    if transaction is None:
        raise LookupError("a response came for a request that was never decided")
    return transaction
