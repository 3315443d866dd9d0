"""What whoever must sign in to the proxy is answered, in a site's place (RFC 9110, 11.7)."""

from http import HTTPStatus

from mitmproxy import http

from schoolgate.identity import Challenge

_WORDS = {
    407: (
        "Sign in to go on",
        "The school's internet access asks who you are. Use your school user name and password.",
    ),
    403: (
        "You cannot sign in this way",
        "A password is taken only where nobody else can read it: through an HTTPS proxy.",
    ),
    503: (
        "Nobody can sign in at present",
        "The school's directory cannot be reached. Please try again in a few minutes.",
    ),
}
_PAGE = (
    '<!doctype html><html lang="en-GB"><head><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width, initial-scale=1"><title>{0}</title></head>'
    "<body><main><h1>{0}</h1><p>{1}</p></main></body></html>\n"
)


def response(challenge: Challenge, method: str) -> http.Response:
    """Give the answer for mitmproxy to write."""
    fields = [(name.encode(), value.encode()) for name, value in _fields(challenge)]
    body = b"" if method == "HEAD" else _body(challenge)
    return http.Response.make(challenge.status, body, http.Headers(fields))


def http1(challenge: Challenge, method: str, *, stays: bool) -> bytes:
    """Give the answer as a whole message of HTTP/1.1.

    Args:
        challenge: how the client is asked.
        method: of the request.
        stays: whether another request may follow on the connection.
    """
    body = _body(challenge)
    lines = [f"HTTP/1.1 {challenge.status} {HTTPStatus(challenge.status).phrase}"]
    lines += [f"{name}: {value}" for name, value in _fields(challenge)]
    lines += [f"Content-Length: {len(body)}", f"Connection: {'keep-alive' if stays else 'close'}"]
    head = "\r\n".join([*lines, "", ""]).encode()
    return head if method == "HEAD" else head + body


def _fields(challenge: Challenge) -> list[tuple[str, str]]:
    fields = [*challenge.headers, ("Content-Type", "text/html; charset=utf-8")]
    return [*fields, ("Cache-Control", "no-store")]


def _body(challenge: Challenge) -> bytes:
    return _PAGE.format(*_WORDS[challenge.status]).encode()
