"""From a decision to mitmproxy's flow; only writes."""

from collections.abc import Callable, Iterable

from mitmproxy import http

from schoolgate.core.policy import Obligation
from schoolgate.proxy import obliged, transactions
from schoolgate.proxy.messages import ByName, by_name

# Bodies up to this size are held whole, so that a fault in a later hook can still replace them.
HELD_BYTES = 64 * 1024

type Stream = Callable[[bytes], bytes | Iterable[bytes]]


def let_through(
    flow: http.HTTPFlow, obligations: Iterable[Obligation], stream: Callable[[], Stream]
) -> None:
    """Let a request go to its origin, its body unless it is short through what `stream` makes.

    Streaming is set here and never by mitmproxy's option ``stream_large_bodies``, which would
    send a body on before anything was decided.
    """
    request = flow.request
    for obligation in obligations:
        obliged.write(request, obligation.writing)
    names = by_name(request.headers)
    # Meant for a proxy, whoever sent it where.
    if b"proxy-authorization" in names:
        del request.headers["proxy-authorization"]
    # An origin may not be talked into another protocol, nor compress messages, which would let a
    # small frame grow without bound in here.
    if b"sec-websocket-extensions" in names:
        del request.headers["sec-websocket-extensions"]
    if b"upgrade" in names and request.headers["upgrade"].lower() != "websocket":
        del request.headers["upgrade"]
    if request.data.authority and not (request.is_http2 or request.is_http3):
        # A request line in absolute form would win over the Host header (RFC 9112, 3.2.2).
        request.authority = ""
    if not _is_short(request, names):
        request.stream = stream()


def answer(flow: http.HTTPFlow, response: http.Response) -> None:
    """Answer in the origin's place, which is then never contacted.

    What the client still sends is thrown away by `limits`, not kept.
    """
    flow.response = response
    transactions.mark_answered(flow)


def redirect(to: str) -> http.Response:
    """Send the browser on with a GET."""
    return http.Response.make(303, b"", {"Location": to, "Cache-Control": "no-store"})


def stream_response(flow: http.HTTPFlow, stream: Callable[[], Stream]) -> None:
    """Pass the origin's answer on as `let_through` does a request; keep clients on this path."""
    assert flow.response is not None
    names = by_name(flow.response.headers)
    # HTTP/3 would go round the proxy.
    if b"alt-svc" in names:
        del flow.response.headers["alt-svc"]
    if not _is_short(flow.response, names):
        flow.response.stream = stream()


def _is_short(message: http.Message, names: ByName) -> bool:
    length = _length(message, names)
    return length is not None and length <= HELD_BYTES


def _length(message: http.Message, names: ByName) -> int | None:
    """Give the announced size of a body in bytes, or None where it is not announced."""
    if b"transfer-encoding" in names:
        return None
    if b"content-length" in names:
        value = message.headers["content-length"].partition(",")[0].strip()
        return int(value) if value.isascii() and value.isdigit() and len(value) < 20 else None
    # A request without either has no body in HTTP/1 (RFC 9112, 6.3); HTTP/2 may still send one.
    return 0 if isinstance(message, http.Request) and not message.is_http2 else None
