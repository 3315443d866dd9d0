"""From mitmproxy's flow to what the policy is asked; only reads."""

from urllib.parse import quote_from_bytes

from mitmproxy import http
from mitmproxy.net.http import url as mitmproxy_url

from schoolgate.core.clients import Client
from schoolgate.core.errors import BadAddressError
from schoolgate.core.hosts import as_ip, embedded_ipv4
from schoolgate.core.policy import WebRequest
from schoolgate.core.urls import Url, parse_url

# What may stand in a path unescaped; a raw byte above ASCII is escaped as browsers do.
_SAFE = bytes(range(0x21, 0x7F)).decode()


def client(flow: http.HTTPFlow, group: str) -> Client:
    """Give who asks; nothing but the address is known of a client yet."""
    peer = flow.client_conn.peername
    address = as_ip(peer[0]) if peer else None
    return Client(str(embedded_ipv4(address)) if address else "", group)


def web_requests(flow: http.HTTPFlow, who: Client) -> list[WebRequest]:
    """Give every reading of where a request goes: its URL, its Host header and its TLS name.

    They agree in honest traffic. Where they do not, the strictest decision on any of them holds,
    so that none can be a mask for another.

    Raises:
        BadAddressError: when one of them does not parse.
    """
    request = flow.request
    path = _path(request)
    hosts = {request.host: request.port}
    if header := request.host_header:
        host, port = _authority(header)
        hosts.setdefault(host, port or request.port)
    if flow.client_conn.sni:
        hosts.setdefault(flow.client_conn.sni, request.port)
    urls = dict.fromkeys(
        parse_url(f"{request.scheme}://{_bracketed(host)}:{port}{path}")
        for host, port in hosts.items()
    )
    return [WebRequest(url, who, request.method.upper()) for url in urls]


def unparsed(flow: http.HTTPFlow, who: Client) -> WebRequest:
    """Give what can be said of a request that does not parse, for the record of its refusal."""
    request = flow.request
    host = request.host.encode("ascii", "backslashreplace").decode()[:253]
    return WebRequest(Url(request.scheme, host, request.port, "/"), who, request.method.upper())


def _path(request: http.Request) -> str:
    raw = request.data.path
    if not raw.startswith(b"/"):  # OPTIONS *
        return "/"
    return raw.decode() if raw.isascii() else quote_from_bytes(raw, safe=_SAFE)


def _authority(header: str) -> tuple[str, int | None]:
    try:
        return mitmproxy_url.parse_authority(header, check=False)
    except ValueError as error:
        raise BadAddressError(f"{header[:200]!r} is not a Host header") from error


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host and not host.startswith("[") else host
