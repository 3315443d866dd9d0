"""What it costs to look at an answer that is no media, beside the same proxy without such rules.

Each answer goes through the hook for its head and the first look at its body, as a worker does it; time of
the processor, the best of several rounds. ``python -m benchmarks.media``.
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
from schoolgate.proxy import economies
from schoolgate.proxy.contents import Contents
from schoolgate.proxy.guard import Guard
from schoolgate.proxy.holding import Held
from schoolgate.proxy.interstitial import Warnings
from schoolgate.proxy.messages import by_name
from schoolgate.proxy.metering import Metering
from schoolgate.proxy.pages import Pages
from schoolgate.proxy.recorder import Recorder
from schoolgate.proxy.texts import Texts
from schoolgate.proxy.transactions import Transaction
from schoolgate.services.acceptances import Acceptances
from schoolgate.services.engines import Engines
from schoolgate.services.metering import Meter
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


def _contents(engine: PolicyEngine) -> Contents:
    metrics = Metrics()
    pages = Pages(lambda: engine, lambda: NOW)
    guard = Guard(pages, metrics.filter_errors, lambda _: None)
    metering = Metering(Meter(lambda: "2026-11-23"), b"secret")
    recorder = Recorder(_NoJournal(), metrics)
    texts = Texts(pages, recorder, Warnings(b"secret", Acceptances(Engines(engine))))
    return Contents(guard, pages, recorder, lambda _: None, metering, texts)


def _one(
    contents: Contents, engine: PolicyEngine, answer: tuple[str, bytes, dict[str, str]]
) -> Callable[[], None]:
    content_type, body, more = answer
    request = WebRequest(parse_url("https://www.example.com/a/b"), Client("10.0.0.7", "staff"))
    decision = engine.decide(request, NOW)

    def once() -> None:
        flow = tflow.tflow(resp=True)
        assert flow.response is not None
        for name, value in {"content-type": content_type, **more}.items():
            flow.response.headers[name] = value
        flow.response.headers["content-length"] = "100000"
        # As the hook before did.
        by_name(flow.request.headers)
        transaction = Transaction(request, decision, engine, NOW, 0, 0.0, 0.0)
        contents.begin(flow, transaction, lambda: lambda chunk: chunk)
        held: Held | None = getattr(flow, "schoolgate_held", None)
        if held is not None:
            held.look(body)
        elif callable(flow.response.stream):
            flow.response.stream(body)

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
        looked, passed = _best_us([_one(_contents(each), each, answer) for each in (engine, bare)])
        print(f"| {name} | {looked:.0f} | {passed:.0f} | {looked - passed:.0f} |")


if __name__ == "__main__":
    main()
