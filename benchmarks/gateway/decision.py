"""What one decision costs, apart from everything around it."""

import statistics
import time
from datetime import UTC, datetime
from pathlib import Path

from schoolgate.bootstrap import load_engine
from schoolgate.core.clients import Client
from schoolgate.core.policy import WebRequest
from schoolgate.core.urls import parse_web_url
from schoolgate.settings import load_settings

_URLS = ("https://www.bbc.co.uk/bitesize", "https://www.bet365.com/", "https://a.b.example/x")
_TIMES = 2_000


def microseconds(config: Path) -> float:
    """Give the median time of a decision, parsing the URL and the look-ups included."""
    engine = load_engine(load_settings(config, {}))
    client = Client("10.0.0.1", engine.policy.default_group)
    now = datetime.now(UTC)
    samples = []
    for _ in range(_TIMES):
        began = time.perf_counter()
        for url in _URLS:
            engine.decide(WebRequest(parse_web_url(url), client), now)
        samples.append((time.perf_counter() - began) / len(_URLS) * 1e6)
    return statistics.median(samples)
