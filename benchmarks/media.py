"""What it costs to look at an answer that is no media, beside the same proxy without such rules.

Each answer goes through the filter's hook for its head and its stream for the first of its body, as in a
worker; time of the processor, the least of many rounds. ``python -m benchmarks.media``.
"""

import gzip
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from mitmproxy.test import tflow

from schoolgate.bootstrap import load_engine
from schoolgate.core.clients import Client
from schoolgate.core.policy import PolicyEngine, WebRequest
from schoolgate.core.urls import parse_url
from schoolgate.monitoring import Metrics
from schoolgate.proxy import economies, transactions
from schoolgate.proxy.addons import make_addons
from schoolgate.proxy.filter import Filter
from schoolgate.proxy.holding import Held
from schoolgate.proxy.messages import by_name
from schoolgate.proxy.transactions import Transaction
from schoolgate.services.engines import Engines
from schoolgate.settings import load_settings
from tests.gateway import ROOT

ROUNDS, TIMES = 60, 100
NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
HTML = b"<!doctype html><html><head><title>A page</title>" + b"<p>Some words of a page.</p>" * 400
ANSWERS = {
    "page": ("text/html", HTML, {}),
    "page, gzip": ("text/html", gzip.compress(HTML), {"content-encoding": "gzip"}),
    "script": ("text/javascript", b'"use strict";function a(){return 1}' * 300, {}),
    "picture": ("image/png", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40, {}),
    "data": ("application/json", b'{"name": "a", "values": [1, 2, 3]}', {}),
    "font": ("font/woff2", b"wOF2" + bytes(range(256)) * 40, {}),
    "document": ("application/pdf", b"%PDF-1.7\n" + bytes(range(256)) * 40, {}),
}


class _NoJournal:
    def tell(self, *_: object) -> None:
        """Throw away."""


def _filter(engine: PolicyEngine) -> Filter:
    made = make_addons(Engines(engine), Metrics(), _NoJournal(), lambda: NOW, lambda _: None)
    return next(addon for addon in made.addons if isinstance(addon, Filter))


def _one(engine: PolicyEngine, answer: tuple[str, bytes, dict[str, str]]) -> Callable[[], None]:
    content_type, body, more = answer
    addon = _filter(engine)
    request = WebRequest(parse_url("https://www.example.com/a/b"), Client("10.0.0.7", "staff"))
    decision = engine.decide(request, NOW)

    def once() -> None:
        flow = tflow.tflow(resp=True)
        assert flow.response is not None
        for name, value in {"content-type": content_type, **more}.items():
            flow.response.headers[name] = value
        flow.response.headers["content-length"] = "100000"
        moment = time.monotonic()
        transactions.begin(flow, Transaction(request, decision, engine, NOW, 0, moment, moment))
        # As the hook before did.
        by_name(flow.request.headers)
        addon.responseheaders(flow)
        held: Held | None = getattr(flow, "schoolgate_held", None)
        if held is not None:
            held.look(body)
        stream = held.stream if held is not None else flow.response.stream
        if callable(stream):
            stream(body)

    return once


def _best_us(ways: Sequence[Callable[[], None]]) -> list[float]:
    """Give the least that each takes, in turns, so that what else the machine does concerns them alike."""
    best = [float("inf")] * len(ways)
    for _ in range(ROUNDS):
        for number, once in enumerate(ways):
            started = time.process_time()
            for _ in range(TIMES):
                once()
            best[number] = min(best[number], (time.process_time() - started) / TIMES * 1e6)
    return best


def main() -> None:
    """Print a table."""
    economies.install()
    engine = load_engine(load_settings(ROOT / "config" / "schoolgate.yaml", {}))
    bare = PolicyEngine(replace(engine.policy, contents=(), budgets=()), engine.catalogue)
    print("| answer | with rules, µs | without, µs | added, µs |\n|---|---:|---:|---:|")
    for name, answer in ANSWERS.items():
        looked, passed = _best_us([_one(each, answer) for each in (engine, bare)])
        print(f"| {name} | {looked:.0f} | {passed:.0f} | {looked - passed:.0f} |")


if __name__ == "__main__":
    main()
