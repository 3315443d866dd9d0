"""From mitmproxy's flow to what the policy is asked; only reads."""

import re
from functools import lru_cache
from urllib.parse import quote_from_bytes

from mitmproxy import http
from mitmproxy.net.http import url as mitmproxy_url

from schoolgate.core.clients import Client
from schoolgate.core.errors import BadAddressError
from schoolgate.core.hosts import normalise_host
from schoolgate.core.policy import WebRequest
from schoolgate.core.urls import DEFAULT_PORTS, Url, parse_url
from schoolgate.proxy.doh import shapes_of_request
from schoolgate.proxy.messages import by_name

# What may stand in a path unescaped; a raw byte above ASCII is escaped as browsers do.
_SAFE = bytes(range(0x21, 0x7F)).decode()
# RFC 9110, 5.6.2; a space in it would begin another request line at an HTTP/1 origin.
_TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
# A path and a query of which a parser changes nothing, but for dot segments.
_PLAIN_PATH = re.compile(r"/[A-Za-z0-9/._~!$&()*+,;=:@-]*(?:\?[A-Za-z0-9/._~!$&()*+,;=:@?%-]+)?")
_NOT_IN_A_PATH = re.compile(rb"[\x00-\x20\x7f#]")


def address(flow: http.HTTPFlow) -> str:
    """Give the address of the client, as its connection has it; empty when it has none."""
    peer = flow.client_conn.peername
    return str(peer[0]) if peer else ""


def web_requests(flow: http.HTTPFlow, who: Client) -> list[WebRequest]:
    """Give every reading of where a request goes: URL, authority, Host header and TLS name.

    They agree in honest traffic. Where they do not, the strictest decision on any of them holds,
    so that none can be a mask for another.

    Raises:
        BadAddressError: when one of them does not parse, or the request line could be read in
            two ways (RFC 9112, 11.2).
    """
    request = flow.request
    scheme, method = request.scheme, request.method.upper()
    path = _path(request)
    names = by_name(request.headers)
    header = names.get(b"host", b"")
    if isinstance(header, list):
        raise BadAddressError("more than one Host header")
    authority = request.authority if request.data.authority else ""
    asked = _hosts(
        request.host,
        request.port,
        authority,
        header.decode("utf-8", "surrogateescape"),
        # Without TLS to the site it is the name of the proxy, which the client speaks TLS with.
        (flow.client_conn.sni or "") if scheme == "https" else "",
    )
    shapes = shapes_of_request(request.data.path, names)
    return [WebRequest(_url(scheme, host, port, path), who, method, shapes) for host, port in asked]


@lru_cache(4096)
def _hosts(
    host: str, port: int, authority: str, header: str, sni: str
) -> tuple[tuple[str, int], ...]:
    """Give every host that is meant, with its port; the one that is connected to comes first."""
    hosts = {normalise_host(host): port}
    for text in (authority, header):
        if text:
            named, named_port = _authority(text)
            hosts.setdefault(named, named_port or port)
    if sni:
        hosts.setdefault(normalise_host(sni), port)
    return tuple(hosts.items())


def unparsed(flow: http.HTTPFlow, who: Client) -> WebRequest:
    """Give what can be said of a request that does not parse, for the record of its refusal."""
    request = flow.request
    host = request.host.encode("ascii", "backslashreplace").decode()[:253]
    method = request.data.method.decode("ascii", "backslashreplace").upper()
    return WebRequest(Url(request.scheme or "https", host, request.port, "/"), who, method)


def _path(request: http.Request) -> str:
    raw = request.data.path
    if not _TOKEN.fullmatch(request.data.method):
        raise BadAddressError("the method is no word")
    if raw == b"*" and request.method == "OPTIONS":
        return "/"
    if not raw.startswith(b"/") or _NOT_IN_A_PATH.search(raw):
        raise BadAddressError("the path is no path")
    return raw.decode() if raw.isascii() else quote_from_bytes(raw, safe=_SAFE)


def _url(scheme: str, host: str, port: int, path: str) -> Url:
    """Parse a URL, or put it together where every parser would give the same."""
    if scheme in DEFAULT_PORTS and _PLAIN_PATH.fullmatch(path) and "/." not in path:
        path, _, query = path.partition("?")
        return Url(scheme, host, port, path, query)
    return parse_url(f"{scheme}://{host}:{port}{path}")


def _authority(header: str) -> tuple[str, int | None]:
    try:
        host, port = mitmproxy_url.parse_authority(header, check=False)
    except ValueError as error:
        raise BadAddressError(f"{header[:200]!r} is not a Host header") from error
    return normalise_host(host), port
