"""Block pages as bytes of HTTP/1.1, and the record of each."""

import time
from collections.abc import Mapping
from dataclasses import replace

from schoolgate.core.errors import BadAddressError
from schoolgate.core.policy import WebRequest
from schoolgate.core.policy.decision import BAD_URL
from schoolgate.core.urls import Url, parse_url
from schoolgate.proxy.gate.heads import Head
from schoolgate.proxy.gate.page_end import Answer
from schoolgate.proxy.pages import STATUS, Asked, Pages, is_for_people, kind_of
from schoolgate.proxy.recorder import Recorder
from schoolgate.proxy.surroundings import Surroundings
from schoolgate.proxy.transactions import Transaction

_NOTHING_SAID: Mapping[str, str] = {}


class Answers:
    """Makes what the gate says in a site's place.

    Args:
        pages: the pages.
        recorder: told of every answer.
        surroundings: told where browsers go.
    """

    def __init__(self, pages: Pages, recorder: Recorder, surroundings: Surroundings) -> None:
        self._pages = pages
        self._recorder = recorder
        self._surroundings = surroundings

    def blocked(self, transaction: Transaction, head: Head | None) -> bytes:
        """Give the whole answer to a blocked request; one without a readable head is the last."""
        asked = Asked(
            transaction.request.url.host,
            transaction.request.method,
            kind_of(head.headers if head else _NOTHING_SAID),
            transaction.request.url,
            transaction.request.client.group,
        )
        page = self._pages.page(asked, transaction.decision)
        stays = head is not None and head.keeps_connection and head.method != "CONNECT"
        transaction.bytes_down = len(page.body)
        if head is not None:
            transaction.by_hand = is_for_people(head.headers)
            self._surroundings.arrives(head.headers, transaction)
        self._recorder.decided(transaction)
        self._recorder.ended(transaction, STATUS, transaction.elapsed_ms)
        return page.http1(stays=stays)

    def over_tls(self, tunnel: Transaction) -> Answer:
        """Give what answers the requests inside a refused tunnel.

        They are blocked by the name of the site, whatever is asked of it; the path is read for the
        record, and for the clause that it may fall under.
        """

        def answer(head: Head | None, first_line: str) -> bytes:
            # The tunnel's own line is not written: its requests have theirs.
            tunnel.recorded = True
            method, _, rest = first_line.partition(" ")
            target = head.target if head else rest.partition(" ")[0]
            request, decision = tunnel.request, tunnel.decision
            moment = time.monotonic()
            try:
                url = _inner_url(request.url, target)
            except BadAddressError:
                url, decision = request.url, BAD_URL
            inner = replace(
                tunnel,
                request=WebRequest(url, request.client, method[:32].upper()),
                decision=decision,
                started=moment,
                recorded=False,
            )
            closer = tunnel.engine.decide(inner.request, tunnel.at)
            if decision is tunnel.decision and closer.verdict is decision.verdict:
                inner.decision = closer
            return self.blocked(inner, head)

        return answer


def _inner_url(site: Url, target: str) -> Url:
    if not target.startswith("/") or "#" in target:
        raise BadAddressError("the path is no path")
    return parse_url(f"https://{site.host}:{site.port}{target}")
