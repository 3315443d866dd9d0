"""What is done to every answer."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

type Handler = Callable[[HttpRequest], HttpResponse]


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
