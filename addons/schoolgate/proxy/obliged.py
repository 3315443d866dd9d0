"""Writes what a decision obliges to into a request that is let through."""

from urllib.parse import quote, unquote_to_bytes

from mitmproxy import http

from schoolgate.core.policy import Writing


def write(request: http.Request, writing: Writing) -> None:
    """Take out what the client wrote in the same places, and write what is asked for."""
    if writing.query:
        request.data.path = with_query(request.data.path, writing.query)
    for name, value in writing.headers:
        request.headers[name] = value
    if writing.cookies:
        request.headers["cookie"] = with_cookies(request.headers.get_all("cookie"), writing.cookies)


def with_query(path: bytes, wanted: tuple[tuple[str, str], ...]) -> bytes:
    """Give a path and query with some parameters, each once; other parameters stay as they are."""
    before, _, query = path.partition(b"?")
    names = {name.lower().encode() for name, _ in wanted}
    kept = [part for part in query.split(b"&") if part and _name(part) not in names]
    added = [f"{quote(name)}={quote(value)}".encode() for name, value in wanted]
    return before + b"?" + b"&".join((*kept, *added))


def with_cookies(headers: list[str], wanted: tuple[tuple[str, str], ...]) -> str:
    """Give one Cookie header (RFC 6265, 4.2) with some cookies, each once."""
    names = {name for name, _ in wanted}
    given = [cookie.strip() for header in headers for cookie in header.split(";")]
    kept = [cookie for cookie in given if cookie and cookie.partition("=")[0].strip() not in names]
    return "; ".join((*kept, *(f"{name}={value}" for name, value in wanted)))


def _name(part: bytes) -> bytes:
    """Give a parameter's name as the service reads it, however it is written."""
    return unquote_to_bytes(part.partition(b"=")[0].replace(b"+", b" ")).strip().lower()
