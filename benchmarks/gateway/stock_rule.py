"""The block rule of the stock mitmdump: a set of hosts and a page, as a user of it would write it."""

import os
from pathlib import Path

from mitmproxy import http

BLOCKED = frozenset(Path(os.environ["SCHOOLGATE_BENCH_BLOCKED"]).read_text().split())
PAGE = (
    b"<!doctype html><title>Blocked</title><p>This site is blocked by the school's policy.</p>"
    + b"<p>Ask for it if you need it for a lesson.</p>" * 40
)


def request(flow: http.HTTPFlow) -> None:
    """Answer for a blocked host."""
    if flow.request.pretty_host in BLOCKED:
        flow.response = http.Response.make(403, PAGE, {"content-type": "text/html"})
