"""Answers in the place of sites for what is only asked to see whether the filter works; nothing leaves."""

import json
from collections.abc import Iterable

from mitmproxy import http

from schoolgate.core.policy import Obligation
from schoolgate.proxy import enforce, obliged
from schoolgate.proxy.transactions import Transaction

# What a browser would be talked into HTTP/3 with, which goes round the proxy.
_HTTP3 = 'h3=":443"; ma=86400'
OPEN_PICTURE = (
    b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 160 32" width="160" height="32">'
    b'<rect width="160" height="32" fill="#d4351c"/>'
    b'<text x="10" y="22" font-family="sans-serif" font-size="17" fill="#fff">Not blocked</text></svg>'
)


def answer(flow: http.HTTPFlow, transaction: Transaction) -> None:
    """Answer a request that may pass, as its site would be asked and its answer would come through.

    Who is nobody is told what would have been asked of whom; people, that it is open.
    """
    writings = _write(flow.request, transaction.decision.obligations)
    if transaction.request.client.is_synthetic:
        body, media_type = _told(flow.request, transaction, writings), "application/json"
    else:
        body, media_type = OPEN_PICTURE, "image/svg+xml"
    headers = {
        "Content-Type": media_type,
        "Content-Length": str(len(body)),
        "Cache-Control": "no-store",
        "Alt-Svc": _HTTP3,
        "Content-Security-Policy": "default-src 'none'",
        "X-Content-Type-Options": "nosniff",
        "X-Schoolgate-Verdict": transaction.decision.verdict.value,
    }
    enforce.answer(flow, http.Response.make(200, body, headers))
    # As with an answer of the site's own; it is too short for a stream.
    enforce.stream_response(flow, lambda: lambda chunk: chunk)


def _write(request: http.Request, obligations: Iterable[Obligation]) -> list[str]:
    written = []
    for obligation in obligations:
        obliged.write(request, obligation.writing)
        written.append(obligation.name)
    return written


def _told(request: http.Request, transaction: Transaction, written: list[str]) -> bytes:
    host = transaction.request.url.host
    said = {
        "url": request.url,
        "headers": dict(request.headers),
        "written": written,
        "connects_to": transaction.engine.policy.aliases.get(host, host),
    }
    return json.dumps(said).encode()
