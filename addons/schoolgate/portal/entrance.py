"""Who asks the portal, and how: the gateway says so on a socket of its own, everybody else is their address.

What the gateway says stands in headers that count on that socket alone; on any other they are dropped,
so that nobody can say that they are somebody else.
"""

import socket
import time
from collections.abc import Callable, Iterable
from typing import Any

from schoolgate.services import portal_headers

_SOCKET = "gunicorn.socket"

THROUGH = "schoolgate.through"
"""In the environment of a request that came through the filter."""

type Environ = dict[str, Any]
type Application = Callable[[Environ, Any], Iterable[bytes]]


def _key(header: str) -> str:
    return "HTTP_" + header.upper().replace("-", "_")


class Counted:
    """Tells how each request was answered, and how long that took.

    Args:
        application: what answers.
        answered: told of the line of the status and the seconds until it was known.
    """

    def __init__(self, application: Application, answered: Callable[[str, float], None]) -> None:
        self._application = application
        self._answered = answered

    def __call__(self, environ: Environ, start: Any) -> Iterable[bytes]:
        """Pass a request on."""
        began = time.monotonic()

        def told(status: str, *rest: Any) -> Any:
            self._answered(status, time.monotonic() - began)
            return start(status, *rest)

        return self._application(environ, told)


class Entrance:
    """Stands before the application and puts address and scheme where they belong (PEP 3333)."""

    def __init__(self, application: Application) -> None:
        self._application = application

    def __call__(self, environ: Environ, start: Any) -> Iterable[bytes]:
        """Pass a request on."""
        client = environ.pop(_key(portal_headers.CLIENT), "")
        scheme = environ.pop(_key(portal_headers.SCHEME), "http")
        accepted = environ.get(_SOCKET)
        if accepted is not None and accepted.family == socket.AF_UNIX:
            environ[THROUGH] = True
            environ["REMOTE_ADDR"] = client
            environ["wsgi.url_scheme"] = "https" if scheme == "https" else "http"
        return self._application(environ, start)
