"""What is done to every request and answer."""

import re
from collections.abc import Callable, Iterator

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse

type Handler = Callable[[HttpRequest], HttpResponse]

# What no keyboard writes: databases refuse the one, and nothing can be written as the other.
_NO_TEXT = re.compile("[\0\ud800-\udfff]")


def secure_cookies(handler: Handler) -> Handler:
    """Let cookies that were given over TLS go over TLS alone."""

    def answer(request: HttpRequest) -> HttpResponse:
        response = handler(request)
        if request.is_secure():
            for cookie in response.cookies.values():
                cookie["secure"] = True
        return response

    return answer


def nothing_is_kept(handler: Handler) -> Handler:
    """Keep pages out of caches: a device of the school has many users."""

    def answer(request: HttpRequest) -> HttpResponse:
        response = handler(request)
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    return answer


def text_only(handler: Handler) -> Handler:
    """Refuse what is no text in UTF-8, wherever it stands in a request."""

    def answer(request: HttpRequest) -> HttpResponse:
        if request.content_params.get("charset", "utf-8").lower() not in ("utf-8", "utf8"):
            raise BadRequest("a form in another encoding")
        if any(map(_NO_TEXT.search, _texts(request))):
            raise BadRequest("what is no text")
        return handler(request)

    return answer


def _texts(request: HttpRequest) -> Iterator[str]:
    yield request.path
    for given in (request.GET, request.POST):
        for name, values in given.lists():
            yield name
            yield from values
